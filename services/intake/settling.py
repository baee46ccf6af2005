"""What follows the append of a batch for whatever is not simply in the log: rejections are kept, and all have receipts.

In this order, so that a crash loses nothing: keep what was rejected; let go what waited for what was appended; send
receipts; acknowledge. Of what was kept before and comes again, the kept one is removed first. Each removal waits for
the disk: so that is done apart, for nobody else is to wait for it. Doing any of it again is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header

from events import names
from events.atomic_batch import BatchMessage
from events.envelope import Event
from events.log import message_id
from events.outgoing import frame, write
from events.subjects import party_of_subject, rejected_subject
from services.desk.book import Book, erase
from services.intake.contacts import forgotten_among, without_contact
from services.intake.delivered import party_of, retry_of, sequence_of, stored_at, stream_of
from services.intake.following import Follower
from services.intake.held import Held
from services.intake.limbo import Limbo
from services.intake.problems import Problem, is_held
from services.intake.receipts import Outcome, Receipts
from services.intake.rejecting import keep_together, to_headers

_TIMEOUT: Final = 5.0

#: So many are removed at a time: the disk has other work.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Rejection:
    """A submission that is not appended, and why."""

    message: Msg
    party: str
    order: str
    problem: Problem
    contact_key: str | None = None  # whose name and address are in it
    event: Event | None = None  # where it could be read


@dataclass(frozen=True, slots=True)
class Answers:
    """The receipts of a batch: of what comes for the first time, and of what was kept before."""

    of_new: Receipts = field(default_factory=Receipts)
    of_retried: Receipts = field(default_factory=Receipts)

    def to(self, message: Msg) -> Receipts:
        """Where that of a message belongs."""
        return self.of_new if retry_of(message) is None else self.of_retried


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of a batch whose facts are in the log: what was rejected, or kept before.

    ``answers`` has those to all but the rejected.
    """

    messages: Sequence[Msg]
    rejected: Sequence[Rejection] = ()
    answers: Answers = field(default_factory=Answers)

    def without(self, messages: Sequence[Msg]) -> Taken:
        """The same but for these, which were rejected."""
        left_out = set(map(id, messages))
        return replace(
            self,
            messages=[each for each in self.messages if id(each) not in left_out],
            rejected=[each for each in self.rejected if id(each.message) not in left_out],
        )


def together(parts: Iterable[Taken]) -> Taken:
    """What is left of several batches, as if they had been one."""
    messages: list[Msg] = []
    rejected: list[Rejection] = []
    answers = Answers()
    for part in parts:
        messages += part.messages
        rejected += part.rejected
        answers.of_new.take_over(part.answers.of_new)
        answers.of_retried.take_over(part.answers.of_retried)
    return Taken(messages, rejected, answers)


@dataclass(frozen=True, slots=True)
class Retried:
    """What of a batch was kept before: it is not yet removed there, answered and acknowledged."""

    messages: Sequence[Msg]
    receipts: Receipts


class Settling:
    """For each batch ``retried = await settle(taken)``, then ``await finish(retried)``; several may be under way."""

    def __init__(
        self, connection: Client, js: JetStreamContext, customers: Book, held: Held, limbo: Limbo, follower: Follower
    ) -> None:
        self._connection = connection
        self._js = js
        self._customers = customers
        self._held = held
        self._limbo = limbo
        self._follower = follower
        self._leaving: set[tuple[str, int]] = set()  # parties, and numbers in REJECTED

    async def settle(self, taken: Taken) -> Retried:
        """Settle what comes for the first time. Raises nats errors if the server does not confirm."""
        told = [rejection.problem.told() for rejection in taken.rejected]  # to whoever looks at it, and to its sender
        await self._keep(taken.rejected, told)
        for rejection, problem in zip(taken.rejected, told, strict=True):
            message, id = rejection.message, rejection.problem.submission
            verdict: Outcome = "held" if is_held(rejection.problem) else "rejected"
            taken.answers.to(message).add(rejection.party, sequence_of(message), id, verdict, problem=problem)
        await taken.answers.of_new.send(self._connection)
        await self._acknowledge(message for message in taken.messages if retry_of(message) is None)
        retried = [message for message in taken.messages if retry_of(message) is not None]
        self._leaving.update(map(kept_as, retried))
        return Retried(retried, taken.answers.of_retried)

    async def finish(self, retried: Retried) -> None:
        """Settle what comes again. Raises nats errors if the server does not confirm: answered it is all the same."""
        try:
            await self._remove_kept(retried.messages)
        finally:
            self._leaving.difference_update(map(kept_as, retried.messages))
            await retried.receipts.send(self._connection)
        await self._acknowledge(retried.messages)

    def is_leaving(self, party: str, number: int) -> bool:
        """Whether what of that party is kept under that number has its outcome, and is about to be removed."""
        return (party, number) in self._leaving

    async def _acknowledge(self, messages: Iterable[Msg]) -> None:
        await write(self._connection, (frame(message.reply) for message in messages))

    async def _keep(self, rejections: Sequence[Rejection], told: Sequence[Mapping[str, Any]]) -> None:
        kept: list[BatchMessage] = []
        keys = {rejection.contact_key for rejection in rejections if rejection.contact_key is not None}
        forgotten = await forgotten_among(self._customers, keys)
        for rejection, problem in zip(rejections, told, strict=True):
            message, sequence = rejection.message, sequence_of(rejection.message)
            headers = to_headers(problem, message.headers, sequence)
            # The same submission after a crash is kept once; each stream has sequences of its own, and a box that was
            # made anew begins at 1. Two copies of what was handed in again are two: anybody can say that his are such.
            headers[Header.MSG_ID.value] = message_id(stream_of(message), f"{sequence} {stored_at(message)}")
            body = message.data  # the name and address of who was forgotten are kept nowhere any more
            if rejection.contact_key in forgotten:
                body = without_contact(message.headers, body)
            subject = rejected_subject(rejection.party, rejection.order, held=is_held(rejection.problem))
            kept.append((subject, body, headers))
        try:
            await keep_together(self._js, kept, _TIMEOUT)
        finally:  # also if no answer came: they may be there
            for (subject, *_), rejection in zip(kept, rejections, strict=True):
                self._held.note(subject, rejection.problem)
                self._limbo.note(subject, rejection.problem)
        held = []
        for rejection in rejections:
            if is_held(rejection.problem) and rejection.event is not None:
                held.append(rejection.event)
        # While they were on their way to be kept, nothing could let them go.
        self._follower.release_if_known(held)

    async def _remove_kept(self, messages: Sequence[Msg]) -> None:
        for some in (messages[at : at + _AT_ONCE] for at in range(0, len(messages), _AT_ONCE)):
            await asyncio.gather(*(self._remove(*kept_as(message)) for message in some))

    async def _remove(self, party: str, number: int) -> None:
        try:
            kept = await self._js.get_msg(names.REJECTED, seq=number)
        except nats.js.errors.NotFoundError:  # removed already, before a crash
            self._held.settled(number)
            return
        # Anybody can write that header: it settles the sender's own rejections only.
        if kept.subject is not None and party_of_subject(kept.subject) == party:
            await erase(self._js, names.REJECTED, number)
            self._held.settled(number)


def kept_as(message: Msg) -> tuple[str, int]:
    """Whose it is and the number in REJECTED that it says it was kept under (0: none)."""
    return party_of(message), retry_of(message) or 0
