"""EPCIS events for tests, and a way of saying what they come to."""

from __future__ import annotations

from typing import Any

from events.envelope import Event
from services.epcis.mapping import Known, Meaning, map_events
from services.epcis.reading import read_capture, read_event

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
SHOP = "retailer:acme"
IMPORTER_ID, IMPORTER = "urn:epc:id:pgln:4012345.00225", "importer:noord"
PARTIES = {IMPORTER_ID: IMPORTER}


def epcis(step: str | None, **more: Any) -> dict[str, Any]:
    """An ObjectEvent about the return R-7, which ``more`` changes; a field that is None is left out."""
    event = {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:1",
        "eventTime": "2026-03-02T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
        "bizStep": step,
        "bizTransactionList": [{"type": "rma", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:R-7"}],
        **more,
    }
    return {name: value for name, value in event.items() if value is not None}


def to(identifier: str, kind: str = "possessing_party") -> dict[str, Any]:
    return {"destinationList": [{"type": kind, "destination": identifier}]}


def document(*events: Any) -> dict[str, Any]:
    """A whole document."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


class Given:
    """``given(what is known).when(events).then(facts)``."""

    def __init__(self, handovers: dict[str, str]) -> None:
        self._known = Known(SHOP, PARTIES, handovers)

    def when(self, *events: dict[str, Any]) -> Meanings:
        read = read_capture(document(*events))
        assert [each.faults for each in read] == [()] * len(events)
        return Meanings(map_events(read, self._known))


class Meanings:
    """What came of the events."""

    def __init__(self, meanings: list[Meaning]) -> None:
        self.meanings = meanings

    @property
    def facts(self) -> list[Event]:
        return [fact for meaning in self.meanings for fact in meaning.facts]

    def then(self, *facts: tuple[str, str, dict[str, Any]]) -> None:
        """Name, order and data of each fact; nothing was left over."""
        assert [meaning.unmapped for meaning in self.meanings] == [None] * len(self.meanings)
        assert [(fact.name, fact.subject, fact.data) for fact in self.facts] == list(facts)
        assert {fact.source for fact in self.facts} == {SHOP}

    def then_kept(self, because: str) -> None:
        """The one event has no fact, and the reason holds these words."""
        (meaning,) = self.meanings
        assert meaning.facts == ()
        assert because in (meaning.unmapped or "")


def given(**handovers: str) -> Given:
    """What the sender has handed over, by order: the id of that fact."""
    return Given({order.replace("_", "-"): fact for order, fact in handovers.items()})


def faults_of(raw: Any) -> dict[str | None, str]:
    """Pointer and detail of all that is wrong with an event."""
    return {fault.pointer: fault.detail for fault in read_event(raw, "").faults}
