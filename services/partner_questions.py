"""Answers partners who ask over NATS about the orders that they have a part in: the same JSON as over HTTP.

A request to ``orders.<role>.<name>`` is ``{"order": "J-1"}`` for its timeline, or ``{"changed_after": 17}`` (with a
``limit``, if need be) for what has changed since. Who asks is told by the subject, which is open to that partner's
account alone. What cannot be answered is a problem (RFC 9457), told by its ``status``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any, Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from events import names
from events.subjects import party_of_subject
from events.wording import in_words
from projections.queries.parts import MOST_CHANGED
from services import partner_view
from services.answering import Ask, pack
from services.ending import end
from services.intake.problems import type_of
from services.partner_view import NotShownError

#: So many requests of one partner are on their way at a time, and so many of all are looked up: our own services ask,
#: too.
AT_A_TIME: Final = 8
_LOOKED_UP: Final = 4

TITLES: Final = {
    "not-found": "There is no such thing here",
    "ambiguous": "This means several orders",
    "unavailable": "The chain answers nothing at the moment",
    "too-many": "Too much at a time",
    "unreadable": "It cannot be read",
    "too-large": "The answer is too large",
    "internal": "The chain failed on this question",
}

_log = structlog.get_logger("projector")


class Question(BaseModel):
    """What a partner asks: one of ``order`` and ``changed_after``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    order: str | None = Field(None, min_length=1, max_length=500)
    changed_after: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=MOST_CHANGED)

    @model_validator(mode="after")
    def _one(self) -> Question:
        if (self.order is None) == (self.changed_after is None):
            raise ValueError("ask with 'order' or with 'changed_after'")
        return self


class PartnerQuestions:
    """``await start()``, then it answers until ``await stop()``; ``ask`` asks the read models."""

    def __init__(self, connection: Client, ask: Ask) -> None:
        self._connection = connection
        self._ask = ask
        self._under_way: Counter[str] = Counter()
        self._looking_up = asyncio.Semaphore(_LOOKED_UP)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; whoever asks is heard when this returns."""
        self._subscription: Subscription = await self._connection.subscribe(f"{names.ORDERS_ROOT}.>", cb=self._take)
        await self._connection.flush()

    async def stop(self) -> None:
        """Answer nothing any more."""
        if self._connection.is_connected:
            with suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
        await end(*self._tasks)

    async def _take(self, message: Msg) -> None:
        task = asyncio.create_task(self._respond(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, message: Msg) -> None:
        if not message.reply:
            return
        try:
            answer = await self._answer(party_of_subject(message.subject), message.data)
        except NotShownError as none:
            answer = _problem(none)
        except Exception:  # noqa: BLE001 - whoever asks gets an answer, and the cause is in our log
            _log.exception("a partner's question failed", subject=message.subject)
            answer = _problem(NotShownError(500, "internal", "the chain failed on this question"))
        body, headers = pack(answer)
        if len(body) > self._connection.max_payload - 1024:
            body, headers = pack(_problem(NotShownError(413, "too-large", "the answer does not fit into a message")))
        with suppress(nats.errors.Error):
            await self._connection.publish(message.reply, body, headers=headers or None)

    async def _answer(self, party: str, body: bytes) -> dict[str, Any]:
        if self._under_way[party] >= AT_A_TIME:
            raise NotShownError(429, "too-many", f"at most {AT_A_TIME} questions of one partner are answered at a time")
        self._under_way[party] += 1
        try:
            question = read_question(body)
            async with self._looking_up:
                if question.order is not None:
                    return await partner_view.timeline(self._ask, party, question.order, None)
                return await partner_view.changed(self._ask, party, question.changed_after or 0, question.limit, None)
        finally:
            self._under_way[party] -= 1
            if not self._under_way[party]:
                del self._under_way[party]


def read_question(body: bytes) -> Question:
    """The question in a request. Raises NotShownError (400)."""
    try:
        return Question.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f" at /{'/'.join(map(str, first['loc']))}" if first["loc"] else ""
        raise NotShownError(400, "unreadable", f"{in_words(first)}{where}") from None


def _problem(none: NotShownError) -> dict[str, Any]:
    return {"type": type_of(none.kind), "title": TITLES[none.kind], "status": none.status, "detail": none.detail}
