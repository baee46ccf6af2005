"""A letter of ours that came back for good, as facts: the message did not reach her after all. Pure.

The address that failed is not said: only the class of the reason (RFC 3463), such as 5.1.1 for an address that there is
not. The message was "sent", so nothing more is sent by itself; ``message.failed`` opens a call for the shop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from events.chain import Key, MessageFailed
from events.envelope import Event, make_event
from events.party import NOTIFIER
from services.desk.problems import DeskError

#: What a letter can come back from: whoever parked it did not know.
_MAY_BOUNCE: Final = frozenset({"sent", "unknown"})


class Bounced(BaseModel):
    """The letter of ``message`` came back with ``status``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Key
    status: Annotated[str, Field(pattern=r"^[45]\.\d{1,3}\.\d{1,3}$")]


def decide_bounce(bounced: Bounced, timeline: Mapping[str, Any], now: datetime) -> tuple[Event, ...]:
    """A ``message.failed`` for the message, and one for each that was told in its letter; none where that is known.

    Raises DeskError if the order has no such message.
    """
    rows = {row["message_id"]: row for row in timeline["messages"]}
    if bounced.message not in rows:
        raise DeskError(f"there is no message {bounced.message}")
    told = [bounced.message, *_told_in(bounced.message, timeline)]
    return tuple(
        make_event(
            MessageFailed.NAME,
            source=NOTIFIER,
            id=f"bounced:{message}",
            subject=timeline["order"]["order_id"],
            time=now,
            recordedtime=now,
            data=MessageFailed(message=message, kind=rows[message]["kind"], reason=f"it came back ({bounced.status})"),
            causationid=f"planned:{message}",
        )
        for message in told
        if message in rows and rows[message]["status"] in _MAY_BOUNCE
    )


def _told_in(message: str, timeline: Mapping[str, Any]) -> list[str]:
    """The messages that went in the letter of ``message``."""
    found = (
        str(entry["data"].get("message"))
        for entry in timeline["entries"]
        if entry["type"] == "message.sent" and not entry["voided"] and entry["data"].get("letter") == message
    )
    return list(dict.fromkeys(each for each in found if each != message))
