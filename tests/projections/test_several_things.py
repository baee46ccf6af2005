"""What is owed of several things in an order: each goes its own way, and what one of them lacks is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event
from tests.projections.story import BENCH, IMPORTER, SHOP, Given, Story, fact, opened

LAMPS = opened("2026-03-02 09:00", items=[{"item": "lamp 1", "serial": "E-1"}, {"item": "lamp 2", "serial": "E-2"}])


def said(name: str, source: str, time: str, item: str | None = None, **data: Any) -> Event:
    """By day of March 2026 and hour, of one lamp or of none in particular."""
    if name == "item.handed_over":
        data = {"to": BENCH, **data}
    whole = data | ({"item": item} if item else {})
    return fact(name, source, f"2026-03-{time}", whole, id=f"{name} {time} {item}")


def owed(story: Story, *kinds: str) -> list[tuple[str, str | None, str, str]]:
    """What was owed of the work: its kind, of which lamp, by whom, and what became of it."""
    wanted = kinds or ("forward", "diagnose", "decide", "part", "repair", "return")
    rows = [row for row in story.rows("commitments") if row["kind"] in wanted]
    return [(row["kind"], row["topic"] or None, row["owner"].partition(":")[2], row["state"]) for row in rows]


#: Both lamps are at the bench, sent in one parcel.
BOTH = (LAMPS, said("item.handed_over", SHOP, "03 09:00"), said("item.received", BENCH, "04 09:00"))


def test_what_stays_behind_is_to_be_sent_on_still(given: Given) -> None:
    story = given(LAMPS, said("item.handed_over", SHOP, "03 09:00", "lamp 1"))
    assert owed(story) == [("forward", "lamp 2", "shop", "open")]
    both = given(
        LAMPS,
        said("item.handed_over", SHOP, "03 09:00", "lamp 1"),
        said("item.handed_over", SHOP, "04 09:00", "lamp 2", to=IMPORTER),
    )
    # Kept when the last of them went.
    both.then_rows("commitments", {"state": "met", "ended_at": "2026-03-04T09:00:00Z"}, kind="forward")


def test_each_is_to_be_examined_where_it_is(given: Given) -> None:
    story = given(
        LAMPS,
        said("item.handed_over", SHOP, "03 09:00", "lamp 1"),
        said("item.handed_over", SHOP, "03 10:00", "lamp 2", to=IMPORTER),
        said("item.received", BENCH, "04 09:00", "lamp 1"),
        said("item.received", IMPORTER, "04 10:00", "lamp 2"),
        said("diagnosis.made", BENCH, "05 09:00", summary="driver"),
    )
    # Who says nothing of which lamp speaks of the one that it has.
    assert owed(story) == [
        ("forward", None, "shop", "met"),
        ("diagnose", "lamp 1", "bench", "met"),
        ("forward", "lamp 2", "north", "open"),
        ("repair", "lamp 1", "bench", "open"),
    ]


def test_of_two_one_is_diagnosed_and_one_is_not(given: Given) -> None:
    story = given(*BOTH, said("diagnosis.made", BENCH, "05 09:00", "lamp 1", summary="driver"))
    assert owed(story, "diagnose", "repair") == [
        ("diagnose", "lamp 2", "bench", "open"),
        ("repair", "lamp 1", "bench", "open"),
    ]


def test_of_two_one_is_repaired_and_sent_on_and_the_other_is_still_to_be_mended(given: Given) -> None:
    done = (
        *BOTH,
        said("diagnosis.made", BENCH, "05 09:00", summary="drivers"),
        said("repair.completed", BENCH, "06 09:00", "lamp 1"),
    )
    assert owed(given(*done), "repair", "forward")[1:] == [
        ("repair", "lamp 2", "bench", "open"),
        ("forward", "lamp 1", "bench", "open"),
    ]
    sent_on = (*done, said("item.handed_over", BENCH, "09 09:00", "lamp 1", to=SHOP))
    home = (*sent_on, said("item.received", SHOP, "10 09:00", "lamp 1"))
    assert owed(given(*home), "repair", "forward", "return")[1:] == [
        ("repair", "lamp 2", "bench", "open"),
        ("forward", "lamp 1", "bench", "met"),
        ("return", "lamp 1", "shop", "open"),
    ]
    # It is late by itself, whatever became of the other.
    (late,) = [row for row in given(*home).at("2026-03-20 12:00").ask("stalled")["stalled"] if row["kind"] == "repair"]
    assert (late["topic"], late["owner"], late["state"]) == ("lamp 2", BENCH, "overdue")
    mended = (*home, said("repair.completed", BENCH, "11 09:00", "lamp 2"))
    assert owed(given(*mended), "repair", "forward", "return")[1:] == [
        ("repair", None, "bench", "met"),
        ("forward", "lamp 1", "bench", "met"),
        ("return", "lamp 1", "shop", "open"),
        ("forward", "lamp 2", "bench", "open"),
    ]


def test_of_two_one_is_returned_and_one_is_away(given: Given) -> None:
    story = given(
        *BOTH,
        said("repair.completed", BENCH, "05 09:00"),
        said("item.handed_over", BENCH, "06 09:00", "lamp 1", to=SHOP),
        said("item.received", SHOP, "09 09:00", "lamp 1"),
        said("item.returned", SHOP, "09 15:00", "lamp 1"),
    )
    assert owed(story, "forward", "return")[1:] == [
        ("forward", "lamp 2", "bench", "open"),
        ("return", "lamp 1", "shop", "met"),
    ]
    assert story.at("2026-03-09 16:00").ask("status", order="W-1")["ball"]["topic"] == "lamp 2"


def test_what_names_none_speaks_for_all_that_the_speaker_has(given: Given) -> None:
    told = (said("repair.completed", BENCH, "05 09:00"), said("item.handed_over", BENCH, "06 09:00", to=SHOP))
    assert owed(given(*BOTH, *told)) == [
        ("forward", None, "shop", "met"),
        ("diagnose", None, "bench", "met"),
        ("forward", None, "bench", "met"),
    ]
    # As if the order were one thing, also where some fact has named one.
    once = said("repair.started", BENCH, "04 12:00", "lamp 1")
    rows = owed(given(*BOTH, once, *told))
    assert [row for row in rows if row[3] == "open"] == []
    assert ("diagnose", None, "bench", "met") in rows


def test_what_is_said_of_the_work_is_of_what_is_still_to_be_mended(given: Given) -> None:
    story = given(
        *BOTH,
        said("diagnosis.made", BENCH, "05 09:00", summary="drivers"),
        said("repair.completed", BENCH, "06 09:00", "lamp 1"),
        said("part.ordered", BENCH, "06 10:00", part="driver"),
    )
    assert owed(story, "forward", "part", "repair")[1:] == [
        ("repair", None, "bench", "cancelled"),
        ("forward", "lamp 1", "bench", "open"),
        ("part", "driver", "bench", "open"),
    ]


def test_a_part_for_one_is_awaited_after_the_other_was_mended(given: Given) -> None:
    story = given(
        *BOTH,
        said("part.ordered", BENCH, "05 09:00", "lamp 1", part="driver"),
        said("part.ordered", BENCH, "05 10:00", "lamp 2", part="driver"),
        said("part.arrived", BENCH, "09 09:00", "lamp 1", part="driver"),
        said("repair.completed", BENCH, "09 15:00", "lamp 1"),
    )
    assert owed(story, "part", "repair", "forward")[1:] == [
        ("part", "driver", "bench", "met"),
        ("part", "driver", "bench", "open"),
        ("repair", "lamp 1", "bench", "met"),
        ("forward", "lamp 1", "bench", "open"),
    ]


def test_a_price_for_what_one_party_has_waits_for_her_and_holds_up_nothing_else(given: Given) -> None:
    asked = (
        LAMPS,
        said("item.handed_over", SHOP, "03 09:00", "lamp 1"),
        said("item.handed_over", SHOP, "03 10:00", "lamp 2", to=IMPORTER),
        said("item.received", BENCH, "04 09:00", "lamp 1"),
        said("quote.offered", BENCH, "05 09:00", quote="Q-1", amount="9.00", currency="EUR"),
    )
    assert owed(given(*asked), "decide", "repair", "forward") == [
        ("forward", None, "shop", "met"),
        ("decide", "lamp 1", "C-1", "open"),
        ("repair", "lamp 1", "bench", "paused"),
    ]
    came = (*asked, said("item.received", IMPORTER, "05 10:00", "lamp 2"))
    assert owed(given(*came), "forward")[1:] == [("forward", "lamp 2", "north", "open")]
    accepted = (*came, said("quote.accepted", SHOP, "06 09:00", quote="Q-1"))
    assert owed(given(*accepted))[-3:] == [
        ("decide", "lamp 1", "C-1", "met"),
        ("repair", "lamp 1", "bench", "open"),
        ("forward", "lamp 2", "north", "open"),
    ]


def test_a_date_for_one_is_not_a_date_for_the_other(given: Given) -> None:
    begun = (
        *BOTH,
        said("diagnosis.made", BENCH, "05 09:00", summary="drivers"),
        said("repair.started", BENCH, "05 10:00", "lamp 1", expected_by="2026-03-10T16:00:00Z"),
    )
    rows = [row for row in given(*begun).rows("commitments") if row["kind"] == "repair"]
    assert [(row["topic"], row["promised_at"], row["state"]) for row in rows] == [
        ("lamp 2", None, "open"),
        ("lamp 1", "2026-03-10T16:00:00Z", "open"),
    ]
    moved = said("repair.started", BENCH, "06 10:00", "lamp 1", expected_by="2026-03-12T16:00:00Z")
    rows = [row for row in given(*begun, moved).rows("commitments") if row["kind"] == "repair"]
    assert [(row["topic"], row["first_promised_at"], row["promised_at"]) for row in rows] == [
        ("lamp 2", None, None),
        ("lamp 1", "2026-03-10T16:00:00Z", "2026-03-12T16:00:00Z"),
    ]
    # A date for all of them moves what is owed of all of them.
    both = (*BOTH, said("repair.started", BENCH, "05 10:00", expected_by="2026-03-10T16:00:00Z"))
    later = said("repair.started", BENCH, "06 10:00", expected_by="2026-03-12T16:00:00Z")
    one = said("repair.completed", BENCH, "09 10:00", "lamp 1")
    given(*both, later, one).then_rows(
        "commitments", {"topic": "lamp 2", "promised_at": "2026-03-12T16:00:00Z", "promises": 2}, kind="repair"
    )


def test_a_close_ends_what_is_owed_of_each_and_a_reopening_takes_up_each(given: Given) -> None:
    closed = (
        *BOTH,
        said("repair.completed", BENCH, "05 09:00", "lamp 1"),
        said("order.closed", SHOP, "06 09:00", outcome="repaired"),
    )
    assert {row[3] for row in owed(given(*closed))} == {"met", "cancelled"}
    again = (*closed, said("order.reopened", SHOP, "09 09:00"))
    assert [row for row in owed(given(*again)) if row[3] == "open"] == [("forward", None, "shop", "open")]


@pytest.mark.parametrize("name", ["lamp 1", " Lamp 1", "E-1"])
def test_a_thing_is_known_by_its_name_and_by_its_serial_number(given: Given, name: str) -> None:
    story = given(*BOTH, said("repair.completed", BENCH, "05 09:00", name))
    assert owed(story, "diagnose", "forward")[1:] == [
        ("diagnose", "lamp 2", "bench", "open"),
        ("forward", "lamp 1", "bench", "open"),
    ]


def test_what_took_the_place_of_one_is_the_same_thing_from_then_on(given: Given) -> None:
    swapped = said("unit.replaced", BENCH, "05 09:00", "lamp 1", old_serial="E-1", new_serial="E-9")
    story = given(
        *BOTH,
        swapped,
        said("item.handed_over", BENCH, "06 09:00", "E-9", to=SHOP),
        said("item.handed_over", BENCH, "06 10:00", "E-1", to=IMPORTER),  # for the chain alone
    )
    assert owed(story, "diagnose", "forward")[1:] == [
        ("diagnose", "lamp 2", "bench", "open"),
        ("forward", "lamp 1", "bench", "met"),
    ]


@pytest.mark.parametrize("items", [(), [{"item": "lamp 1"}], [{"item": "lamp 1"}, {"item": "lamp 1"}]])
def test_one_thing_is_an_order_as_any_other_whatever_it_is_called(given: Given, items: Any) -> None:
    one = opened("2026-03-02 09:00", items=items) if items else opened("2026-03-02 09:00")
    story = given(
        one,
        said("item.handed_over", SHOP, "03 09:00", "lamp 1"),
        said("item.received", BENCH, "04 09:00", "E-1"),
        said("repair.completed", BENCH, "05 09:00"),
    )
    assert owed(story) == [
        ("forward", None, "shop", "met"),
        ("diagnose", None, "bench", "met"),
        ("forward", None, "bench", "open"),
    ]


def test_a_name_that_is_not_in_the_list_tells_nothing_apart(given: Given) -> None:
    story = given(*BOTH, said("repair.completed", BENCH, "05 09:00", "the one from the hall"))
    assert owed(story)[1:] == [("diagnose", None, "bench", "met"), ("forward", None, "bench", "open")]
