"""What comes next on an order, said once: where something is owed, whose move it is (ball.sql) says it.

What the status of an order lets expect holds where nothing is owed, and while the chain waits for the customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from events.party import role_of
from projections.queries.reading import Reading, Row

#: What whoever owes it is to do, of each kind of commitment, as the statuses say it (statuses.sql).
STEPS: Final = {
    "receive": "confirm receipt",
    "forward": "send it on",
    "diagnose": "diagnose",
    "decide": "approve the quote",
    "cover": "decide whether the guarantee pays",
    "part": "get the part",
    "repair": "repair",
    "return": "hand it back",
    "answer": "answer",
    "visit": "visit the customer",
    "promise": "keep the promise",
    "check": "ask whether all is well",
    "call": "reach the customer in person",
    "update": "give the customer news",
}


def with_balls(reading: Reading, orders: Sequence[Row], now: datetime | None) -> list[Row]:
    """``orders`` with whose move each is, and with the next step that this says; as they are where nobody said when."""
    among = [order["first_position"] for order in orders]
    found = reading.rows("ball", among=among, now=now, limit=len(among)) if now and among else []
    balls = {ball["order"]: ball for ball in found}
    return [with_ball(order, balls.get(order["order_id"])) for order in orders]


def with_ball(order: Row, ball: Row | None) -> Row:
    """``order`` with ``ball``, and with the next step that this says."""
    if ball is None or ball["state"] == "paused":
        return order | {"ball": ball}
    owner = "customer" if role_of(ball["owner"]) == "customer" else ball["owner"]
    step = STEPS.get(ball["kind"], ball["kind"])
    return order | {"ball": ball, "next_step": step, "next_owner": owner, "next_due": ball["due_at"]}
