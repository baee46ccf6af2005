"""POST /capture: EPCIS 2.0 in JSON-LD, a document or one event.

An event that has no fact of ours is handed in as it came, under a type that the intake does not know: so it is kept
with what was rejected, listed and counted there like all else.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from services.http.following import last_handover, timelines
from services.http.handing_in import HandingIn, Sealed, sealed
from services.http.jobs import Behaviour, Entry, Job
from services.http.limits import MAX_BATCH, Limits
from services.http.problems import Refused

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
MEDIA_TYPES: Final = ("application/ld+json", "application/json")
BEHAVIOUR: Final = "GS1-EPCIS-Capture-Error-Behaviour"

#: Not a fact: whoever hands it in is told that the intake does not know it, and it is kept.
KEPT: Final = full_type("epcis.kept", 1)

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

    known = Known(party, parties, await _handovers(sound, party, ask, door.position))
    meanings = iter(map_events(sound, known))
    context = document.get("@context")
    entries = [Entry(read, None) if read.event is None else _entry(read, next(meanings)) for read in reads]
    submissions = [each for entry in entries for each in _submissions(entry, party, context)]
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


async def _handovers(reads: list[Read], party: str, ask: Ask, position: int) -> dict[str, str]:
    """What the sender has handed over last, of the orders for which that must be known."""
    found = {}
    for subject in sorted(subjects_to_look_up(reads))[:MAX_BATCH]:
        for timeline in await timelines(ask, party, subject, position or None):
            if (id := last_handover(party, timeline)) is not None:
                found[subject] = id
    return found


def _entry(read: Read, meaning: Meaning) -> Entry:
    ids = (read.id,) if meaning.unmapped is not None else tuple(fact.id for fact in meaning.facts)
    return Entry(read, meaning, ids)


def _submissions(entry: Entry, party: str, context: Any) -> list[Sealed]:
    if entry.meaning is None:
        return []
    if entry.meaning.unmapped is None:
        return [sealed(fact.model_dump(mode="json", exclude_none=True)) for fact in entry.meaning.facts]
    assert entry.read.event is not None
    kept = sealed(
        {
            "specversion": "1.0",
            "id": entry.read.id,
            "source": party,
            "type": KEPT,
            "subject": entry.read.id,
            "time": iso(entry.read.event.eventTime),
            "data": {"@context": context, **entry.read.raw},
        }
    )
    if len(kept.payload) > MAX_SUBMISSION - _ROOM:
        raise Refused(413, "length", f"the event at {entry.read.where} has no fact here, and is too large to be kept")
    return [kept]
