"""Says in the log what became of a message: that it is being attempted, and its outcome; and tells who has to look.

Also what a letter says that tells several messages: whoever sends it and whoever says that it was sent mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from pydantic import BaseModel

from events.chain import MessageAttempted, MessageFailed, MessageSent, MessageSuppressed, MessageUnknown
from events.clock import Clock
from events.envelope import Event, make_event
from events.log import Appended
from events.party import NOTIFIER
from services.contact import is_for_texts
from services.notices import Notice
from services.notifying import gathering
from services.notifying.claims import Claim
from services.notifying.records import PlannedMessage, SuppressReason
from services.notifying.texting import TextForm, texts_together
from services.notifying.wording import together

_log = structlog.get_logger("notifier")


class Log(Protocol):
    """The log as the notifier needs it."""

    async def append(self, event: Event) -> Appended: ...
    async def last_position(self) -> int: ...
    async def last_position_of(self, order: str) -> int: ...


class Notify(Protocol):
    """Tells a party something, now or never."""

    async def __call__(self, party: str, notice: Notice) -> None: ...


@dataclass(frozen=True)
class Recorder:
    """Appends facts about messages. An outcome is said once, whoever says it."""

    log: Log
    notify: Notify
    clock: Clock

    async def attempted(self, lead: PlannedMessage, claim: Claim, channel: str) -> None:
        """We are about to call ``channel``, for the time that ``claim`` counts."""
        data = MessageAttempted(
            message=lead.message,
            kind=lead.kind,
            attempt=claim.attempt,
            channel=channel,
            after=claim.after,
        )
        await self._append("attempted", f"attempted:{lead.message}:{claim.attempt}", lead, data)

    async def sent(self, lead: PlannedMessage, channel: str, others: Sequence[PlannedMessage]) -> Appended:
        """The letter has left; where that stands in the log."""
        subject, body = said(lead, others)
        if is_for_texts(channel):
            body = said_in_short(lead, others) or body
        appended = await self._outcome(
            "sent", lead, _sent_data(lead, channel, subject, body, lead.planned.next_news_by)
        )
        row = {"message_id": lead.message, "channel": channel, "next_news_by": lead.planned.next_news_by}
        for each in others:
            await self.sent_in(each, row)
        return appended

    async def sent_in(self, message: PlannedMessage, letter: Mapping[str, Any]) -> None:
        planned = message.planned
        channel, next_news_by = letter["channel"] or planned.channel, letter["next_news_by"]
        body = (planned.gist if is_for_texts(channel) else None) or planned.story or planned.body
        data = _sent_data(message, channel, planned.subject, body, next_news_by, letter["message_id"])
        await self._outcome("sent", message, data)

    async def suppress(self, message: PlannedMessage, reason: SuppressReason) -> None:
        data = MessageSuppressed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("suppressed", message, data)

    async def fail(self, message: PlannedMessage, accountable: str, reason: str) -> None:
        data = MessageFailed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("failed", message, data)
        await self._for_a_person("message.failed", message, accountable, reason)

    async def give_up(self, order: str, message: str, kind: str, reason: str) -> None:
        """As ``fail``, of a message of which nothing is known but its id and its kind."""
        now = self.clock.now()
        data = {"message": message, "kind": kind, "reason": reason}
        await self.log.append(
            make_event(
                "message.failed",
                source=NOTIFIER,
                id=f"outcome:{message}",
                subject=order,
                time=now,
                recordedtime=now,
                data=MessageFailed.model_validate(data),
                causationid=f"planned:{message}",
            )
        )
        _log.error("gave up a message", order=order, kind=kind, message=message, reason=reason)

    async def park(self, message: PlannedMessage, accountable: str, channel: str, reason: str) -> None:
        data = MessageUnknown(message=message.message, kind=message.kind, channel=channel, reason=reason)
        await self._outcome("unknown", message, data)
        await self._for_a_person("message.unknown", message, accountable, reason)

    async def _for_a_person(self, name: str, message: PlannedMessage, accountable: str, reason: str) -> None:
        """The machine is at its end: somebody has to tell her, or to find out whether she knows."""
        notice = Notice(
            notice=name,
            order=message.order,
            kind=message.kind,
            message=message.message,
            reason=reason,
            at=self.clock.now(),
        )
        await self.notify(accountable, notice)

    async def _outcome(self, name: str, message: PlannedMessage, data: BaseModel) -> Appended:
        # One id for whatever the outcome is: should two instances ever disagree, the first word in the log stands.
        appended = await self._append(name, f"outcome:{message.message}", message, data)
        _log.info(name, order=message.order, kind=message.kind, message=message.message)
        return appended

    async def _append(self, name: str, id: str, message: PlannedMessage, data: BaseModel) -> Appended:
        now = self.clock.now()
        return await self.log.append(
            make_event(
                f"message.{name}",
                source=NOTIFIER,
                id=id,
                subject=message.order,
                time=now,
                recordedtime=now,
                data=data,
                causationid=f"planned:{message.message}",
            )
        )


def said(lead: PlannedMessage, others: Sequence[PlannedMessage]) -> tuple[str, str]:
    """Subject and body of a letter that tells all of them."""
    planned = lead.planned
    if not others:
        return planned.subject, planned.body
    # What asks her something gives a letter that tells several things its subject.
    asking = [each for each in (lead, *others) if each.kind in gathering.ASKING]
    stories = [each.planned.story or each.planned.body for each in others]
    body = together(stories, planned.body, planned.language)
    return (asking[0] if asking else lead).planned.subject, body


def said_in_short(lead: PlannedMessage, others: Sequence[PlannedMessage]) -> str | None:
    """All of them as a text for her telephone. None where one was planned without its short form: she had no channel
    for texts then."""
    forms = [
        TextForm(each.planned.text, each.planned.gist)
        for each in (*others, lead)
        if each.planned.text and each.planned.gist
    ]
    return texts_together(forms[:-1], forms[-1], lead.planned.language) if len(forms) > len(others) else None


def _sent_data(
    message: PlannedMessage,
    channel: str,
    subject: str,
    body: str,
    next_news_by: datetime | None,
    letter: str | None = None,
) -> MessageSent:
    return MessageSent(
        message=message.message,
        kind=message.kind,
        channel=channel,
        language=message.planned.language,
        subject=subject,
        body=body,
        next_news_by=next_news_by,
        letter=letter,
    )
