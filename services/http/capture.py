"""POST /capture: EPCIS 2.0 in JSON-LD, a document or one event.

An event that has no fact of ours is handed in as it came, under a type that the intake does not know: so it is kept
with what was rejected, listed and counted there like all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import uuid4

from starlette.requests import Request

from events.envelope import full_type, iso
from events.streams import MAX_SUBMISSION
from services.answering import Ask
from services.epcis.mapping import Known, Meaning, map_events, subjects_to_look_up
from services.epcis.reading import DocumentError, Read, read_capture
from services.http.bodies import media_type, read_body, read_json
from services.http.handing_in import HandingIn, Sealed, sealed
from services.http.jobs import Behaviour, Entry, Job
from services.http.limits import MAX_BATCH, Limits
from services.http.problems import Refused
from services.partner_view import last_handover, timelines

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
MEDIA_TYPES: Final = ("application/ld+json", "application/json")
BEHAVIOUR: Final = "GS1-EPCIS-Capture-Error-Behaviour"

#: Not a fact: whoever hands it in is told that the intake does not know it, and it is kept.
KEPT: Final = full_type("epcis.kept", 1)

#: One capture may void the shipping of so many orders: each is looked up.
_LOOKED_UP: Final = 50

#: Around an event that is kept.
_ROOM: Final = 2_048


async def take_capture(
    request: Request,
    party: str,
    parties: Mapping[str, str],
    now: datetime,
    *,
    ask: Ask,
    door: HandingIn,
    limits: Limits,
) -> Job:
    """Capture what the request carries for ``party``; ``parties`` says whose an identifier is. Raises Refused.

    With ``rollback`` nothing is handed in unless every event can be read. What the intake refuses after that cannot
    take back what it has accepted: the log forgets nothing.
    """
    behaviour = _behaviour(request)
    if media_type(request) not in MEDIA_TYPES:
        raise Refused(415, "unsupported-media-type", f"EPCIS is read as {' or '.join(MEDIA_TYPES)}")
    document = read_json(await read_body(request, MAX_DOCUMENT_BYTES))
    try:
        reads = read_capture(document)
    except DocumentError as error:
        raise Refused(400, "not-epcis", error.faults[0].detail, faults=error.faults) from None
    sound = [read for read in reads if read.event is not None]
    faults = [fault for read in reads for fault in read.faults]
    if faults and (behaviour == "rollback" or not sound):
        raise Refused(400, "invalid", f"{faults[0].detail} (nothing was captured)", faults=faults)

    voided = sorted(subjects_to_look_up(sound))[:_LOOKED_UP]
    limits.spend(party, len(voided))
    known = Known(party, parties, await _handovers(voided, party, ask, door.position))
    meanings = iter(map_events(sound, known))
    context = document.get("@context")
    entries, submissions = [], []
    for read in reads:
        if read.event is None:
            entries.append(Entry(read.where, None, read.faults))
            continue
        meaning = next(meanings)
        entries.append(_entry(read, meaning))
        submissions += _submissions(read, meaning, party, context)
    if len(submissions) > MAX_BATCH:
        raise Refused(413, "length", f"this makes {len(submissions)} facts; at most {MAX_BATCH} are taken at a time")
    limits.spend(party, max(1, len(submissions)))
    receipts = iter(await door.hand_in(party, submissions))
    for entry in entries:
        entry.receipts = tuple(next(receipts) for _ in entry.ids)
    return Job(str(uuid4()), party, behaviour, now, entries)


def _behaviour(request: Request) -> Behaviour:
    said = request.headers.get(BEHAVIOUR, "rollback")
    if said not in ("rollback", "proceed"):
        raise Refused(400, "bad-header", f"{BEHAVIOUR} must be rollback or proceed")
    return cast(Behaviour, said)


async def _handovers(orders: Iterable[str], party: str, ask: Ask, position: int) -> dict[str, str]:
    """What the sender has handed over last, of these orders."""
    found = {}
    for subject in orders:
        for timeline in await timelines(ask, party, subject, position or None):
            if (id := last_handover(party, timeline)) is not None:
                found[subject] = id
    return found


def _entry(read: Read, meaning: Meaning) -> Entry:
    assert read.event is not None
    ids = (read.id,) if meaning.unmapped is not None else tuple(fact.id for fact in meaning.facts)
    return Entry(read.where, read.event.eventID or read.id, (), meaning.unmapped, ids)


def _submissions(read: Read, meaning: Meaning, party: str, context: Any) -> list[Sealed]:
    """What is handed in for one event: its facts, or itself as it came."""
    if meaning.unmapped is None:
        return [sealed(fact.model_dump(mode="json", exclude_none=True)) for fact in meaning.facts]
    assert read.event is not None
    kept = sealed(
        {
            "specversion": "1.0",
            "id": read.id,
            "source": party,
            "type": KEPT,
            "subject": read.id,
            "time": iso(read.event.eventTime),
            "data": {"@context": context, **read.raw},
        }
    )
    if len(kept.payload) > MAX_SUBMISSION - _ROOM:
        raise Refused(413, "length", f"the event at {read.where} has no fact here, and is too large to be kept")
    return [kept]
