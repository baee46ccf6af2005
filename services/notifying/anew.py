"""Which message tells what is told for itself, and which takes its place where that has waited for too long."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.notifying.apart_kinds import kind_of
from services.notifying.history import Happened, History, moment
from services.notifying.records import message_id

#: No letter about something else says what is in these.
_TOLD_NOWHERE_ELSE: Final = frozenset({"answer", "gesture"})


def told_apart(history: History, fact: Happened) -> str:
    """The id of the message that tells ``fact``: that of the fact that it says anew, unless that was taken back; where
    it had to be written anew, the last one."""
    kind, origin = kind_of(fact), history.origin(fact)
    told = message_id(history.named_by(origin), origin.source, origin.id, kind)
    if any(told in other.corrects and other.status in ("planned", "sent") for other in history.told):
        told = message_id(history.named_by(fact), fact.source, fact.id, kind)
    while kind in _TOLD_NOWHERE_ELSE and history.status_of(anew := _written_anew(told, kind)) is not None:
        told = anew
    return told


def message_to_write(history: History, fact: Happened, now: datetime) -> str | None:
    """The id of the message that is to tell ``fact``; None if there is one already whose words can still be true."""
    told, kind = told_apart(history, fact), kind_of(fact)
    if history.status_of(told) is None:
        return told
    return _written_anew(told, kind) if kind in _TOLD_NOWHERE_ELSE and _has_lapsed(history, told, now) else None


def _written_anew(message: str, kind: str) -> str:
    """The id of what takes the place of ``message``, which waited for too long."""
    return message_id(message, "", "anew", kind)


def _has_lapsed(history: History, message: str, now: datetime) -> bool:
    """Whether ``message`` still waits, and the date of further news that it names has passed."""
    return any(
        fact.name == "message.planned"
        and fact.data.get("message") == message
        and fact.data.get("next_news_by") is not None
        and moment(fact.data["next_news_by"]) <= now
        for fact in (history.facts if history.status_of(message) == "planned" else ())
    )
