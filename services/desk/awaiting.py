"""Why a message that is planned has not left yet, and until when: more to tell, her quiet hours, a channel that failed.

The notifier weighs that anew each time, by what it knows then, and nobody has written it down: so its own rules are
asked, with her record from the book. Of that no more leaves here than the moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from events.envelope import iso
from services.answering import Ask, TooLargeError
from services.contact import Contact
from services.notifying.asking_together import LETTERS_OF
from services.notifying.gathering import Gathered, Hold, Reach, gather, pending
from services.notifying.records import MessagePolicy

#: ``more_to_tell``: it goes with what else is told within minutes. ``tomorrow``: she has had her letters of today.
Why = Literal["more_to_tell", "quiet_hours", "tomorrow", "channel"]


class Awaited(BaseModel):
    """Orders of whose planned messages it is asked what they wait for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    orders: tuple[Annotated[str, StringConstraints(min_length=1, max_length=1_000)], ...] = Field(max_length=50)


async def histories_of(orders: Sequence[str], ask: Ask, now: datetime) -> list[dict[str, Any]]:
    """The histories of ``orders``, as ``waits`` takes them, without those that are too long to be read."""
    try:
        answer = await ask("histories", {"orders": list(orders), "letters_since": iso(now - LETTERS_OF)}, None)
    except TooLargeError:
        if len(orders) == 1:
            return []
        # Halves would have the long one read again and again.
        alone = await asyncio.gather(*(histories_of([order], ask, now) for order in orders))
        return [history for found in alone for history in found]
    return list(answer["histories"].values())


def waits(history: Mapping[str, Any], contact: Contact | None, now: datetime) -> dict[str, dict[str, str | None]]:
    """Of each planned message of an order, by id, what it waits for (``waits_for``) and until when (``waits_until``,
    ISO 8601); None where it is about to leave, or never will.

    ``history`` is that of the order as the query ``histories`` gives it, ``contact`` her record.
    """
    found = {message: _why(message, history, Reach(contact or Contact()), now) for message in pending(history)}
    return {message: {"waits_for": why, "waits_until": until} for message, (why, until) in found.items()}


def _why(message: str, history: Mapping[str, Any], reach: Reach, now: datetime) -> tuple[Why | None, str | None]:
    match gather(message, history, reach, MessagePolicy(), now):
        case Hold(until, for_more=True):
            return "more_to_tell", iso(until)
        case Hold(until):
            # Without the letters of today only the hour can be against it.
            alone = gather(message, {**history, "letters": [], "acknowledgements": []}, reach, MessagePolicy(), now)
            by_the_hour = isinstance(alone, Hold) and not alone.for_more
            return ("quiet_hours" if by_the_hour else "tomorrow"), iso(until)
        case Gathered() if _was_tried(message, history):
            return "channel", None
    return None, None


def _was_tried(message: str, history: Mapping[str, Any]) -> bool:
    return any(
        "message.attempted" in entry["type"] and (entry["data"] or {}).get("message") == message
        for entry in history["entries"]
    )
