"""What EPCIS events mean in our facts. Pure: events and what is known come in, facts go out.

| bizStep, disposition | fact |
|---|---|
| shipping | ``item.handed_over`` to the possessing party of the destination |
| receiving, accepting | ``item.received``, from the possessing party of the source |
| returning | ``item.handed_over``; ``item.returned`` where no destination is named: it is back with the customer |
| void_shipping | ``fact.corrected``, of the sender's last handover that nobody has received |
| inspecting | ``diagnosis.made`` |
| repairing | ``repair.started``; ``repair.completed`` if conformant; ``repair.failed`` if it is no good |
| replacing | ``unit.replaced`` |
| holding | ``work.paused``; with the action DELETE ``work.resumed`` |
| any of these with an errorDeclaration | ``fact.corrected``, with an id of its own |

An event is about the order that its transaction of type ``rma`` numbers, or else about each item with a serial number.
Who has it is the possessing party; who owns it says nothing about where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from events.correction import FactCorrected
from events.custody import HandedOver, Received, Returned
from events.envelope import Event, iso, make_event
from events.facet import Fact
from events.work import (
    DiagnosisMade,
    RepairCompleted,
    RepairFailed,
    RepairStarted,
    UnitReplaced,
    WorkPaused,
    WorkResumed,
)
from services.epcis.identifiers import number_of, party_of, serial_of
from services.epcis.reading import CapturedEvent, Read, base_id

#: One event about more items than this is kept rather than taken apart.
MAX_ITEMS: Final = 100

MAPPED_STEPS: Final = frozenset(
    {
        "shipping",
        "receiving",
        "accepting",
        "returning",
        "void_shipping",
        "inspecting",
        "repairing",
        "replacing",
        "holding",
    }
)

_FINDINGS: Final[Mapping[str, str]] = {
    "conformant": "Inspected: as it should be",
    "non_conformant": "Inspected: not as it should be",
    "damaged": "Inspected: damaged",
    "needs_replacement": "Inspected: needs to be replaced",
    "mismatch_class": "Inspected: not the model that was expected",
    "mismatch_instance": "Inspected: not the serial number that was expected",
}

_IN_WORDS: Final[Mapping[str, str]] = {
    "mismatch_class": "not the model that was expected",
    "mismatch_instance": "not the serial number that was expected",
    "mismatch_quantity": "not as many as were expected",
    "non_conformant": "not as it should be",
    "needs_replacement": "needs to be replaced",
}

#: How an item may come in that is worth writing down.
_CONDITIONS: Final = frozenset({"damaged", "destroyed", "expired", *_IN_WORDS})

#: After a repair: it did not help.
_NO_GOOD: Final = frozenset({"non_conformant", "damaged", "needs_replacement", "destroyed", "disposed"})

#: Of two units, the one that went.
_WENT: Final = frozenset({*_NO_GOOD, "returned", "unavailable", "inactive"})


@dataclass(frozen=True, slots=True)
class Known:
    """What the mapping asks: who speaks, who is behind an identifier, and what the sender last handed over.

    ``handovers`` has, by order as the sender calls it, the id of its last handover that nobody has received yet.
    """

    party: str
    parties: Mapping[str, str] = field(default_factory=dict)
    handovers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The facts of one event; or why it has none, in a sentence."""

    facts: tuple[Event, ...] = ()
    unmapped: str | None = None


class _Unmapped(Exception):
    """The event says nothing that we have a fact for; the message says why."""


def map_events(captured: Iterable[Read], known: Known) -> list[Meaning]:
    """What each event means, in their order. All of them have been read without faults."""
    handovers = dict(known.handovers)
    meanings = []
    for read in captured:
        assert read.event is not None
        meaning = map_event(read.event, read.id, Known(known.party, known.parties, handovers))
        for fact in meaning.facts:
            if fact.name == "item.handed_over":
                handovers[fact.subject] = fact.id
        meanings.append(meaning)
    return meanings


def subjects_to_look_up(captured: Iterable[Read]) -> set[str]:
    """The orders of which the last handover must be known: those whose shipping is said to be void."""
    return {
        subject
        for read in captured
        if read.event is not None and read.event.bizStep == "void_shipping" and read.event.errorDeclaration is None
        for subject in _subjects(read.event)[:MAX_ITEMS]
    }


def map_event(event: CapturedEvent, id: str, known: Known) -> Meaning:
    """What one event means; ``id`` is what its facts are named after."""
    try:
        return Meaning(tuple(_facts(event, id, known)))
    except _Unmapped as why:
        return Meaning(unmapped=str(why))
    except ValidationError as error:  # a serial number of a thousand letters, say
        fault = error.errors(include_url=False, include_input=False)[0]
        return Meaning(unmapped=f"{fault['loc'][0] if fault['loc'] else 'the fact'}: {fault['msg']}")


def _facts(event: CapturedEvent, id: str, known: Known) -> list[Event]:
    if event.bizStep is None:
        raise _Unmapped("it has no bizStep, so it does not say what was done")
    if event.bizStep not in MAPPED_STEPS:
        raise _Unmapped(f"the chain has no fact for the step '{event.bizStep[:100]}'")
    subjects = _subjects(event)
    if not subjects:
        raise _Unmapped("it names no order: neither a transaction of type rma nor an item with a serial number")
    if len(subjects) > MAX_ITEMS:
        raise _Unmapped(f"it is about {len(subjects)} items; at most {MAX_ITEMS} are taken apart")
    if event.errorDeclaration is not None:
        return [_correction(event, fact_id(id, n), subject, known.party) for n, subject in enumerate(subjects)]
    return [
        make_event(fact.NAME, source=known.party, id=fact_id(id, n), subject=subject, time=event.eventTime, data=fact)
        for n, subject in enumerate(subjects)
        for fact in (_fact(event, subject, known),)
    ]


def fact_id(id: str, number: int) -> str:
    """The id of the fact about the item of that number: the first has the event's own, so corrections find it."""
    return id if number == 0 else f"{id}#{number + 1}"


def _subjects(event: CapturedEvent) -> list[str]:
    """The orders, as the sender calls them: by the return's number, or else by serial numbers, each once."""
    numbers = [number_of(each.bizTransaction) for each in event.bizTransactionList if each.type == "rma"]
    if not numbers:
        numbers = [serial_of(epc) for epc in (event.epcList or event.childEPCs or event.inputEPCList)]
    return [number for number in dict.fromkeys(number.strip() for number in numbers) if number]


def _fact(event: CapturedEvent, subject: str, known: Known) -> Fact:
    match event.bizStep:
        case "shipping":
            return HandedOver(to=_destination(event, known))
        case "receiving" | "accepting":
            return _received(event, known)
        case "returning":
            named = _possessing(event.destinationList)
            return HandedOver(to=_destination(event, known)) if named else Returned()
        case "void_shipping":
            if subject not in known.handovers:
                raise _Unmapped(f"no handover of '{subject}' by {known.party} is on its way, so none can be taken back")
            return FactCorrected(fact_id=known.handovers[subject], reason="did_not_occur")
        case "inspecting":
            return DiagnosisMade(summary=_finding(event.disposition), fault_code=event.disposition)
        case "repairing":
            return _repair(event.disposition)
        case "replacing":
            return _replaced(event)
        case _:
            if event.action == "DELETE":
                return WorkResumed()
            why = f"On hold: {_in_words(event.disposition)}" if event.disposition else "On hold"
            return WorkPaused(waiting_for="other", why=why)


def _received(event: CapturedEvent, known: Known) -> Received:
    sender = _possessing(event.sourceList)
    party = party_of(sender, known.parties) if sender else None
    condition = _in_words(event.disposition) if event.disposition in _CONDITIONS else None
    # `from` is no name of Python's; None counts as not said.
    return Received.model_validate({"from": party, "condition": condition})


def _destination(event: CapturedEvent, known: Known) -> str:
    named = _possessing(event.destinationList)
    if named is None:
        raise _Unmapped("it does not say to whom: no destination of type possessing_party")
    party = party_of(named, known.parties)
    if party is None:
        raise _Unmapped(f"nobody knows whose identifier '{named[:200]}' is")
    return party


def _possessing(listed: Iterable[Any]) -> str | None:
    """Who has it, of sources or destinations."""
    for each in listed:
        if each.type == "possessing_party":
            return str(each.source if hasattr(each, "source") else each.destination)
    return None


def _finding(disposition: str | None) -> str:
    if disposition is None:
        return "Inspected"
    return _FINDINGS.get(disposition) or f"Inspected: {_in_words(disposition)}"


def _repair(disposition: str | None) -> Fact:
    if disposition == "conformant":
        return RepairCompleted()
    if disposition in _NO_GOOD:
        return RepairFailed(why=f"After the repair: {_in_words(disposition)}")
    return RepairStarted()


def _replaced(event: CapturedEvent) -> UnitReplaced:
    if event.type == "TransformationEvent":
        old, new = event.inputEPCList[:1], event.outputEPCList[:1]
        return UnitReplaced(
            old_serial=serial_of(old[0]) if old else None, new_serial=serial_of(new[0]) if new else None
        )
    serials = [serial_of(epc) for epc in (event.epcList or event.childEPCs)][:1]
    if not serials:
        return UnitReplaced()
    if event.action == "DELETE" or (event.action == "OBSERVE" and event.disposition in _WENT):
        return UnitReplaced(old_serial=serials[0])
    return UnitReplaced(new_serial=serials[0])


def _correction(event: CapturedEvent, id: str, subject: str, party: str) -> Event:
    """EPCIS says the same event again, with a declaration; here what is wrong stays, and another fact says so."""
    declared = event.errorDeclaration
    assert declared is not None
    corrective = tuple(base_id(each) for each in declared.correctiveEventIDs)
    if declared.reason == "did_not_occur" or (declared.reason is None and not corrective):
        fact = FactCorrected(fact_id=id, reason="did_not_occur", replaced_by=corrective)
    else:
        fact = FactCorrected(fact_id=id, reason="incorrect_data", replaced_by=corrective)
    own_id = f"{id}#error-{_compact(declared.declarationTime)}"
    return make_event(fact.NAME, source=party, id=own_id, subject=subject, time=declared.declarationTime, data=fact)


def _compact(moment: datetime) -> str:
    return "".join(character for character in iso(moment) if character not in "-:")


def _in_words(word: str) -> str:
    """A word of the vocabulary as people say it."""
    return _IN_WORDS.get(word, word.rpartition(":")[2].replace("_", " "))[:500]
