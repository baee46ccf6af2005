"""A person has found out what nobody knew: whether a message that was parked has reached her. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from events.chain import Key, MessageFailed, MessagePlanned, MessageSent
from events.envelope import Event, make_event
from events.party import NOTIFIER
from services.contact import is_for_texts
from services.desk.problems import DeskError


class Settled(BaseModel):
    """What was found out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Key
    arrived: bool


def decide_settlement(settled: Settled, timeline: Mapping[str, Any], now: datetime) -> Event:
    """The fact that ends the message: sent or failed. Raises DeskError if nothing about it is open."""
    row = next((row for row in timeline["messages"] if row["message_id"] == settled.message), None)
    if row is None or row["status"] != "unknown":
        became = "there is no such message" if row is None else f"it is {row['status']}"
        raise DeskError(f"only a message of which nobody knows whether it arrived can be settled: {became}")
    planned = _planned(settled.message, timeline)
    data: BaseModel
    if settled.arrived:
        name = "message.sent"
        channel = row["channel"] or planned.channel
        data = MessageSent(
            message=settled.message,
            kind=planned.kind,
            channel=channel,
            language=planned.language,
            subject=planned.subject,
            body=(planned.text if is_for_texts(channel) else None) or planned.body,
            next_news_by=planned.next_news_by,
        )
    else:
        name = "message.failed"
        data = MessageFailed(message=settled.message, kind=planned.kind, reason="a person found that it never arrived")
    return make_event(
        name,
        source=NOTIFIER,
        id=f"settled:{settled.message}",
        subject=timeline["order"]["order_id"],
        time=now,
        recordedtime=now,
        data=data,
        causationid=f"planned:{settled.message}",
    )


def _planned(message: str, timeline: Mapping[str, Any]) -> MessagePlanned:
    for entry in timeline["entries"]:
        if entry["type"] == "message.planned" and not entry["voided"] and entry["data"].get("message") == message:
            try:
                return MessagePlanned.model_validate(entry["data"])
            except ValidationError:
                break
    raise DeskError("what the message was to say cannot be read, so nothing can be said of it")
