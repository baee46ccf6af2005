"""What customers were told, and what an order may be called."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from events.envelope import Event
from projections.database import Database
from projections.queries import QueryError
from tests.projections.story import (
    BENCH,
    NOTIFIER,
    SHOP,
    Given,
    fact,
    messages_of,
    model_rows,
    opened,
    rows_of_a_rebuild,
    sent,
)

TEXT = {"channel": "email", "language": "nl", "subject": "Uw horloge", "body": "Het ligt bij de hersteller."}


def planned(message: str, time: str, **more: Any) -> Event:
    data = {"message": message, "kind": "received", "trigger_source": SHOP, "trigger_id": "opened", **TEXT}
    return fact("message.planned", NOTIFIER, time, data | {"next_news_by": "2026-03-09T16:00:00Z"}, **more)


def ended(name: str, message: str, time: str, reason: str) -> Event:
    return fact(name, NOTIFIER, time, {"message": message, "kind": "received", "reason": reason})


def test_a_message_is_planned_and_then_sent_failed_or_suppressed(given: Given) -> None:
    told = {"message": "m1", "kind": "received", **TEXT, "next_news_by": "2026-03-09T16:00:00Z"}
    story = given(
        opened(),
        planned("m1", "2026-03-02 09:01"),
        fact("message.sent", NOTIFIER, "2026-03-02 09:02", told),
        planned("m2", "2026-03-02 10:01"),
        ended("message.failed", "m2", "2026-03-02 10:02", "mailbox full"),
        planned("m3", "2026-03-02 11:01"),
        ended("message.suppressed", "m3", "2026-03-02 11:02", "already repaired"),
        planned("m4", "2026-03-02 12:01"),
    )
    rows = story.rows("messages")
    assert [(row["message_id"], row["status"], row["reason"]) for row in rows] == [
        ("m1", "sent", None),
        ("m2", "failed", "mailbox full"),
        ("m3", "suppressed", "already repaired"),
        ("m4", "planned", None),
    ]
    assert rows[0] == {
        "message_id": "m1",
        "order_id": "W-1",
        "kind": "received",
        "status": "sent",
        **TEXT,
        "planned_at": "2026-03-02T09:01:00Z",
        "sent_at": "2026-03-02T09:02:00Z",
        "next_news_by": "2026-03-09T16:00:00Z",
        "reason": None,
        "trigger_id": "opened",
    }
    assert story.ask("messages", order="W-1")["messages"] == rows
    assert story.ask("messages", order="W-1", limit=2)["messages"] == rows[-2:]
    assert story.ask("messages", order="W-1", limit=0)["messages"] == []
    assert [row["message_id"] for row in story.ask("messages")["messages"]] == ["m4", "m3", "m2", "m1"]
    assert [row["message_id"] for row in story.ask("messages", limit=1)["messages"]] == ["m4"]
    assert story.ask("stats")["messages"] == 1
    story.then_order(next_news_by="2026-03-09T16:00:00Z", last_told_kind="received", messages_sent=1)


def test_a_batch_writes_only_what_it_speaks_of_and_what_that_order_was_told(database: Database) -> None:
    facts = [
        opened(),
        planned("m1", "2026-03-02 09:01"),
        opened(order="W-2"),
        planned("m1", "2026-03-02 09:01", order="W-2"),
    ]
    database.apply(messages_of(facts))
    before = places(database)
    more = [planned("m2", "2026-03-02 10:01"), sent("2026-03-02 11:00", message="m1", order="W-2")]
    database.apply(messages_of(more, first=5))
    assert places(database).keys() - before.keys() == {("W-1", "m2", "planned"), ("W-2", "m1", "sent")}
    assert places(database)["W-1", "m1", "planned"] == before["W-1", "m1", "planned"]
    last = [sent("2026-03-02 12:00", message="m2"), fact("message.attempted", NOTIFIER, "2026-03-02 12:00", {})]
    database.apply(messages_of(last, first=7))
    database.apply(messages_of([fact("message.attempted", NOTIFIER, "2026-03-02 12:05", {})], first=9))
    every = [*facts, *more, *last, fact("message.attempted", NOTIFIER, "2026-03-02 12:05", {})]
    assert model_rows(database) == rows_of_a_rebuild(every)


def places(database: Database) -> dict[tuple[Any, ...], int]:
    """Where in its table each message lies: what is written anew lies elsewhere."""
    with closing(database.cursor()) as cursor:
        rows = cursor.execute(
            "SELECT s.order_id, m.message_id, m.status, m.rowid FROM messages m JOIN subjects s USING (first_position)"
        ).fetchall()
    return {tuple(row): place for *row, place in rows}


def test_of_several_kinds_that_are_named_the_first_in_its_story_counts(given: Given) -> None:
    outcome = fact("message.failed", NOTIFIER, "2026-03-02 09:00", {"message": "m1", "kind": "ready", "reason": "away"})
    story = given(opened(time="2026-03-02 08:00"), planned("m1", "2026-03-02 09:01"), outcome)
    assert [row["kind"] for row in story.rows("messages")] == ["ready"]
    story.database.rebuild()
    assert [row["kind"] for row in story.rows("messages")] == ["ready"]


def test_a_message_that_was_sent_after_a_failure_is_sent(given: Given) -> None:
    given(
        opened(),
        ended("message.failed", "m1", "2026-03-02 10:02", "mailbox full"),
        sent("2026-03-02 11:00", message="m1"),
    ).then_rows("messages", {"status": "sent", "planned_at": None})


def test_an_order_is_found_by_id_reference_serial_or_customer(given: Given) -> None:
    def reference(number: str, source: str, order: str) -> Event:
        return fact("order.referenced", source, "2026-03-02 09:10", {"reference": number}, order=order)

    story = given(
        opened(),
        opened(order="W-2", items=[{"item": "lamp 1", "serial": "L-1"}, {"item": "lamp 2", "serial": "L-2"}]),
        opened(order="W-3", customer="W-2"),
        reference("4711", SHOP, "W-1"),
        reference("4711", BENCH, "W-2"),
        reference("R-9", BENCH, "W-1"),
        fact("unit.replaced", BENCH, "2026-03-03 09:00", {"old_serial": "SN-W-1", "new_serial": "NEW-1"}),
        fact("product.registered", SHOP, "2026-03-03 09:00", {"serial": "REG-3"}, order="W-3"),
    )

    def find(name: str) -> list[str]:
        orders: list[str] = story.ask("find", order=name)["orders"]
        return orders

    assert find("W-1") == ["W-1"]
    assert find(" R-9 ") == ["W-1"]
    assert (find("SN-W-1"), find("NEW-1"), find("REG-3")) == (["W-1"], ["W-1"], ["W-3"])
    assert (find("L-1"), find("L-2")) == (["W-2"], ["W-2"])
    assert find("4711") == ["W-2", "W-1"]
    assert find("C-1") == ["W-2", "W-1"]
    # An id goes before a customer of the same name.
    assert find("W-2") == ["W-2"]
    assert find("nothing") == []

    assert story.order("R-9")["references"] == [
        {"party": BENCH, "reference": "R-9"},
        {"party": SHOP, "reference": "4711"},
    ]
    with pytest.raises(QueryError, match="'4711' means 2 orders: W-2, W-1; say which"):
        story.order("4711")
    with pytest.raises(QueryError, match="no order, reference or serial number 'nothing' is known"):
        story.order("nothing")


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("stats", {"colour": "red"}, "'stats' knows no argument 'colour'"),
        ("weather", {}, "there is no question 'weather'"),
        ("status", {}, "'order' is missing"),
        ("status", {"order": " "}, "'order' must be text"),
        ("orders", {"open": "yes"}, "'open' must be true or false"),
        ("orders", {"limit": -1}, "'limit' must be a whole number from 0"),
        ("orders", {"limit": True}, "'limit' must be a whole number from 0"),
        ("stalled", {}, "'now' is missing"),
        ("stalled", {"now": "soon"}, "'now' must be a moment"),
        ("stats", {"as_of": "2026-03-02 10:00"}, "'stats' cannot be asked about another moment"),
    ],
)
def test_a_wrong_question_is_answered_in_a_sentence(empty: Given, name: str, args: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError, match=says):
        empty().ask(name, **args)
