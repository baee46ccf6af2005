"""How long the working days are of parties that had an order, so that their time can be told in such days.

Who counts in opening hours knows them (services/workday.py). It is asked beside each answer that tells who had an order
for how long.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nats.aio.client import Client

Row = dict[str, Any]

_FIELD: Final = "working_day_seconds"


async def add_working_days(connection: Client, result: Row, as_of: str | None, known_at: str | None) -> None:
    """Say in each row of who had the order how long a working day is there; None where nobody can tell."""
    from services.answering import NoAnswerError, QuestionError, ask

    parties = parties_in(result)
    found: Row = {"seconds": {}}
    if parties:
        with suppress(NoAnswerError, QuestionError):  # a projector of before
            found = await ask(connection, "working_days", {"parties": parties}, as_of=as_of, known_at=known_at)
    put_in(result, found["seconds"])


def parties_in(result: Row) -> list[str]:
    """The parties whose time in opening hours is told."""
    return sorted({row["party"] for row in _rows(result) if row.get("working_seconds") is not None})


def put_in(result: Row, seconds: Mapping[str, int]) -> None:
    """The same, from what is known by then."""
    for row in _rows(result):
        row[_FIELD] = seconds.get(row["party"])


def _rows(result: Row) -> list[Row]:
    """Who had the order for how long, in the answers that tell it."""
    order = result.get("order")
    of_order = order.get("time_spent") if isinstance(order, dict) else None
    rows: list[Row] = result.get("time_spent") or of_order or []
    return rows
