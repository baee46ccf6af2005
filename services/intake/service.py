"""The intake service of one role: takes batches of what its partners hand in, and answers each with a receipt.

Each partner hands in to a stream of its own, its box; what our own hand in for partners waits in the intake stream of
the role. All of these are read fairly (feeding.py).

What happens to a batch, in this order, so that a crash at any point loses and doubles nothing: decide every submission;
keep contacts; append the facts (all or nothing, in parts if they are too much for one append); settle it (settling.py)
while the next one is decided. Whatever comes again after a crash is told apart by (source, id).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
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

from events import names
from events.clock import Clock
from events.envelope import Event
from events.log import Appended, NotFirstError, append_batch, last_position
from events.outgoing import frame, write
from events.streams import DEFAULT_LIMITS, OURS_FROM, Limits, declare_streams, intake_config, ours_consumer
from services.boxes import Box, Boxes
from services.connecting import leave
from services.desk.book import Book
from services.intake.contacts import keep_contacts
from services.intake.deciding import is_found
from services.intake.delivered import comes_again, party_of, retry_of, stream_of
from services.intake.feeding import FairFeed
from services.intake.following import TRANSIENT, Follower
from services.intake.held import Held
from services.intake.index import Index
from services.intake.judging import Decided, answers_to, judge
from services.intake.limbo import HELD_FOR, Limbo, is_lapsed
from services.intake.problems import Refusal, is_held
from services.intake.reading_ahead import ReadAhead, contact_key_of
from services.intake.settling import Answers, Rejection, Retried, Settling, Taken
from services.intake.sharing import MOST
from services.intake.sweeping import Sweeper
from services.pulling import feed_into, in_batches, saying_so, stop_pulling
from services.rights import inbox_prefix

_APPEND_TIMEOUT: Final = 5.0
_RETRY_DELAY: Final = 1.0
_TRIES: Final = 5

#: Batches are as large as this where nobody else is at work. So may parts of one be: what is left to do for one is done
#: while the server is busy with the next.
_MANY: Final = 400

#: So many batches, or parts, are settled beside the next. Of one partner it is a few: see feeding.py.
_MOST_BESIDE: Final = 8

#: When we stop, what is being settled has so long (seconds). What is not settled then comes again.
_LAST: Final = 8.0

#: The server's refusal of what a submission would have us write. It will not change its mind.
_REFUSED: Final = (nats.js.errors.BadRequestError, nats.errors.MaxPayloadError)

_log = structlog.get_logger("intake")


def _halves(messages: list[Msg]) -> tuple[list[Msg], list[Msg]]:
    middle = len(messages) // 2
    return messages[:middle], messages[middle:]


def _look_at_its_end(task: asyncio.Task[Any]) -> None:
    """Else Python says that nobody did."""
    if not task.cancelled():
        task.exception()


class _How(Enum):
    """When what is left to do for a batch is done, and how well the log is known."""

    NOW = "settled before anything else"
    BESIDE = "settled beside the next"
    LOOKED = "settled beside the next, and decided on with all that the log held"


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A part of a batch whose ``events`` are on their way into the log, which answers with their places there."""

    messages: list[Msg]
    decided: Decided
    events: list[Event]
    places: asyncio.Task[list[Appended]]


def _parts(messages: list[Msg]) -> list[list[Msg]]:
    """A batch in equal parts, none of fewer than ``_MANY`` unless it is the only one."""
    size = -(-len(messages) // max(1, len(messages) // _MANY))
    return [messages[at : at + size] for at in range(0, len(messages), size)]


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
        self._stopping = False
        self._being_settled: deque[asyncio.Task[None]] = deque()  # each begins when the one before has ended
        self._finishing: set[asyncio.Task[None]] = set()
        self._told: set[tuple[str, int]] = set()  # whose order never came: party, and number in REJECTED
        self._ahead = ReadAhead()

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
            self._settling = Settling(
                self._connection, self._js, self._customers, self._held, self._limbo, self._follower
            )
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
        life.push_async_callback(self._settle_the_last)
        boxes = Boxes(self._connection, self.role, self._limits, self._serve)
        self._feed = FairFeed(self._connection, durable, self._ahead.arrived, boxes.look_soon)
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
        """Handle one batch. On trouble with the server it is tried again a few times, and then comes again later."""
        began = time.monotonic()
        left = list(messages)
        try:
            async with saying_so(left):
                await self._take_in_its_place(left)
                if len(self._being_settled) > _MOST_BESIDE:
                    await asyncio.wait([self._being_settled[0]])
        finally:
            self._ahead.forget(messages)
            self._feed.took(len(messages), time.monotonic() - began)

    async def _take_in_its_place(self, messages: list[Msg]) -> None:
        """Trouble with the server passes: what was given back at once would come again behind what follows it."""
        for _ in range(_TRIES):
            try:
                async with self._lock:
                    return await self._take_up_to_date(messages, how=_How.BESIDE)
            except TRANSIENT as error:
                if isinstance(error, _REFUSED) or self._stopping:
                    return await self._after_trouble(messages, error)
                self._unsure = True
                _log.warning("a batch is tried again", role=self.role, size=len(messages), error=repr(error))
                await asyncio.sleep(_RETRY_DELAY)
            except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
                return await self._after_trouble(messages, error)
        return await self._take_together(messages, how=_How.BESIDE)

    async def _take_together(self, messages: list[Msg], *, how: _How = _How.NOW) -> None:
        try:
            async with self._lock:
                await self._take_up_to_date(messages, how=how)
        except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
            await self._after_trouble(messages, error)

    async def _after_trouble(self, messages: list[Msg], error: Exception) -> None:
        self._forget_told(messages)
        if isinstance(error, TRANSIENT) and not isinstance(error, _REFUSED):
            await self._try_later(messages, error)
        else:
            # What the server refuses to write for one submission, or a fault of ours that one brings to light, must not
            # stop its neighbours: find it, keep it, go on.
            await self._take_apart(messages)

    async def _try_later(self, messages: list[Msg], error: Exception) -> None:
        self._unsure = True
        _log.warning("a batch will be tried again", role=self.role, size=len(messages), error=repr(error))
        for message in messages:
            with suppress(*TRANSIENT, nats.errors.MsgAlreadyAckdError):
                await message.nak(delay=_RETRY_DELAY)

    def _settle_later(self, taken: Taken, how: _How) -> None:
        """Settle beside the next batches, and after those before: so nobody waits for the disk on another's account."""
        before = self._being_settled[-1] if self._being_settled else None
        rejected = [stream_of(rejection.message) for rejection in taken.rejected]
        # What is about to be held may yet be taken in: what follows it from the same sender is not to come before it.
        waiting = [stream_of(each.message) for each in taken.rejected if how is _How.BESIDE and is_held(each.problem)]
        self._feed.unsettled(rejected)
        self._feed.stop(waiting)
        task = asyncio.create_task(self._settle(taken, before, how, rejected, waiting))
        self._being_settled.append(task)
        task.add_done_callback(self._being_settled.remove)

    async def _settle(
        self, taken: Taken, before: asyncio.Task[None] | None, how: _How, rejected: list[str], waiting: list[str]
    ) -> None:
        messages = list(taken.messages)
        try:
            async with saying_so(messages):
                if before is not None:
                    await asyncio.wait([before])
                overtaken = await self._overtaken(taken) if how is _How.BESIDE else []
                retried = await self._settling.settle(taken.without(overtaken))
                if overtaken:
                    await self._take_together(overtaken, how=_How.LOOKED)
        except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
            async with saying_so(messages):
                return await self._after_trouble(messages, error)
        finally:
            self._feed.settled(rejected)
            self._feed.go_on(waiting)
            self._sweeper.settled(map(stream_of, messages))
        if retried.messages:
            finishing = asyncio.create_task(self._finish(retried))
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)

    async def _overtaken(self, taken: Taken) -> list[Msg]:
        """What would be held, but was decided on before all was read that the log held then: others may have opened
        the order a moment ago."""
        held = [rejection for rejection in taken.rejected if is_held(rejection.problem)]
        if held and not await self._follower.is_behind():
            held = [each for each in held if each.event is not None and is_found(each.event, self._index)]
        return [rejection.message for rejection in held]

    async def _finish(self, retried: Retried) -> None:
        messages = list(retried.messages)
        streams = [stream_of(message) for message in messages]
        self._feed.unsettled(streams)
        try:
            async with saying_so(messages):
                await self._settling.finish(retried)
        except Exception as error:  # noqa: BLE001 - they have their outcome, and come again until they are removed
            if not isinstance(error, TRANSIENT):  # else nobody would see where it came from
                _log.exception("what was retried cannot be removed from what was rejected", role=self.role)
            await self._try_later(messages, error)
        finally:
            self._forget_told(messages)
            self._feed.settled(streams)
            self._sweeper.settled(streams)

    async def _settle_the_last(self) -> None:
        self._stopping = True  # a batch at hand is settled before it ends: the connection ends with it
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST):
                if self._being_settled:
                    await asyncio.wait(self._being_settled)
                if self._finishing:
                    await asyncio.wait(self._finishing)

    async def _take_up_to_date(self, messages: list[Msg], *, how: _How = _How.NOW) -> None:
        """Take the batch; decide anew if another role's service opened one of its orders in the meantime.

        By halves then: where two roles go on opening each other's orders, a large batch would come too late each time.
        """
        try:
            return await self._take(messages, how=how)
        except NotFirstError:
            await self._follower.read_to_the_end()
        if len(messages) > 1:
            for half in _halves(messages):
                left = list(half)
                try:
                    await self._take_up_to_date(left, how=how)
                finally:  # what of it was taken is not taken once more
                    del messages[: len(half) - len(left)]
            return None
        for _ in range(_TRIES):
            try:
                return await self._take(messages, how=how)
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
            party = party_of(message)
            refusal = Refusal("internal", f"intake failed on this submission ({type(error).__name__}); it is kept")
            rejection = Rejection(message, party, "", refusal.problem(None), contact_key_of(message, party))
            try:
                await self._finish(await self._settling.settle(Taken([message], [rejection])))
            except Exception:  # noqa: BLE001 - its neighbours go on, whatever it is
                _log.exception("a submission cannot be kept: it comes again", role=self.role)
                with suppress(*TRANSIENT):
                    await message.nak(delay=_RETRY_DELAY)

    async def _take(self, messages: list[Msg], *, how: _How) -> None:
        """Take the batch in parts: while the log takes one in, the next is decided on, and the one before is answered.

        ``messages`` loses those of each part that was taken: where the next one fails, they are not taken once more.
        """
        if self._unsure or any(comes_again(message) for message in messages):
            # An attempt that we know nothing of may have appended them. The server would tell most repeats apart, but
            # only for a while.
            await self._follower.read_to_the_end()
            self._unsure = False
        self._index.forget()
        under_way: _UnderWay | None = None
        parts = _parts(messages)
        at_once = how is not _How.BESIDE or self._stopping or len(parts) > 1 or self._feed.is_alone
        try:
            for part in parts:
                decided = self._decide(part)
                # Another role's service may have taken in the order a moment ago: look as far as the log reaches now.
                # Where others wait, what would be held does so when it is settled.
                held = at_once and any(is_held(rejection.problem) for rejection in decided.rejected)
                if (held or decided.by_number) and await self._others_spoke(under_way):
                    if under_way is not None:
                        await self._end(under_way, await under_way.places, messages, how=how)
                        under_way = None
                    await self._follower.read_to_the_end()
                    self._index.forget()
                    decided = self._decide(part)
                decided.rejected = await self._untold(decided.rejected)
                await keep_contacts(self._customers, (accept for _, accept in decided.accepted))
                places = await under_way.places if under_way is not None else []
                before, under_way = under_way, await self._begin(part, decided)
                if before is not None:
                    await self._end(before, places, messages, how=how)
            if under_way is not None:
                await self._end(under_way, await under_way.places, messages, how=how)
                under_way = None
        finally:
            self._index.forget()
            if under_way is not None:  # it may have come to the log or not
                self._unsure = True
                under_way.places.add_done_callback(_look_at_its_end)
                under_way.places.cancel()

    async def _others_spoke(self, under_way: _UnderWay | None) -> bool:
        """Whether the log holds what neither the index nor what is on its way there tells of."""
        end = await last_position(self._js)
        known = self._index.position
        if under_way is not None and end > known:
            for place in await under_way.places:
                known += place.position == known + 1
        return end > known

    def _may_wait(self, how: _How) -> bool:
        """Whether what is left to do for a batch may be done beside the next."""
        return how is not _How.NOW and not self._stopping

    async def _begin(self, part: list[Msg], decided: Decided) -> _UnderWay:
        """Hand the facts of a part in to the log; return when all is sent."""
        events = [accept.event for _, accept in decided.accepted]
        opens = {number for number, (_, accept) in enumerate(decided.accepted) if accept.opens}
        sent = asyncio.Event()
        places = asyncio.create_task(
            append_batch(self._js, events, first_of_subject=opens, timeout=_APPEND_TIMEOUT, handed_in=sent)
        )
        places.add_done_callback(lambda _: sent.set())
        try:
            await sent.wait()
        except BaseException:
            places.cancel()
            raise
        return _UnderWay(part, decided, events, places)

    async def _end(self, part: _UnderWay, places: Sequence[Appended], messages: list[Msg], *, how: _How) -> None:
        """The facts of a part are in the log: note that, and answer."""
        decided, events = part.decided, part.events
        self._index.appended(events, [place.position for place in places])
        self._follower.appended(events)
        answers = answers_to(decided, places, self._index)
        if self._may_wait(how) and len(part.messages) >= _MANY:
            self._settle_later(Taken(part.messages, decided.rejected, answers), how)
        else:
            await self._answer(part, answers, how=how)
        del messages[: len(part.messages)]

    async def _answer(self, part: _UnderWay, answers: Answers, *, how: _How) -> None:
        decided = part.decided
        # Whose facts are in the log need not wait until what is wrong with others' is kept.
        fine = [message for message, _ in (*decided.accepted, *decided.duplicates) if retry_of(message) is None]
        await answers.of_new.send(self._connection)
        await write(self._connection, (frame(message.reply) for message in fine))  # acknowledged
        self._sweeper.settled(map(stream_of, fine))
        others = [rejection.message for rejection in decided.rejected if retry_of(rejection.message) is None]
        taken = Taken([*others, *filter(retry_of, part.messages)], decided.rejected, answers)
        if taken.messages and self._may_wait(how):
            self._settle_later(taken, how)
        elif taken.messages:
            await self._finish(await self._settling.settle(taken))

    def _decide(self, messages: Sequence[Msg]) -> Decided:
        batch = [(message, self._ahead.of(message)) for message in messages]
        return judge(batch, self._index, self._limbo, self._clock.now())

    def _forget_told(self, messages: Sequence[Msg]) -> None:
        """They are told, or will be decided on once more."""
        self._told.difference_update((party_of(message), retry_of(message) or 0) for message in messages)

    async def _untold(self, rejections: Sequence[Rejection]) -> list[Rejection]:
        """Without those whose order never came and that were told so: a service that died may have handed them in."""
        untold: list[Rejection] = []
        for rejection in rejections:
            number = retry_of(rejection.message)
            if is_lapsed(rejection.problem) and not comes_again(rejection.message) and number is not None:
                try:
                    await self._js.get_msg(names.REJECTED, seq=number)
                except nats.js.errors.NotFoundError:
                    continue
                if (rejection.party, number) in self._told or self._settling.is_leaving(rejection.party, number):
                    continue
                self._told.add((rejection.party, number))
            untold.append(rejection)
        return untold
