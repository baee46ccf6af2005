"""Why planned messages have not left yet: the desk of the running chain knows, where one runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nats.aio.client import Client

Row = dict[str, Any]

#: What is shown does not wait for long (seconds), and of a long list only so many orders are asked about.
_PATIENCE: Final = 2.0
_MOST: Final = 20


async def mark_waiting(connection: Client, messages: Iterable[Row]) -> None:
    """Say in ``waits_for`` and ``waits_until`` of each planned message why it has not left, where that is known."""
    from services.desk.calling import DeskAwayError, call_desk
    from services.desk.problems import DeskError

    planned = [row for row in messages if row.get("status") == "planned"]
    orders = list(dict.fromkeys(str(row["order_id"]) for row in planned))[:_MOST]
    if not orders:
        return
    try:
        found = (await call_desk(connection, "waits", {"orders": orders}, timeout=_PATIENCE))["messages"]
    except (DeskAwayError, DeskError):  # nothing leaves while it is away
        return
    for row in planned:
        row |= found.get(row["message_id"], {})


def without_reasons(messages: Iterable[Row]) -> None:
    """``waits_for`` and ``waits_until`` are there, also where nobody was asked."""
    for row in messages:
        row.setdefault("waits_for", None)
        row.setdefault("waits_until", None)
