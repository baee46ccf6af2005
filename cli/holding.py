"""Why a message that is planned has not left yet, and until when: more to tell, her quiet hours, a channel that failed.

The notifier weighs that anew each time, by what it knows then. So nobody has written it down: its own rules are asked
here, with her record from the desk of the running chain. Where no chain runs, nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from nats.aio.client import Client

    from services.contact import Contact

Row = dict[str, Any]
#: ``more_to_tell``: it goes with what else is told within minutes. ``tomorrow``: she has had her letters of today.
Why = Literal["more_to_tell", "quiet_hours", "tomorrow", "channel"]

#: What is shown does not wait for long (seconds), and of a long list only so many orders are looked at.
_PATIENCE: Final = 2.0
_MOST: Final = 20
#: Her day of letters has begun by then, wherever she is.
_HER_DAY: Final = timedelta(hours=36)


async def mark_waiting(connection: Client, messages: Iterable[Row]) -> None:
    """Say in ``waits_for`` and ``waits_until`` of each planned message why it has not left, where that is known."""
    planned = [row for row in messages if row.get("status") == "planned"]
    orders = list(dict.fromkeys(str(row["order_id"]) for row in planned))[:_MOST]
    if not orders:
        return
    from services.desk.calling import DeskAwayError
    from services.desk.problems import DeskError

    now = datetime.now(UTC)
    for order, history in (await _histories(connection, orders, now)).items():
        try:
            contact = await _contact(connection, order)
        except (DeskAwayError, DeskError):  # nothing leaves while it is away, and nobody knows what she wants
            continue
        for row in planned:
            if row["order_id"] == order:
                row["waits_for"], row["waits_until"] = why(str(row["message_id"]), history, contact, now)


def without_reasons(messages: Iterable[Row]) -> None:
    """``waits_for`` and ``waits_until`` are there, also where nobody was asked."""
    for row in messages:
        row.setdefault("waits_for", None)
        row.setdefault("waits_until", None)


def why(
    message: str, history: Mapping[str, Any], contact: Contact | None, now: datetime
) -> tuple[Why | None, str | None]:
    """What ``message`` waits for and until when (ISO 8601); nothing where it is about to leave, or never will.

    ``history`` is that of its order as the query ``histories`` gives it, ``contact`` her record.
    """
    from events.envelope import iso
    from services.contact import Contact
    from services.notifying.gathering import Hold, Letter, Reach, gather
    from services.notifying.records import Policy

    policy, reach = Policy(), Reach(contact or Contact())
    match gather(message, history, reach, policy, now):
        case Hold(until, for_more=True):
            return "more_to_tell", iso(until)
        case Hold(until):
            # Without the letters of today only the hour can be against it.
            alone = gather(message, {**history, "letters": []}, reach, policy, now)
            by_the_hour = isinstance(alone, Hold) and not alone.for_more
            return ("quiet_hours" if by_the_hour else "tomorrow"), iso(until)
        case Letter() if _was_tried(message, history):
            return "channel", None
    return None, None


def _was_tried(message: str, history: Mapping[str, Any]) -> bool:
    return any(
        "message.attempted" in entry["type"] and (entry["data"] or {}).get("message") == message
        for entry in history["entries"]
    )


async def _histories(connection: Client, orders: list[str], now: datetime) -> dict[str, Row]:
    from services.answering import NoAnswerError, QuestionError, ask

    about = {"orders": orders, "letters_since": (now - _HER_DAY).isoformat()}
    try:
        found: dict[str, Row] = (await ask(connection, "histories", about, timeout=_PATIENCE))["histories"]
    except (NoAnswerError, QuestionError):  # or too long for one answer: the list says less then
        return {}
    return {order: history for order, history in found.items() if history["order"]}


async def _contact(connection: Client, order: str) -> Contact | None:
    """Her record; None where there is none. Raises DeskAwayError and DeskError."""
    from services.contact import Contact
    from services.desk.calling import call_desk

    record = (await call_desk(connection, "show", {"ref": order}, timeout=_PATIENCE))["contact"]
    return Contact.model_validate(record) if record else None
