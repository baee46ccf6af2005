"""What the partners hand in: good submissions of several kinds of orders, and bad ones of every kind. No I/O here.

The same seed gives the same plan.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from projections.calendar import DEFAULT
from projections.clock import WorkClock, add_time

SHOPS = ("retailer:harbour", "retailer:market square")
IMPORTERS = ("importer:north", "importer:south")
REPAIRERS = ("repairer:bench", "repairer:fine. movements*")
PARTIES = (*SHOPS, *IMPORTERS, *REPAIRERS)
CARDS = {party: {"display_name": party.partition(":")[2].title(), "phone": "555-0100"} for party in PARTIES}

#: Kinds of orders, in turn. `young`: opened and sent off. `late`: the same, so long ago that the receipt is overdue.
#: `ready`: repaired and back at the shop. `closed`: collected, too. `anonymous`: opened without a customer.
KINDS = ("young", "ready", "late", "closed", "young", "ready", "late", "anonymous")


@dataclass(frozen=True)
class Submission:
    """What ``party`` hands in. ``problem`` is the kind of problem with which it must be rejected, if it must be.

    ``refused``: the server itself takes it not. ``id`` is the event's id, where it has one.
    """

    party: str
    body: bytes
    id: str | None = None
    problem: str | None = None
    refused: bool = False

    @property
    def good(self) -> bool:
        return self.problem is None and not self.refused


@dataclass(frozen=True)
class Order:
    """One planned order."""

    id: str
    kind: str
    shop: str
    address: str | None


@dataclass
class Round:
    """What is handed in during one round."""

    orders: list[Order] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)


class Plan:
    """Rounds of submissions around ``now``; ``orders`` has every order of the rounds so far."""

    def __init__(self, seed: int, now: datetime) -> None:
        self._chance = random.Random(seed)
        self._now = now
        self._rounds = 0
        self.orders: list[Order] = []

    def first(self) -> list[Submission]:
        """An order that is to be in the log before all others: some bad submissions refer to it."""
        self.orders.append(self._order(0))
        return self._facts(self.orders[0], 0)

    def round(self, orders: int) -> Round:
        """The next round, with so many new orders, some repeats and some bad submissions."""
        made = Round()
        for _ in range(orders):
            number = len(self.orders)
            order = self._order(number)
            self.orders.append(order)
            made.orders.append(order)
            facts = self._facts(order, number)
            made.submissions += facts
            if self._chance.random() < 0.4:
                made.submissions.append(self._chance.choice(facts))  # handed in again
        made.submissions += self._bad(made.orders[0])
        # Within a party the order stays; between parties it is anybody's guess, as in life.
        return made

    def _order(self, number: int) -> Order:
        kind = KINDS[number % len(KINDS)]
        address = None if kind == "anonymous" else f"customer-{number}@mail.example"
        return Order(f"W {number}", kind, SHOPS[number % 2], address)

    def _facts(self, order: Order, number: int) -> list[Submission]:
        importer, repairer = IMPORTERS[number // 2 % 2], REPAIRERS[number // 3 % 2]
        begin = self._long_ago() if order.kind == "late" else self._now - timedelta(hours=2)
        facts: list[Submission] = []

        def say(party: str, name: str, data: dict[str, Any] | None = None, subject: str = order.id) -> None:
            at = begin + timedelta(minutes=len(facts))
            facts.append(submission(party, name, f"{order.id}/{len(facts)}", subject, at, data))

        opened: dict[str, Any] = {"product": {"brand": "Meridian", "model": "Diver", "serial": f"SN-{number}"}}
        if order.address is not None:
            channels = [{"kind": "email", "address": order.address}]
            opened |= {"customer": f"C-{number}", "contact": {"name": f"Customer {number}", "channels": channels}}
        say(order.shop, "order.opened", opened)
        say(order.shop, "customer.contacted", {"channel": "phone", "direction": "inbound"})
        say(order.shop, "item.handed_over", {"to": importer, "carrier": "post"})
        if order.kind not in ("ready", "closed"):
            return facts
        own = f"RMA {number}"
        say(importer, "item.received")
        say(importer, "order.referenced", {"reference": own})
        say(importer, "item.handed_over", {"to": repairer}, subject=own)
        say(repairer, "item.received")
        say(repairer, "diagnosis.made", {"summary": "the crown is broken"})
        say(repairer, "repair.completed", {"summary": "a new crown"})
        say(repairer, "item.handed_over", {"to": order.shop})
        say(order.shop, "item.received")
        if order.kind == "closed":
            say(order.shop, "item.returned")
            say(order.shop, "order.closed", {"outcome": "repaired"})
        return facts

    def _long_ago(self) -> datetime:
        """So many days ago that what was handed over then is overdue by now, and not a day more."""
        days = 1
        while add_time(
            WorkClock.of(DEFAULT), self._now - timedelta(days=days), timedelta(hours=16)
        ) > self._now - timedelta(hours=1):
            days += 1
        return self._now - timedelta(days=days)

    def _bad(self, order: Order) -> list[Submission]:
        """Two bad submissions, of kinds that take turns."""
        self._rounds += 1
        number = self._rounds
        at = self._now - timedelta(hours=1)
        shop = order.shop
        other = SHOPS[0] if shop == SHOPS[1] else SHOPS[1]

        def bad(kind: str, name: str = "order.reopened", party: str = shop, **more: Any) -> Submission:
            id = f"bad {number} {kind}"
            source, data = more.pop("source", party), more.pop("data", None)
            made = submission(party, name, id, more.pop("subject", order.id), at, data, source=source, **more)
            return Submission(party, made.body, id, kind)

        large = {"reason": "x" * 70_000}
        kinds = [
            Submission(shop, b'{"specversion": "1.0", "id": "cut o', None, "unreadable"),
            Submission(shop, b'\xff\xfe{"id": "' + str(number).encode() + b'"}', None, "unreadable"),
            Submission(shop, b"", None, "unreadable"),
            bad("too-large", data=large),
            bad("not-your-name", source=other),
            bad("not-yours-to-say", "incident.declared", REPAIRERS[0], data={"what": "all crowns"}),
            bad("unknown-type", "watch.exploded"),
            bad("unknown-version", "customer.contacted", data={"anything": [number]}, version=7),
            bad("invalid", "item.handed_over"),
            bad("unknown-order", "item.received", IMPORTERS[0], subject=f"nobody's {number}"),
            bad("order-id-taken", "order.opened", SHOPS[1], subject=self.orders[0].id, data={"product": {}}),
            Submission(shop, b"x" * 300_000, None, refused=True),
            Submission(
                shop,
                submission(
                    shop, "order.reopened", f"bad {number} time-out-of-range", order.id, self._now + timedelta(days=400)
                ).body,
                f"bad {number} time-out-of-range",
                "time-out-of-range",
            ),
        ]
        first = 2 * number
        return [kinds[first % len(kinds)], kinds[(first + 1) % len(kinds)]]


def submission(
    party: str,
    name: str,
    id: str,
    subject: str,
    at: datetime,
    data: dict[str, Any] | None = None,
    *,
    source: str | None = None,
    version: int = 1,
) -> Submission:
    """A CloudEvent as the partner would send it."""
    event = {
        "specversion": "1.0",
        "id": id,
        "source": source or party,
        "type": f"repairchain.{name}.v{version}",
        "subject": subject,
        "time": at.isoformat(),
        "data": data or {},
    }
    return Submission(party, json.dumps(event).encode(), id)
