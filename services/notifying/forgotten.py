"""Says on a party's daily list which of its lines are for a customer who was forgotten: there is nobody to tell.

The list names orders and no customers; whose they are is asked for, and the book of customers says who was forgotten.
Neither name nor number comes onto the list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import nats.errors
import structlog

from events.envelope import iso
from services.answering import Ask, NoAnswerError, QuestionError

Row = dict[str, Any]

#: Whether the customer was forgotten whom the party (first) knows by the number (second). Raises nats errors.
IsForgotten = Callable[[str, str], Awaitable[bool]]

#: The parts of the list in which something that is to be told to a customer may stand, and what that is.
_PARTS: Final = ("overdue", "calls", "orders", "owed")
_TO_HER: Final = frozenset({"update", "check", "call"})
#: And those that hold words of customers, each of whom somebody may want to call.
_HERS: Final = ("asked", "contacts")

#: Whose an order is, is asked about so many at a time: the answer holds their stories, and has to fit into a message.
_AT_ONCE: Final = 50

_log = structlog.get_logger("notifier")


async def mark_forgotten(listing: Row, ask: Ask, is_forgotten: IsForgotten, now: datetime, position: int) -> Row:
    """``listing`` with ``customer_forgotten`` in each line: None where that is neither to tell her nor a word of hers,
    and where it cannot be found out now."""
    parts = (*_PARTS, *_HERS)
    orders = {str(row["order"]) for part in parts for row in listing[part] if _concerns_her(part, row)}
    known = await _forgotten(sorted(orders), ask, is_forgotten, now, position)

    def marked(part: str, row: Row) -> Row:
        return row | {"customer_forgotten": known.get(str(row["order"])) if _concerns_her(part, row) else None}

    return listing | {part: [marked(part, row) for row in listing[part]] for part in parts}


def _concerns_her(part: str, row: Row) -> bool:
    """Whether it is told to her, or answers her. Of calls and of words of hers the name of the part says that."""
    kind = row.get("kind")
    return part in ("calls", *_HERS) or kind in _TO_HER or (kind == "answer" and bool(row.get("to_customer")))


async def _forgotten(
    orders: list[str], ask: Ask, is_forgotten: IsForgotten, now: datetime, position: int
) -> dict[str, bool]:
    """Of each order that has a customer, whether she was forgotten, as far as it can be found out."""
    found: dict[str, bool] = {}
    try:
        for begin in range(0, len(orders), _AT_ONCE):
            about = {"orders": orders[begin : begin + _AT_ONCE], "letters_since": iso(now)}
            for name, history in (await ask("histories", about, position))["histories"].items():
                order = history["order"] or {}
                if order.get("opened_by") and order.get("customer"):
                    found[name] = await is_forgotten(order["opened_by"], order["customer"])
    except (NoAnswerError, QuestionError, nats.errors.Error) as error:
        # The list says what is to be done all the same; whoever was forgotten, the call finds out.
        _log.warning("a list cannot say who was forgotten", error=repr(error))
    return found
