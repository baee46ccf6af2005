"""What captured events mean: given what is known, when these events come, then these facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.epcis.mapping import MAPPED_STEPS, subjects_to_look_up
from services.epcis.reading import read_capture
from services.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS
from tests.about import about
from tests.services.epcis.events import IMPORTER, IMPORTER_ID, document, epcis, given, to

R7 = "R-7"


@pytest.mark.parametrize(
    ("event", "name", "data"),
    [
        (epcis("shipping", **to(IMPORTER_ID)), "item.handed_over", {"to": IMPORTER}),
        (epcis("shipping", **to("urn:repairchain:repairer:north")), "item.handed_over", {"to": "repairer:north"}),
        (epcis("returning", **to(IMPORTER_ID)), "item.handed_over", {"to": IMPORTER}),
        (epcis("returning"), "item.returned", {}),
        (epcis("receiving"), "item.received", {}),
        (epcis("accepting"), "item.received", {}),
        (
            epcis("receiving", sourceList=[{"type": "possessing_party", "source": IMPORTER_ID}]),
            "item.received",
            {"from": IMPORTER},
        ),
        (epcis("receiving", disposition="in_progress"), "item.received", {}),
        (epcis("receiving", disposition="damaged"), "item.received", {"condition": "damaged"}),
        (
            epcis("receiving", disposition="mismatch_instance"),
            "item.received",
            {"condition": "not the serial number that was expected"},
        ),
        (
            epcis("inspecting", disposition="conformant"),
            "diagnosis.made",
            {"summary": "Inspected: as it should be", "fault_code": "conformant"},
        ),
        (
            epcis("inspecting", disposition="mismatch_class"),
            "diagnosis.made",
            {"summary": "Inspected: not the model that was expected", "fault_code": "mismatch_class"},
        ),
        (epcis("inspecting"), "diagnosis.made", {"summary": "Inspected"}),
        (epcis("repairing"), "repair.started", {}),
        (epcis("repairing", disposition="in_progress"), "repair.started", {}),
        (epcis("repairing", disposition="conformant"), "repair.completed", {}),
        (
            epcis("repairing", disposition="needs_replacement"),
            "repair.failed",
            {"why": "After the repair: needs to be replaced", "options": []},
        ),
        (epcis("replacing", action="ADD"), "unit.replaced", {"new_serial": "2017"}),
        (epcis("replacing", action="DELETE"), "unit.replaced", {"old_serial": "2017"}),
        (epcis("replacing", disposition="damaged"), "unit.replaced", {"old_serial": "2017"}),
        (epcis("holding"), "work.paused", {"waiting_for": "other", "why": "On hold"}),
        (
            epcis("holding", disposition="unavailable"),
            "work.paused",
            {"waiting_for": "other", "why": "On hold: unavailable"},
        ),
        (epcis("holding", action="DELETE"), "work.resumed", {}),
    ],
)
def test_a_step_is_a_fact(event: dict[str, Any], name: str, data: dict[str, Any]) -> None:
    given().when(event).then((name, R7, data))


@pytest.mark.parametrize(
    "step",
    ["cbv:BizStep-receiving", "https://ref.gs1.org/cbv/BizStep-receiving", "urn:epcglobal:cbv:bizstep:receiving"],
)
def test_a_word_may_be_written_in_each_way_of_the_standard(step: str) -> None:
    given().when(epcis(step)).then(("item.received", R7, {}))


def test_the_unit_that_took_the_place_of_another() -> None:
    event = epcis(
        "replacing",
        type="TransformationEvent",
        action=None,
        epcList=None,
        inputEPCList=["urn:epc:id:sgtin:0614141.107346.1"],
        outputEPCList=["https://id.gs1.org/01/09521141012345/21/2"],
    )
    given().when(event).then(("unit.replaced", R7, {"old_serial": "1", "new_serial": "2"}))


def test_who_owns_it_says_nothing_about_where_it_is() -> None:
    given().when(epcis("shipping", **to(IMPORTER_ID, "owning_party"))).then_kept("to whom")
    given().when(epcis("receiving", sourceList=[{"type": "owning_party", "source": IMPORTER_ID}])).then(
        ("item.received", R7, {})
    )


def test_a_shipping_to_somebody_unknown_is_kept_rather_than_guessed() -> None:
    given().when(epcis("shipping", **to("urn:epc:id:pgln:0614141.00777"))).then_kept("urn:epc:id:pgln:0614141.00777")
    given().when(epcis("returning", **to("urn:epc:id:pgln:0614141.00777"))).then_kept("nobody knows")
    given().when(epcis("shipping", **to("urn:repairchain:customer:her"))).then_kept("nobody knows")


def test_the_event_time_wins_over_its_offset() -> None:
    (fact,) = given().when(epcis("receiving", eventTimeZoneOffset="-06:00")).facts
    assert fact.time == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_void_shipping_takes_the_last_handover_back() -> None:
    given(R_7="h1").when(epcis("void_shipping")).then(
        ("fact.corrected", R7, {"fact_id": "h1", "reason": "did_not_occur", "replaced_by": []})
    )


def test_a_void_shipping_may_follow_its_shipping_in_one_document() -> None:
    shipped, void = epcis("shipping", **to(IMPORTER_ID)), epcis("void_shipping", eventID="urn:uuid:2")
    found = given(R_7="of before").when(shipped, void)
    assert found.facts[1].data["fact_id"] == found.facts[0].id == "urn:uuid:1"


def test_a_void_shipping_of_nothing_is_kept() -> None:
    given(R_8="h1").when(epcis("void_shipping")).then_kept("no handover of 'R-7'")
    assert subjects_to_look_up(read_capture(document(epcis("void_shipping"), epcis("shipping")))) == {R7}


def test_without_a_return_number_each_item_is_an_order_of_its_own() -> None:
    epcs = ["urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/09521141012345/21/XY%2F1"]
    event = epcis("receiving", epcList=epcs, bizTransactionList=[{"type": "po", "bizTransaction": "4711"}])
    found = given().when(event)
    found.then(("item.received", "2017", {}), ("item.received", "XY/1", {}))
    assert [fact.id for fact in found.facts] == ["urn:uuid:1", "urn:uuid:1#2"]


def test_the_children_of_a_pallet_are_what_came_in() -> None:
    event = epcis(
        "receiving",
        type="AggregationEvent",
        epcList=None,
        parentID="urn:epc:id:sscc:0614141.1234567890",
        childEPCs=["urn:epc:id:sgtin:0614141.107346.5"],
        bizTransactionList=None,
    )
    given().when(event).then(("item.received", "5", {}))


@pytest.mark.parametrize(
    ("transaction", "order"),
    [
        ("urn:epcglobal:cbv:bt:0614141073467:R%2F7", "R/7"),
        ("https://shop.example.com/rma/R-7", R7),
        ("R-7", R7),
        ("urn:epc:id:gdti:0614141.00001.1618034", "urn:epc:id:gdti:0614141.00001.1618034"),
    ],
)
def test_the_number_of_a_return(transaction: str, order: str) -> None:
    event = epcis("receiving", bizTransactionList=[{"type": "rma", "bizTransaction": transaction}])
    given().when(event).then(("item.received", order, {}))


def test_what_names_no_order_is_kept() -> None:
    classes = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200}]
    given().when(epcis("receiving", epcList=None, quantityList=classes, bizTransactionList=None)).then_kept("no order")


def test_a_hundred_items_are_taken_apart_and_more_are_not() -> None:
    epcs = [f"urn:epc:id:sgtin:0614141.107346.{number}" for number in range(101)]
    event = epcis("receiving", bizTransactionList=None, epcList=epcs[:100])
    assert len(given().when(event).facts) == 100
    given().when(event | {"epcList": epcs}).then_kept("101 items")


def test_every_other_step_is_kept() -> None:
    for step in {None, "ext1:own_step", *BIZ_STEPS} - MAPPED_STEPS:
        with about(step):
            given().when(epcis(step)).then_kept("bizStep" if step is None else step)


@pytest.mark.parametrize("step", sorted(MAPPED_STEPS))
def test_every_disposition_makes_a_fact_that_is_valid(step: str) -> None:
    for disposition in [*sorted(DISPOSITIONS), "ext1:own_word"]:
        with about(disposition):
            found = given(R_7="h1").when(epcis(step, disposition=disposition, **to(IMPORTER_ID)))
            assert len(found.facts) == 1


def declared(**more: Any) -> dict[str, Any]:
    return {"errorDeclaration": {"declarationTime": "2026-03-03T08:00:00Z", **more}}


@pytest.mark.parametrize(
    ("declaration", "reason", "replaced_by"),
    [
        (declared(reason="did_not_occur"), "did_not_occur", []),
        (declared(reason="incorrect_data", correctiveEventIDs=["urn:uuid:9"]), "incorrect_data", ["urn:uuid:9"]),
        (declared(reason="urn:epcglobal:cbv:er:incorrect_data"), "incorrect_data", []),
        (declared(reason="https://ref.gs1.org/cbv/ER-did_not_occur"), "did_not_occur", []),
        (declared(), "did_not_occur", []),
        (declared(correctiveEventIDs=["urn:uuid:9"]), "incorrect_data", ["urn:uuid:9"]),
        (declared(reason="ext1:own_reason"), "incorrect_data", []),
    ],
)
def test_an_error_declaration_is_a_correction_with_an_id_of_its_own(
    declaration: dict[str, Any], reason: str, replaced_by: list[str]
) -> None:
    found = given().when(epcis("receiving", **declaration))
    found.then(("fact.corrected", R7, {"fact_id": "urn:uuid:1", "reason": reason, "replaced_by": replaced_by}))
    (fact,) = found.facts
    assert fact.id == "urn:uuid:1#error-20260303T080000Z"
    assert fact.time == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_a_declaration_about_several_items_takes_back_each_fact() -> None:
    epcs = ["urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2"]
    event = epcis("receiving", epcList=epcs, bizTransactionList=None)
    said = given().when(event).facts
    taken_back = given().when(event | declared(reason="did_not_occur")).facts
    assert [fact.data["fact_id"] for fact in taken_back] == [fact.id for fact in said]
    assert [fact.subject for fact in taken_back] == [fact.subject for fact in said]


def test_a_handover_that_was_declared_wrong_needs_no_destination() -> None:
    event = epcis("shipping", **declared(reason="did_not_occur"))
    assert [fact.name for fact in given().when(event).facts] == ["fact.corrected"]


def test_an_event_without_an_id_is_named_after_what_it_says_in_whatever_order() -> None:
    event = epcis("receiving", eventID=None)
    jumbled = dict(reversed(event.items()))
    other = event | {"eventTime": "2026-03-02T10:00:01+01:00"}
    ids = [given().when(each).facts[0].id for each in (event, jumbled, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("epcis:sha-256:")


def test_an_id_that_is_too_long_for_a_fact_has_its_digest_for_one() -> None:
    long = "urn:uuid:" + "9" * 400
    (fact,) = given().when(epcis("receiving", eventID=long, **declared())).facts
    assert fact.data["fact_id"] == given().when(epcis("receiving", eventID=long)).facts[0].id
    assert len(fact.id) < 200
