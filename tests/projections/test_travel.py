"""As it was, and as we knew it."""

from __future__ import annotations

import pytest

from projections.queries import QueryError
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    Given,
    closed_party,
    corrected,
    fact,
    handed,
    opened,
    received,
    sent,
)

LEFT = handed(SHOP, IMPORTER, "2026-03-02 10:00")
CAME = received(IMPORTER, "2026-03-03 10:00")
LATE = fact("diagnosis.made", IMPORTER, "2026-03-04 10:00", {"summary": "worn"}, recorded="2026-03-08 10:00")
MISTAKE = fact("repair.completed", IMPORTER, "2026-03-05 10:00")
BACK = corrected(MISTAKE, "2026-03-06 10:00")
HOLIDAY = closed_party(IMPORTER, "2026-03-02 23:00", "2026-03-09 23:00", time="2026-03-02 12:00")


def test_an_order_as_it_was_and_as_we_knew_it(given: Given) -> None:
    story = given(HOLIDAY, opened(), LEFT, CAME, MISTAKE, BACK, LATE, sent("2026-03-09 09:00"))

    def status(**moment: str) -> object:
        return story.order(**moment)["status"]

    assert status() == "diagnosed"
    assert status(as_of="2026-03-02 09:30") == "taken_in"
    assert status(as_of="2026-03-02 11:00") == "in_transit"
    # As it was, by the best of today's knowledge: never completed, but diagnosed on the fourth.
    assert status(as_of="2026-03-05 12:00") == "diagnosed"
    # As we knew it then: completed, and no diagnosis yet.
    assert status(known_at="2026-03-05 12:00") == "repaired"
    assert status(known_at="2026-03-07 12:00") == "received"
    assert status(as_of="2026-03-03 12:00", known_at="2026-03-07 12:00") == "received"

    entries = story.ask("timeline", order="W-1", known_at="2026-03-05 12:00")["entries"]
    assert [entry["type"] for entry in entries] == [
        "order.opened",
        "item.handed_over",
        "item.received",
        "repair.completed",
    ]
    told = story.ask("timeline", order="W-1", as_of="2026-03-08 12:00")
    assert (told["messages"], told["order"]["messages_sent"]) == ([], 0)
    with pytest.raises(QueryError, match="no order 'W-1' at that moment"):
        story.order(as_of="2026-03-01 00:00")


def test_due_times_count_the_closures_that_were_announced_by_then(given: Given) -> None:
    story = given(HOLIDAY, opened(customer=None), LEFT, handed(IMPORTER, BENCH, "2026-03-12 10:00"))

    def due(**moment: str) -> object:
        rows = story.ask("timeline", order="W-1", **moment)["commitments"]
        return next(row["due_at"] for row in rows if row["kind"] == "receive")

    assert due(known_at="2026-03-02 11:00") == "2026-03-04T10:00:00Z"
    assert due() == due(known_at="2026-03-02 13:00") == "2026-03-11T10:00:00Z"


def test_lists_as_they_were(given: Given) -> None:
    story = given(opened(), opened("2026-03-05 09:00", order="W-2"), LEFT, CAME)
    then = "2026-03-02 12:00"
    assert story.ask("orders", as_of=then)["total"] == 1
    assert story.ask("handoffs", as_of=then)["totals"]["waiting"] == 1
    assert story.ask("handoffs")["totals"]["waiting"] == 0
    assert story.at("2026-03-20 12:00").ask("stalled", as_of=then)["stalled"] == []
    stalled = story.ask("stalled", as_of=then, now="2026-03-20T12:00:00Z")["stalled"]
    assert [(row["kind"], row["owner"]) for row in stalled] == [("receive", IMPORTER), ("update", SHOP)]
    assert story.ask("orders")["total"] == 2
