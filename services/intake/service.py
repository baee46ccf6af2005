"""The intake service of one role: takes batches of what its partners hand in, and answers each with a receipt.

Each partner hands in to a stream of its own, its box; what our own hand in for partners waits in the intake stream of
the role. All of these are read fairly (feeding.py).

What happens to a batch, in this order, so that a crash at any point loses and doubles nothing: decide every submission;
keep contacts; append the facts (all or nothing, in parts if they are too much for one append); keep what was rejected;
remove rejections that were retried; send receipts; acknowledge. Whatever comes again after a crash is told apart by
(source, id).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import nats.errors
import nats.js.errors
import structlog
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.message import NatsBatchMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header

from events import names
from events.clock import Clock
from events.envelope import Event
from events.log import NotFirstError, append_batch, message_id
from events.outgoing import frame, write
from events.streams import DEFAULT_LIMITS, OURS_FROM, Limits, declare_streams, intake_config, ours_consumer
from events.subjects import party_of_subject, rejected_subject
from services.boxes import Box, Boxes
from services.connecting import leave
from services.desk.book import Book
from services.intake.contacts import contact_in, keep_contacts, without_contact
from services.intake.deciding import Accept, Duplicate, decide
from services.intake.faults import with_all_faults
from services.intake.feeding import FairFeed, stream_of
from services.intake.following import TRANSIENT, Follower
from services.intake.held import Held
from services.intake.index import Index
from services.intake.limbo import HELD_FOR, Limbo, is_lapsed
from services.intake.problems import Problem, Refusal, is_held
from services.intake.reading import read_document, read_event, submission_id
from services.intake.receipts import Outcome, Receipts
from services.intake.rejecting import keep_together, to_headers
from services.intake.sharing import MOST
from services.intake.sweeping import Sweeper
from services.pulling import feed_into, in_batches, saying_so, stop_pulling
from services.rights import inbox_prefix

_APPEND_TIMEOUT: Final = 5.0
_RETRY_DELAY: Final = 1.0
_TRIES: Final = 5

#: That of a kept submission.
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")

#: The server's refusal of what a submission would have us write. It will not change its mind.
_REFUSED: Final = (nats.js.errors.BadRequestError, nats.errors.MaxPayloadError)

_log = structlog.get_logger("intake")


def _halves(messages: list[Msg]) -> tuple[list[Msg], list[Msg]]:
    middle = len(messages) // 2
    return messages[:middle], messages[middle:]


def _sequence(message: Msg) -> int:
    """Its place in its stream. nats-py's metadata would read a good deal more, for every submission."""
    return int(message.reply.split(".")[-4])


def _comes_again(message: Msg) -> bool:
    return message.reply.split(".")[-5] != "1"  # how often it was delivered


def _party_of(message: Msg) -> str:
    return _party_named(message.subject)


@lru_cache(maxsize=4_096)
def _party_named(subject: str) -> str:
    """Who hands in there. A subject that names nobody properly still gets its answer, under what it says."""
    try:
        return party_of_subject(subject)
    except ValueError:
        _, role, name = subject.split(".", 2)
        return f"{role}:{name}"


@dataclass(frozen=True, slots=True)
class _Rejection:
    message: Msg
    party: str
    order: str
    problem: Problem
    contact_key: str | None = None  # whose name and address are in it


@dataclass(slots=True)
class _Decided:
    """A batch after its decisions: what to append, and what to answer."""

    accepted: list[tuple[Msg, Accept]]
    duplicates: list[tuple[Msg, Duplicate]]
    rejected: list[_Rejection]
    by_number: bool = False  # some name their orders by a number that others may have given to another order since


#: A submission as a document, its own id, and the event or why there is none.
_Submission = tuple[dict[str, Any], str | None, Event | Refusal]


def _read(message: Msg) -> _Submission:
    """The submission as a document, its own id, and the event; empty where they cannot be told, with the reason."""
    document: dict[str, Any] = {}
    id = None
    try:
        document = read_document(message.headers, message.data)
        id = submission_id(document)
        return document, id, read_event(document)
    except Refusal as refusal:
        return document, id, refusal


async def _raw(message: NatsBatchMessage) -> Any:
    # Decoding and path matching per message would cost more than all of intake; we read the bytes ourselves.
    return message.raw_message


class Intake:
    """One role's intake: ``await start()``, then it runs by itself until ``await stop()``."""

    def __init__(
        self,
        role: str,
        broker: NatsBroker,
        clock: Clock,
        index_path: Path,
        limits: Limits = DEFAULT_LIMITS,
        held_for: timedelta = HELD_FOR,
    ) -> None:
        self.role = role
        self._limits = limits
        self.app = FastStream(broker)
        self._broker = broker
        self._clock = clock
        self._index_path = index_path
        self._held = Held(role)
        self._limbo = Limbo(role, clock, held_for)
        self._lock = asyncio.Lock()
        self._served: set[str] = set()  # boxes
        self._unsure = False  # an append went unanswered: the log may have it or not
        self._ahead: dict[str, _Submission] = {}  # what has arrived and is read already, by its reply subject

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect, declare what is needed, catch up with the log, and only then take submissions."""
        async with AsyncExitStack() as life:
            self._connection: Client = await self._broker.connect()
            life.push_async_callback(leave, self._connection)
            self._js: JetStreamContext = self._connection.jetstream(timeout=_APPEND_TIMEOUT)
            await declare_streams(self._js, self._limits, updating=(names.INTAKE_STREAMS[self.role], names.REJECTED))
            await self._number_ours()
            # add_consumer also updates: the configuration of an existing durable would otherwise be silently kept.
            await self._js.add_consumer(names.INTAKE_STREAMS[self.role], ours_consumer(self.role))
            self._customers = Book(self._js)
            await self._customers.open()
            self._index = Index(self._index_path)
            life.callback(self._index.close)
            await self._held.load(self._js)
            self._follower = Follower(self._js, self._index, self._held, self._lock)
            await self._follower.start()
            life.push_async_callback(self._follower.stop)
            await self._limbo.start(self._js)
            life.push_async_callback(self._limbo.stop)
            await self._pull(life)
            self._life = life.pop_all()

    async def _pull(self, life: AsyncExitStack) -> None:
        subscriber = self._broker.subscriber(
            f"{names.INTAKE_ROOT}.{self.role}.*",
            durable=names.INTAKE_DURABLES[self.role],
            stream=JStream(names.INTAKE_STREAMS[self.role], declare=False),
            pull_sub=in_batches(MOST),
            config=ours_consumer(self.role),
            inbox_prefix=f"{inbox_prefix(self.role)}.".encode(),  # here with its dot, else without
            decoder=_raw,
            ack_policy=AckPolicy.MANUAL,
            title=f"{self.role} intake",
        )
        subscriber(self.take)
        durable = names.INTAKE_DURABLES[self.role]
        self._sweeper = Sweeper(self._js, durable)
        self._sweeper.start()
        life.push_async_callback(self._sweeper.stop)
        life.push_async_callback(stop_pulling, self.app, self._connection)
        boxes = Boxes(self._connection, self.role, self._limits, self._serve)
        self._feed = FairFeed(self._connection, durable, self._read_ahead, boxes.look_soon)
        await self._feed.start()
        await boxes.start()
        life.push_async_callback(boxes.stop)
        self._sweeper.settled([names.INTAKE_STREAMS[self.role]])  # what an earlier run left
        await feed_into(subscriber, self.app, self._feed)

    async def _serve(self, boxes: list[Box], made: Collection[str]) -> None:
        new = [box for box in boxes if box.stream not in self._served]
        self._served = {box.stream for box in boxes}
        self._sweeper.settled(box.stream for box in new if box.messages)
        await self._feed.serve([names.INTAKE_STREAMS[self.role], *self._served], made)

    async def _number_ours(self) -> None:
        """A stream of an earlier version began at 1, as boxes do: once it is empty, it goes on where it should."""
        stream = names.INTAKE_STREAMS[self.role]
        state = (await self._js.stream_info(stream)).state
        if state.last_seq >= OURS_FROM - 1 or state.messages:
            return
        # What came between a look and the purge would be acknowledged and lost: so nothing is taken meanwhile.
        config = intake_config(self.role, self._limits)
        await self._js.update_stream(config.evolve(max_bytes=1))
        try:
            if not (await self._js.stream_info(stream)).state.messages:
                await self._js.purge_stream(stream, seq=OURS_FROM)
        finally:  # where we are killed before this, declaring the streams does it at the next start
            await self._js.update_stream(config)

    async def stop(self) -> None:
        """Finish the batch at hand and leave."""
        await self._life.aclose()

    async def check(self) -> str:
        """For readiness: asks the server for our consumer. Raises nats errors if it is gone."""
        await self._js.consumer_info(names.INTAKE_STREAMS[self.role], names.INTAKE_DURABLES[self.role])
        return f"{self._feed.waiting} waiting, index at {self._index.position}"

    # -- taking a batch -----------------------------------------------------------------------------------------------

    async def take(self, messages: list[Msg]) -> None:
        """Handle one batch. On trouble with the server the batch comes again."""
        began = time.monotonic()
        try:
            async with saying_so(messages):
                await self._take_together(messages)
        finally:
            for message in messages:
                self._ahead.pop(message.reply, None)
            self._feed.took(len(messages), time.monotonic() - began)
            self._sweeper.settled(map(stream_of, messages))

    def _read_ahead(self, message: Msg) -> None:
        """Read a submission while the batch before it waits for the server: half of intake's work is reading."""
        with suppress(Exception):  # a fault of ours comes to light when its turn comes
            self._ahead[message.reply] = _read(message)

    async def _take_together(self, messages: list[Msg]) -> None:
        try:
            async with self._lock:
                await self._take_up_to_date(messages)
        except _REFUSED:
            await self._take_apart(messages)  # the server refuses what one of them would have us write
        except TRANSIENT as error:
            self._unsure = True
            _log.warning("a batch will be tried again", role=self.role, size=len(messages), error=repr(error))
            for message in messages:
                with suppress(*TRANSIENT, nats.errors.MsgAlreadyAckdError):
                    await message.nak(delay=_RETRY_DELAY)
        except Exception:  # noqa: BLE001 - see _take_alone
            # A fault of ours that one submission brings to light must not stop its neighbours: find it, keep it, go on.
            await self._take_apart(messages)

    async def _take_up_to_date(self, messages: list[Msg]) -> None:
        """Take the batch; decide anew if another role's service opened one of its orders in the meantime.

        By halves then: where two roles go on opening each other's orders, a large batch would come too late each time.
        """
        try:
            return await self._take(messages)
        except NotFirstError:
            await self._follower.read_to_the_end()
        if len(messages) > 1:
            for half in _halves(messages):
                await self._take_up_to_date(half)
            return None
        for _ in range(_TRIES):
            try:
                return await self._take(messages)
            except NotFirstError:
                await self._follower.read_to_the_end()
        raise NotFirstError("the log holds an opening of this order that cannot be read")

    async def _take_apart(self, messages: list[Msg]) -> None:
        """Find what hits a fault, by halves: its neighbours have their receipts after a few tries, not one each."""
        if len(messages) == 1:
            return await self._take_alone(messages[0])
        _log.warning("a batch hit a fault in intake: taking it by halves", role=self.role, size=len(messages))
        for half in _halves(messages):
            await self._take_together(half)
        return None

    async def _take_alone(self, message: Msg) -> None:
        try:
            async with self._lock:
                await self._take_up_to_date([message])
        except Exception as error:  # noqa: BLE001 - whatever it is, the partner gets an answer and the others go on
            if isinstance(error, TRANSIENT) and not isinstance(error, _REFUSED):
                self._unsure = True
                with suppress(*TRANSIENT):
                    await message.nak(delay=_RETRY_DELAY)
                return
            _log.exception("a submission hit a fault in intake: it is kept", role=self.role)
            party = _party_of(message)
            refusal = Refusal("internal", f"intake failed on this submission ({type(error).__name__}); it is kept")
            with suppress(*TRANSIENT):
                await self._keep([_Rejection(message, party, "", refusal.problem(None))])
                receipts = Receipts()
                receipts.add(party, _sequence(message), None, "rejected", problem=refusal.problem(None))
                await receipts.send(self._connection)
                await message.ack()

    async def _take(self, messages: list[Msg]) -> None:
        if self._unsure or any(_comes_again(message) for message in messages):
            # An attempt that we know nothing of may have appended them. The server would tell most repeats apart, but
            # only for a while.
            await self._follower.read_to_the_end()
            self._unsure = False
        self._index.forget()
        decided = self._decide(messages)
        if decided.by_number or any(is_held(rejection.problem) for rejection in decided.rejected):
            # Another role's service may have taken in the order a moment ago: look as far as the log reaches now.
            await self._follower.read_to_the_end()
            self._index.forget()
            decided = self._decide(messages)
        decided.rejected = await self._untold(decided.rejected)
        await keep_contacts(self._customers, (accept for _, accept in decided.accepted))

        receipts = Receipts()
        events = [accept.event for _, accept in decided.accepted]
        opens = {number for number, (_, accept) in enumerate(decided.accepted) if accept.opens}
        places = await append_batch(self._js, events, first_of_subject=opens, timeout=_APPEND_TIMEOUT)
        self._index.appended(events, [place.position for place in places])
        for (message, accept), place in zip(decided.accepted, places, strict=True):
            event = accept.event
            outcome: Outcome = "duplicate" if place.duplicate else "accepted"
            receipts.add(
                event.source,
                _sequence(message),
                event.id,
                outcome,
                order=event.subject,
                position=place.position,
            )
        for message, duplicate in decided.duplicates:
            party = _party_of(message)
            found = self._index.find(party, duplicate.id)
            position = duplicate.position or (found.position if found else None)
            receipts.add(party, _sequence(message), duplicate.id, "duplicate", order=duplicate.order, position=position)
        try:
            await self._keep(decided.rejected)
        finally:  # what was appended now lets go what waited for it, also in this very batch
            self._follower.appended(events)
        for rejection in decided.rejected:
            problem = rejection.problem
            verdict: Outcome = "held" if is_held(problem) else "rejected"
            receipts.add(rejection.party, _sequence(rejection.message), problem.submission, verdict, problem=problem)
        await self._remove_retried(messages)
        await receipts.send(self._connection)
        await write(self._connection, (frame(message.reply) for message in messages))  # acknowledged

    def _decide(self, messages: Sequence[Msg]) -> _Decided:
        decided = _Decided([], [], [])
        now = self._clock.now()
        submissions = [(message, *(self._ahead.get(message.reply) or _read(message))) for message in messages]
        self._index.prepare(found for *_, found in submissions if isinstance(found, Event))
        for message, document, id, found in submissions:
            party = _party_of(message)
            order = ""
            try:
                if isinstance(found, Refusal):
                    raise found
                order = found.subject
                decided.by_number |= found.subjectkind is not None
                outcome = decide(found, party, self._index, now)
            except Refusal as refusal:
                problem = self._limbo.judged(with_all_faults(refusal.problem(id), document), message.headers)
                decided.rejected.append(_Rejection(message, party, order, problem, contact_in(document, party)))
                continue
            if isinstance(outcome, Duplicate):
                decided.duplicates.append((message, outcome))
            else:
                self._index.expect(outcome.event)
                decided.accepted.append((message, outcome))
        return decided

    async def _keep(self, rejections: Sequence[_Rejection]) -> None:
        kept = []
        for rejection in rejections:
            message, sequence = rejection.message, _sequence(rejection.message)
            headers = to_headers(rejection.problem, message.headers, sequence)
            # The same submission after a crash is kept once; each stream has sequences of its own.
            headers[Header.MSG_ID.value] = message_id(stream_of(message), f"{sequence}")
            body = message.data
            if rejection.contact_key is not None and (await self._customers.find(rejection.contact_key)).forgotten:
                body = without_contact(body)  # her name and address are kept nowhere any more
            kept.append((rejected_subject(rejection.party, rejection.order), body, headers))
        await keep_together(self._js, kept, _APPEND_TIMEOUT)
        for (subject, *_), rejection in zip(kept, rejections, strict=True):
            self._held.note(subject, rejection.problem)
            self._limbo.note(subject, rejection.problem)

    async def _untold(self, rejections: Sequence[_Rejection]) -> list[_Rejection]:
        """Without those whose order never came and that were told so: a service that died may have handed them in."""
        untold: list[_Rejection] = []
        told: set[str] = set()
        for rejection in rejections:
            number = (rejection.message.headers or {}).get(names.RETRY_OF, "")
            if is_lapsed(rejection.problem) and not _comes_again(rejection.message) and _NUMBER.fullmatch(number):
                try:
                    await self._js.get_msg(names.REJECTED, seq=int(number))
                except nats.js.errors.NotFoundError:
                    continue
                if number in told:
                    continue
                told.add(number)
            untold.append(rejection)
        return untold

    async def _remove_retried(self, messages: Sequence[Msg]) -> None:
        """A retry has its own outcome by now; the rejection that it was taken from is settled."""
        retried = [(message, (message.headers or {}).get(names.RETRY_OF)) for message in messages]
        await asyncio.gather(
            *(
                self._remove_kept(int(number), _party_of(message))
                for message, number in retried
                if number is not None and _NUMBER.fullmatch(number)
            )
        )

    async def _remove_kept(self, number: int, party: str) -> None:
        with suppress(nats.js.errors.APIError):  # removed already, before a crash
            kept = await self._js.get_msg(names.REJECTED, seq=number)
            # Anybody can write that header: it settles the sender's own rejections only.
            if kept.subject is not None and party_of_subject(kept.subject) == party:
                await self._js.delete_msg(names.REJECTED, number)
        self._held.settled(number)
