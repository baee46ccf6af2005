"""The order itself: taken in, given another number, closed, opened again, found to be one with another."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from events.envelope import Identifier
from events.facet import Fact, Product, Prose, Text
from events.party import Party

Urgency = Literal["routine", "urgent", "safety"]
Outcome = Literal["repaired", "replaced", "refunded", "unrepairable", "declined", "cancelled"]


class Item(Product):
    """One of several things in an order; ``item`` is its name within the order ("lamp 3")."""

    item: Text


class OrderOpened(Fact):
    """A customer's product was taken in. ``accountable`` answers to the customer; without it, whoever opened.

    ``at_home``: it stays where she has it, and somebody comes to mend it there.
    """

    NAME: ClassVar[str] = "order.opened"

    customer: Identifier | None = None
    product: Product
    items: tuple[Item, ...] = Field(default=(), max_length=200)
    fault_code: Text | None = None
    fault_text: Prose | None = None
    accountable: Party | None = None
    urgency: Urgency = "routine"
    at_home: bool = False


class OrderReferenced(Fact):
    """A party's own number for this order; from here on the party may use it in place of the order's id."""

    NAME: ClassVar[str] = "order.referenced"

    reference: Identifier
    kind: Text | None = None


class OrderClosed(Fact):
    """The order is done, and this is how it ended."""

    NAME: ClassVar[str] = "order.closed"

    outcome: Outcome
    note: Prose | None = None


class OrderReopened(Fact):
    """A closed order is at work again."""

    NAME: ClassVar[str] = "order.reopened"

    reason: Prose | None = None


class OrderMerged(Fact):
    """This order and the one named by ``into`` are one repair, which goes on under that id; this id leads to it."""

    NAME: ClassVar[str] = "order.merged"

    into: Identifier
    reason: Prose | None = None


class OrderUnmerged(Fact):
    """This order is one of its own after all: what ``order.merged`` said of it holds no longer."""

    NAME: ClassVar[str] = "order.unmerged"

    reason: Prose | None = None


FACTS: tuple[type[Fact], ...] = (OrderOpened, OrderReferenced, OrderClosed, OrderReopened, OrderMerged, OrderUnmerged)
