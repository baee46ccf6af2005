"""Lists of orders: in which order they stand, how their products are called, and whose move each is."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event
from tests.projections.story import BENCH, SHOP, Given, Story, at, fact, handed, opened, received


def given_to(order: str, time: str) -> list[Event]:
    """Taken in, and sent to the bench an hour after."""
    return [opened(f"{time} 09:00", order=order), handed(SHOP, BENCH, f"{time} 10:00", order=order)]


def promised_for(until: str, order: str, time: str) -> list[Event]:
    """At work at the bench, which named a date."""
    expected = {"expected_by": at(until).isoformat()}
    return [
        *given_to(order, time),
        received(BENCH, f"{time} 11:00", order=order),
        fact("repair.started", BENCH, f"{time} 12:00", expected, order=order),
    ]


def closed(order: str, time: str, *, recorded: str | None = None) -> Event:
    return fact("order.closed", SHOP, time, {"outcome": "repaired"}, order=order, recorded=recorded)


def listed(story: Story, **args: Any) -> list[str]:
    return [row["order_id"] for row in story.ask("orders", **args)["orders"]]


def test_what_moved_last_stands_on_top_and_an_import_where_it_belongs(given: Given) -> None:
    old = fact("order.opened", SHOP, "2025-03-02 09:00", {"product": {}}, order="OLD", recorded="2026-03-20 09:00")
    gone = opened("2025-04-02 09:00", order="GONE")
    story = given(
        *given_to("W-1", "2026-03-02"),
        *given_to("W-2", "2026-03-04"),
        fact("diagnosis.made", BENCH, "2026-03-09 09:00", {"summary": "worn"}, order="W-1"),
        gone,
        closed("GONE", "2026-03-19 09:00"),
        old,
    ).at("2026-03-20 10:00")
    assert listed(story) == listed(story, sort="moved") == ["W-1", "W-2", "OLD", "GONE"]
    assert listed(story, sort="waiting") == ["OLD", "W-2", "W-1", "GONE"]
    assert listed(story, limit=2, offset=1) == ["W-2", "OLD"]


def test_by_due_time_what_is_late_stands_on_top(given: Given) -> None:
    story = given(
        *given_to("LATE", "2026-02-20"),
        *given_to("SOON", "2026-03-02"),
        *given_to("ASKED", "2026-03-02"),
        fact("item.received", BENCH, "2026-03-02 12:00", order="ASKED"),
        fact("work.paused", BENCH, "2026-03-03 09:00", {"waiting_for": "customer"}, order="ASKED"),
        # News of both is due long before these dates, and of the one that was taken in first before that of the other.
        *promised_for("2026-04-01 10:00", "PROMISED", "2026-03-01"),
        *promised_for("2026-03-20 10:00", "SOONER", "2026-03-02"),
        *given_to("CLOSED", "2026-02-01"),
        closed("CLOSED", "2026-02-01 12:00"),
    ).at("2026-03-03 10:00")
    rows = story.ask("orders", sort="due")["orders"]
    assert [row["order_id"] for row in rows] == ["LATE", "SOON", "ASKED", "SOONER", "PROMISED", "CLOSED"]
    dates = [row["next_due"] for row in rows[:5]]
    assert None not in dates
    assert dates == sorted(dates)


@pytest.mark.parametrize(
    ("product", "description"),
    [
        ({"description": "brass desk lamp"}, "brass desk lamp"),
        ({"description": "brass desk lamp", "brand": "Lumo"}, None),
        ({"description": ""}, None),
        ({}, None),
    ],
)
def test_a_product_without_a_name_is_called_as_it_was_described(
    given: Given, product: dict[str, str], description: str | None
) -> None:
    story = given(fact("order.opened", SHOP, "2026-03-02 09:00", {"product": product}))
    (row,) = story.ask("orders")["orders"]
    assert row["description"] == story.order()["description"] == description


def test_what_was_described_last_counts_and_what_was_taken_back_does_not(given: Given) -> None:
    def described(time: str, id: str, words: str) -> Event:
        return fact("order.opened", SHOP, time, {"product": {"description": words}}, id=id)

    story = given(
        described("2026-03-02 09:00", "a", "a lamp"),
        described("2026-03-02 10:00", "b", "a desk lamp"),
        described("2026-03-02 11:00", "c", "a bicycle"),
        fact("fact.corrected", SHOP, "2026-03-02 12:00", {"fact_id": "c", "reason": "did_not_occur"}),
    )
    assert story.ask("orders")["orders"][0]["description"] == "a desk lamp"
    assert story.ask("orders", as_of="2026-03-02 09:30")["orders"][0]["description"] == "a lamp"


def test_each_order_of_a_page_has_its_own_ball(given: Given) -> None:
    story = given(*given_to("W-1", "2026-03-02"), *given_to("W-2", "2026-03-03"), *given_to("W-3", "2026-03-04"))
    every = {row["order"]: row for row in story.at("2026-03-05 10:00").ask("ball")["ball"]}
    page = story.at("2026-03-05 10:00").ask("orders", limit=2)["orders"]
    assert [row["ball"] for row in page] == [every["W-3"], every["W-2"]]
