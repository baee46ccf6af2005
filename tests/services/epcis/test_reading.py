"""Reading documents and events, and naming the field that is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.epcis.mapping import Known, map_events
from services.epcis.reading import MAX_EVENTS, DocumentError, read_capture
from tests.sampling import examples
from tests.services.epcis.events import CONTEXT, document, epcis, faults_of

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "epcis"

needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the examples of the standard are not part of this repository and not beside it"
)


def test_a_sound_event_has_no_faults() -> None:
    assert faults_of(epcis("receiving")) == {}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"action": None}, "/action", "missing"),
        ({"action": "CREATE"}, "/action", "ADD"),
        ({"eventTime": None}, "/eventTime", "missing"),
        ({"eventTime": "22-07-2026"}, "/eventTime", "date and time"),
        ({"eventTime": "2026-07-22T10:00:00"}, "/eventTime", "zone"),
        ({"eventTimeZoneOffset": None}, "/eventTimeZoneOffset", "missing"),
        ({"eventTimeZoneOffset": "+25:00"}, "/eventTimeZoneOffset", "pattern"),
        ({"epcList": None}, "/epcList", "about nothing"),
        ({"epcList": []}, "/epcList", "about nothing"),
        ({"bizStep": "transforming"}, "/bizStep", "transforming"),
        ({"disposition": "sad"}, "/disposition", "sad"),
        ({"bizTransactionList": [{"type": "return", "bizTransaction": "1"}]}, "/bizTransactionList/0/type", "return"),
        ({"sourceList": [{"type": "location"}]}, "/sourceList/0/source", "missing"),
        ({"errorDeclaration": {}}, "/errorDeclaration/declarationTime", "missing"),
        ({"colour": "red"}, "/colour", "prefix"),
        ({"type": "OtherEvent"}, "/type", "ObjectEvent"),
        ({"type": "TransactionEvent", "bizTransactionList": None}, "/bizTransactionList", "name its transactions"),
        ({"type": "AssociationEvent", "epcList": None}, "/parentID", "missing"),
        ({"type": "AggregationEvent", "epcList": None, "action": "ADD"}, "/parentID", "OBSERVE"),
    ],
)
def test_a_fault_names_its_field(change: dict[str, Any], field: str, says: str) -> None:
    faults = faults_of({key: value for key, value in (epcis("receiving") | change).items() if value is not None})
    assert list(faults) == [field]
    assert says in faults[field]


def test_all_faults_are_named_at_once() -> None:
    event = {"type": "ObjectEvent", "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"]}
    assert set(faults_of(event)) == {"/eventTime", "/eventTimeZoneOffset", "/action"}


def test_extensions_pass() -> None:
    assert faults_of(epcis("ext1:own_step", **{"ext1:colour": "red", "https://example.com/colour": "red"})) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"@context": None}, "/@context"),
        ({"@context": ["https://example.com/other"]}, "/@context"),
        ({"schemaVersion": "1.2"}, "/schemaVersion"),
        ({"creationDate": "yesterday"}, "/creationDate"),
        ({"epcisBody": {}}, "/epcisBody/eventList"),
        ({"type": "EPCISQueryDocument"}, "/type"),
        ({"epcisBody": {"eventList": [{}] * (MAX_EVENTS + 1)}}, "/epcisBody/eventList"),
    ],
)
def test_a_fault_around_the_events_refuses_the_document(change: dict[str, Any], field: str) -> None:
    raw = {key: value for key, value in (document(epcis("receiving")) | change).items() if value is not None}
    with pytest.raises(DocumentError) as refused:
        read_capture(raw)
    assert field in {fault.pointer for fault in refused.value.faults}


def test_one_event_needs_no_document() -> None:
    (read,) = read_capture({"@context": [CONTEXT], **epcis("receiving")})
    assert read.event is not None
    with pytest.raises(DocumentError):
        read_capture(epcis("receiving"))


def test_a_document_with_a_single_event() -> None:
    (read,) = read_capture(document() | {"epcisBody": {"event": {**epcis("receiving"), "action": "X"}}})
    assert [fault.pointer for fault in read.faults] == ["/epcisBody/event/action"]


def test_neighbours_are_read_whatever_is_wrong_with_one() -> None:
    reads = read_capture(document(epcis("receiving"), 7, epcis("receiving", action=None), epcis("shipping")))
    assert [read.event is not None for read in reads] == [True, False, False, True]
    assert [read.faults[0].pointer for read in reads if read.faults] == [
        "/epcisBody/eventList/1",
        "/epcisBody/eventList/2/action",
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from([*epcis("receiving"), "destinationList", "errorDeclaration", "disposition", "childEPCs"])


@settings(max_examples=examples(30, 100), deadline=None)
@given(_JSON | st.dictionaries(_FIELDS, _JSON, max_size=4).map(lambda changed: document(epcis("holding") | changed)))
def test_whatever_comes_is_read_or_refused_with_a_reason(raw: Any) -> None:
    reads = []
    with suppress(DocumentError):  # which names at least one fault, or could not be made
        reads = read_capture(raw)
    for read in reads:
        assert (read.event is None) == bool(read.faults)
        if read.event is not None:
            (meaning,) = map_events([read], Known("retailer:acme"))
            assert bool(meaning.facts) == (meaning.unmapped is None)


#: What becomes of each event of the examples: its facts, or a word of why it has none.
EXAMPLES: dict[str, list[str]] = {
    "AggregationEvent.json": ["item.received item.received"],
    "Combination_of_different_event.json": [
        "sensor_reporting",
        "unpacking",
        "summarising_discharge",
        "no bizStep",
        "disassembling",
        "disassembling",
    ],
    "CurieString_document.json": ["item.received"],
    "JumbledFieldsOrder.json": ["nobody knows"],
    "ObjectEvent.json": ["to whom", "item.received"],
    "ObjectEvent_all_possible_fields.json": ["fact.corrected"],
    "ObjectEvent_with_digitalLink.json": ["no order"],
    "ObjectEvent_with_error_declaration.json": ["fact.corrected fact.corrected", "item.received"],
    "ObjectEvent_with_userExtensions.json": ["to whom", "commissioning"],
    "TransactionEvent.json": ["summarising_discharge", "transporting"],
}

_FIRST = "/epcisBody/eventList/0"
INVALID: dict[str, set[str]] = {
    "Combination_of_events_with_missing_mandatory_fields.json": {
        f"{_FIRST}/action",
        "/epcisBody/eventList/1/action",
        "/epcisBody/eventList/1/eventTimeZoneOffset",
    },
    "EPCISDocument_without_context.json": {"/@context"},
    "ObjectEvent_with_invalid_action.json": {f"{_FIRST}/action"},
    "ObjectEvent_with_invalid_eventTime_format.json": {f"{_FIRST}/eventTime"},
    "ObjectEvent_with_non_standard_bizStep.json": {f"{_FIRST}/bizStep"},
    "ObjectEvent_without_action_and_eventTime.json": {
        f"{_FIRST}/action",
        f"{_FIRST}/eventTime",
        f"{_FIRST}/eventTimeZoneOffset",
    },
    "ObjectEvent_without_identifier_list.json": {f"{_FIRST}/epcList"},
}


@needs_samples
def test_every_example_of_the_standard_is_known_to_these_tests() -> None:
    assert {file.name for file in SAMPLES.glob("*.json")} == set(EXAMPLES)
    assert {file.name for file in (SAMPLES / "invalid").glob("*.json")} == set(INVALID)


@needs_samples
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_standard_are_read(name: str) -> None:
    reads = read_capture(json.loads((SAMPLES / name).read_text()))
    assert [read.faults for read in reads] == [()] * len(reads)
    meanings = map_events(reads, Known("retailer:acme"))
    for meaning, expected in zip(meanings, EXAMPLES[name], strict=True):
        assert expected in (meaning.unmapped or " ".join(fact.name for fact in meaning.facts))


@needs_samples
@pytest.mark.parametrize("name", INVALID)
def test_the_invalid_examples_are_refused_with_the_field_named(name: str) -> None:
    try:
        reads = read_capture(json.loads((SAMPLES / "invalid" / name).read_text()))
        faults = [fault for read in reads for fault in read.faults]
    except DocumentError as refused:
        faults = list(refused.faults)
    assert {fault.pointer for fault in faults} == INVALID[name]
