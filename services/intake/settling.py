"""What follows the append of a batch: its rejections are kept, and each submission has its receipt.

In this order, so that a crash loses nothing: keep what was rejected; let go what waited for what was appended; remove
the rejections that were retried; send receipts; acknowledge. Doing it again is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header

from events import names
from events.envelope import Event
from events.log import message_id
from events.outgoing import frame, write
from events.subjects import party_of_subject, rejected_subject
from events.together import Together
from services.desk.book import Book
from services.intake.contacts import forgotten_among, without_contact
from services.intake.delivered import party_of, retry_of, sequence_of, stream_of
from services.intake.following import Follower
from services.intake.held import Held
from services.intake.limbo import Limbo
from services.intake.problems import Problem, is_held
from services.intake.receipts import Outcome, Receipts
from services.intake.rejecting import keep_together, to_headers

_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A submission that is not appended, and why."""

    message: Msg
    party: str
    order: str
    problem: Problem
    contact_key: str | None = None  # whose name and address are in it


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch whose ``events`` are in the log. ``receipts`` has those of all but the rejected."""

    messages: Sequence[Msg]
    rejected: Sequence[Rejection]
    events: Sequence[Event]
    receipts: Receipts


class Settling:
    """``await settle(taken)`` for each batch; several may be under way at once."""

    def __init__(
        self, connection: Client, js: JetStreamContext, customers: Book, held: Held, limbo: Limbo, follower: Follower
    ) -> None:
        self._connection = connection
        self._js = js
        self._customers = customers
        self._held = held
        self._limbo = limbo
        self._follower = follower

    async def settle(self, taken: Taken) -> None:
        """Raises nats errors if the server does not confirm."""
        try:
            await self._keep(taken.rejected)
        finally:  # what was appended now lets go what waited for it, also in this very batch
            self._follower.appended(taken.events)
        for rejection in taken.rejected:
            problem = rejection.problem
            verdict: Outcome = "held" if is_held(problem) else "rejected"
            sequence = sequence_of(rejection.message)
            taken.receipts.add(rejection.party, sequence, problem.submission, verdict, problem=problem)
        await self._remove_retried(taken.messages)
        await taken.receipts.send(self._connection)
        await write(self._connection, (frame(message.reply) for message in taken.messages))  # acknowledged

    async def _keep(self, rejections: Sequence[Rejection]) -> None:
        kept: list[Together] = []
        keys = {rejection.contact_key for rejection in rejections if rejection.contact_key is not None}
        forgotten = await forgotten_among(self._customers, keys)
        for rejection in rejections:
            message, sequence = rejection.message, sequence_of(rejection.message)
            headers = to_headers(rejection.problem, message.headers, sequence)
            # The same submission after a crash is kept once; each stream has sequences of its own.
            headers[Header.MSG_ID.value] = message_id(stream_of(message), f"{sequence}")
            # The name and address of who was forgotten are kept nowhere any more.
            body = without_contact(message.data) if rejection.contact_key in forgotten else message.data
            kept.append((rejected_subject(rejection.party, rejection.order), body, headers))
        await keep_together(self._js, kept, _TIMEOUT)
        held = []
        for (subject, *_), rejection in zip(kept, rejections, strict=True):
            self._held.note(subject, rejection.problem)
            self._limbo.note(subject, rejection.problem)
            if is_held(rejection.problem):
                held.append(rejection.order)
        # While they were on their way to be kept, nothing could let them go.
        self._follower.release_if_known(held)

    async def _remove_retried(self, messages: Sequence[Msg]) -> None:
        """A retry has its own outcome by now; the rejection that it was taken from is settled."""
        await asyncio.gather(
            *(
                self._remove_kept(number, party_of(message))
                for message in messages
                if (number := retry_of(message)) is not None
            )
        )

    async def _remove_kept(self, number: int, party: str) -> None:
        with suppress(nats.js.errors.APIError):  # removed already, before a crash
            kept = await self._js.get_msg(names.REJECTED, seq=number)
            # Anybody can write that header: it settles the sender's own rejections only.
            if kept.subject is not None and party_of_subject(kept.subject) == party:
                await self._js.delete_msg(names.REJECTED, number)
        self._held.settled(number)
