"""Two orders that turn out to be one: one story under one id, until it is said that they are not."""

from __future__ import annotations

from typing import Any

import pytest

from events.envelope import Event
from projections.merging import Said, survivors
from tests.projections.story import (
    IMPORTER,
    NOTIFIER,
    SHOP,
    Given,
    at,
    corrected,
    fact,
    handed,
    messages_of,
    opened,
    received,
    sent,
)


def merged(order: str, into: str, time: str, **more: Any) -> Event:
    return fact("order.merged", SHOP, time, {"into": into}, order=order, **more)


def unmerged(order: str, time: str) -> Event:
    return fact("order.unmerged", SHOP, time, order=order)


OLD, NEW = "W-1", "W-2"
OPENED = opened("2026-03-02 09:00", order=OLD, customer="C-1")
TOLD = sent("2026-03-02 09:05", "2026-03-05 16:00", kind="opened", order=OLD)
LEFT = handed(SHOP, IMPORTER, "2026-03-02 10:00", order=OLD)
AGAIN = opened("2026-03-03 09:00", order=NEW, customer="C-2")
CAME = received(IMPORTER, "2026-03-03 10:00", order=NEW)
ONE = merged(OLD, NEW, "2026-03-04 09:00")
FACTS = (OPENED, TOLD, LEFT, AGAIN, CAME)


def test_one_order_has_the_facts_of_both_in_the_order_in_which_they_happened(given: Given) -> None:
    story = given(*FACTS, ONE).at("2026-03-04 10:00")
    for name in (OLD, NEW, f"SN-{OLD}", f"SN-{NEW}"):
        told = story.ask("timeline", order=name)
        assert (told["order"]["order_id"], told["order"]["merged"]) == (NEW, [OLD])
        assert [(entry["type"], entry["said_of"]) for entry in told["entries"]] == [
            ("order.opened", OLD),
            ("message.sent", OLD),
            ("item.handed_over", OLD),
            ("order.opened", None),
            ("item.received", None),
            ("order.merged", OLD),
        ]
    assert [row["order_id"] for row in story.ask("orders")["orders"]] == [NEW]
    # Her number is that of the order that goes on; the other one finds it.
    story.then_order(NEW, customer="C-2", holder=IMPORTER, facts=6, messages_sent=1, handoffs=1)
    story.then_rows("handoffs", {"state": "received", "to_party": IMPORTER}, order=OLD)
    assert story.ask("find", order="C-1") == {"orders": [NEW]}


def test_what_is_owed_is_owed_once_and_keeps_its_name(given: Given) -> None:
    story = given(*FACTS, ONE).at("2026-03-04 10:00")
    story.then_rows("commitments", {"state": "met"}, {"state": "open"}, order=NEW, kind="update")
    (receive,) = [row for row in story.ask("commitments", order=OLD)["commitments"] if row["kind"] == "receive"]
    assert receive["commitment_id"] == f"receive/{OLD}/{SHOP}/{LEFT.id}"
    assert (receive["order"], receive["state"]) == (NEW, "met")
    histories = story.ask("histories", orders=[OLD, NEW], letters_since="2026-03-01T00:00:00Z")["histories"]
    assert {asked: history["order"]["order_id"] for asked, history in histories.items()} == {OLD: NEW, NEW: NEW}
    assert histories[OLD]["commitments"] == histories[NEW]["commitments"]
    assert receive["commitment_id"] in {row["commitment_id"] for row in histories[NEW]["commitments"]}


def test_what_was_said_of_an_overdue_commitment_holds_afterwards(given: Given) -> None:
    late = f"receive/{OLD}/{SHOP}/{LEFT.id}"
    without_receipt = (OPENED, LEFT, AGAIN)
    before = given(*without_receipt).at("2026-03-06 08:00")
    (row,) = [row for row in before.ask("sweep")["sweep"] if row["commitment_id"] == late]
    said = {"commitment": late, "kind": "receive", "level": row["reached"], "owed_by": IMPORTER, "due": row["due_at"]}
    overdue = fact("commitment.overdue", "chain:watchdog", "2026-03-06 08:00", said, order=OLD)
    after = given(*without_receipt, overdue, merged(OLD, NEW, "2026-03-06 08:30")).at("2026-03-06 09:00")
    assert late not in {row["commitment_id"] for row in after.ask("sweep")["sweep"]}
    # The next level is said of the order that goes on, by the same name.
    later = after.at("2026-03-20 10:00").ask("sweep")["sweep"]
    assert [row["order"] for row in later if row["commitment_id"] == late] == [NEW]


@pytest.mark.parametrize("undo", [unmerged(OLD, "2026-03-05 09:00"), corrected(ONE, "2026-03-05 09:00")])
def test_it_can_be_taken_back_as_if_it_had_never_been(given: Given, undo: Event) -> None:
    after = received(IMPORTER, "2026-03-04 12:00", order=OLD)
    story = given(*FACTS, ONE)
    story.database.apply(messages_of([after], first=7))
    story.then_order(NEW, facts=7)
    story.database.apply(messages_of([undo], first=8))
    story.then_order(NEW, facts=2, customer="C-2", merged=[])
    story.then_order(OLD, customer="C-1", messages_sent=1, holder=IMPORTER, merged=[])
    types = [entry["type"] for entry in story.ask("timeline", order=OLD, raw=True)["entries"]]
    assert types[-3:] == ["order.merged", "item.received", undo.name]


def test_as_it_was_and_as_we_knew_it(given: Given) -> None:
    late = merged(OLD, NEW, "2026-03-04 09:00", recorded="2026-03-06 09:00")
    story = given(*FACTS, late, unmerged(OLD, "2026-03-10 09:00"))

    def whole(order: str, **moment: str) -> tuple[str, int]:
        row = story.order(order, **moment)
        return row["order_id"], row["facts"]

    assert whole(OLD) == (OLD, 5)
    assert whole(OLD, as_of="2026-03-05 09:00") == (NEW, 6)
    assert whole(f"SN-{OLD}", as_of="2026-03-05 09:00") == (NEW, 6)
    assert whole(OLD, known_at="2026-03-05 09:00") == (OLD, 3)
    assert whole(OLD, known_at="2026-03-07 09:00") == (NEW, 6)
    listed = story.ask("orders", as_of="2026-03-05 09:00")["orders"]
    assert [row["order_id"] for row in listed] == [NEW]
    assert len(story.ask("timeline", order=OLD, as_of="2026-03-05 09:00")["entries"]) == 6


def test_of_three_that_are_one_the_last_goes_on_whatever_came_first(given: Given) -> None:
    third = opened("2026-03-03 11:00", order="W-3")
    story = given(*FACTS, third, merged(NEW, "W-3", "2026-03-04 10:00"), ONE)
    story.then_order(OLD, order_id="W-3", merged=[OLD, NEW], facts=8)
    story.database.apply(messages_of([unmerged(NEW, "2026-03-05 09:00")], first=9))
    story.then_order(OLD, order_id=NEW, merged=[OLD])
    story.then_order("W-3", order_id="W-3", merged=[], facts=1)


def test_a_ring_is_not_closed_and_parties_are_no_orders() -> None:
    def said(order: str, into: str, day: int) -> Said:
        moment = at(f"2026-03-0{day} 10:00")
        return Said(day, order, SHOP, f"{order}{into}", "order.merged", moment, moment, into)

    ring = [said("a", "b", 1), said("b", "c", 2), said("c", "a", 3), said("d", "d", 4), said(SHOP, "a", 5)]
    assert survivors(ring) == survivors(reversed(ring)) == {"a": "c", "b": "c", "c": "c"}


def test_a_message_of_the_other_order_is_found_under_the_one_that_goes_on(given: Given) -> None:
    planned = {"message": "m1", "kind": "opened", "trigger_source": SHOP, "trigger_id": OPENED.id}
    words = {"language": "en", "channel": "email", "subject": "s", "body": "b"}
    plan = fact("message.planned", NOTIFIER, "2026-03-02 09:05", planned | words, order=OLD)
    story = given(OPENED, plan, AGAIN, ONE)
    assert [row["order"] for row in story.ask("pending")["pending"]] == [NEW]
    assert story.ask("message", message="m1")["orders"][0]["order_id"] == NEW
