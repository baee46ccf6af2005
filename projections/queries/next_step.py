"""What comes next on an order, said once: where something is owed, whose move it is (ball.sql) says it.

What the status of an order lets expect holds where nothing is owed, and while the chain waits for the customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from events.party import role_of
from projections.queries.reading import Row

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
#: Those that are the work; an answer is, where she owes it.
_OF_THE_WORK: Final = frozenset({"receive", "forward", "diagnose", "decide", "part", "repair", "return"})


def with_next_due(order: Row, owed: Sequence[Row]) -> Row:
    """``order`` with when its next step is due, by what is ``owed`` in it, that which comes next first."""
    return order | {"next_due": _next_due(order, owed)}


def _next_due(order: Row, owed: Sequence[Row]) -> Any:
    """By when whoever owes the next step owes it; news, answers and the like are owed beside the work."""
    for each in owed:
        hers = role_of(each["owner"]) == "customer"
        is_next = each["kind"] in _OF_THE_WORK or (each["kind"] == "answer" and hers)
        whose = each["owner"] == order["next_owner"] or (hers and order["next_owner"] == "customer")
        if is_next and whose and each["state"] != "paused" and each["due_at"] is not None:
            return each["due_at"]
    return None


def ball_of(order: Row, owed: Sequence[Row]) -> Row | None:
    """Whose move it is; None if the order is closed or nothing is owed."""
    if not (order["open"] and owed):
        return None
    of_order = {name: order[name] for name in ("status", "holder", "accountable")}
    return {"order": order["order_id"], **owed[0], **of_order, "bounces": order["ping_pongs"]}


def with_ball(order: Row, ball: Row | None) -> Row:
    """``order`` with ``ball``, and with the next step that this says."""
    if ball is None or ball["state"] == "paused":
        return order | {"ball": ball}
    owner = "customer" if role_of(ball["owner"]) == "customer" else ball["owner"]
    step = STEPS.get(ball["kind"], ball["kind"])
    if ball["kind"] == "decide" and order["status"] == "repair_failed":  # a choice and no price
        step = order["next_step"]
    return order | {"ball": ball, "next_step": step, "next_owner": owner, "next_due": ball["due_at"]}
