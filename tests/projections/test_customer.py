"""Whose orders are hers, and which order a message was about."""

from __future__ import annotations

import pytest

from events.envelope import Event
from projections.queries import QueryError
from tests.projections.story import NOTIFIER, SHOP, Given, fact, opened

OTHER_SHOP = "retailer:bolt"


def taken_in(order: str, customer: str, source: str = SHOP) -> Event:
    data = {"product": {"model": "Meridian"}, "customer": customer}
    return fact("order.opened", source, "2026-03-02 09:00", data, order=order)


def test_her_orders_are_those_of_the_party_that_gave_her_the_number(given: Given) -> None:
    story = given(
        taken_in("W-1", "C-7"),
        taken_in("W-2", "C-7"),
        taken_in("X-1", "C-7", OTHER_SHOP),
        taken_in("W-3", "C-8"),
        taken_in("C-7", "C-9"),  # an order that is called as she is
    )
    hers = story.ask("customer", opener=SHOP, customer="C-7")["orders"]
    assert [(row["order_id"], row["open"]) for row in hers] == [("W-2", True), ("W-1", True)]
    assert [row["order_id"] for row in story.ask("customer", opener=OTHER_SHOP, customer="C-7")["orders"]] == ["X-1"]
    assert story.ask("customer", opener=SHOP, customer="C-10")["orders"] == []

    several = [(SHOP, "C-10"), (OTHER_SHOP, "C-7"), (SHOP, "C-7"), (SHOP, "C-7")]
    openers, customers = zip(*several, strict=True)
    found = story.ask("customers", openers=list(openers), customers=list(customers))["orders"]
    assert found[2:] == [hers, hers]
    assert [[row["order_id"] for row in orders] for orders in found[:2]] == [[], ["X-1"]]
    with pytest.raises(QueryError, match="as many"):
        story.ask("customers", openers=[SHOP], customers=[])


def test_a_message_leads_to_its_order(given: Given) -> None:
    planned = {"message": "msg-1", "kind": "opened", "trigger_source": SHOP, "trigger_id": "opened"}
    text = {"channel": "email", "language": "en", "subject": "Your watch", "body": "It is here."}
    story = given(opened(), fact("message.planned", NOTIFIER, "2026-03-02 09:01", planned | text))
    assert [row["order_id"] for row in story.ask("message", message="msg-1")["orders"]] == ["W-1"]
    assert story.ask("message", message="msg-2")["orders"] == []
