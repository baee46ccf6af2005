"""The log: append one fact or a batch, read one order, follow everything from a position.

A position is the sequence of a fact in the stream REPAIRS: it starts at 1 and never changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, Header
from nats.js.errors import APIError, NotFoundError

from events import names
from events.atomic_batch import MAX_BATCH, MAX_BATCH_BYTES, publish_atomic_batch
from events.envelope import CONTENT_TYPE, Event
from events.subjects import log_subject, order_filter

_ERR_WRONG_LAST_SEQUENCE: Final = 10071
_APPEND_TIMEOUT: Final = 10.0

_MSG_ID: Final = Header.MSG_ID.value  # to look it up there takes as long as to make all headers

#: Heartbeat of an ordered consumer (seconds): after two without a word we look whether it is still there.
_HEARTBEAT: Final = 1.0


#: Without an answer of the server we ask again after so long (seconds).
_ASK_AGAIN: Final = 0.2

#: A tail reads on while so much waits to be taken, and no more (bytes): a fact may have 64 KiB.
_MOST_WAITING: Final = 64 * 1024 * 1024


class NotFirstError(RuntimeError):
    """A fact was to be the first of its name for its order (or the next after a known one); another is there."""


class LogReplacedError(RuntimeError):
    """The log is not the one that was read: it was put back from a backup, say."""


class Appended(NamedTuple):
    """Where a fact is; ``duplicate`` if it had been there already."""

    position: int
    duplicate: bool


@lru_cache(maxsize=4_096)  # on its way into the log a fact is looked up, appended and noted under its key
def fact_key(source: str, id: str) -> bytes:
    """Sixteen bytes that stand for (source, id). They hold the source: ids of two parties never meet."""
    return blake2b(f"{source}\0{id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def message_id(source: str, id: str) -> str:
    """The key by which JetStream deduplicates an append."""
    return fact_key(source, id).hex()


def _headers(event: Event, *, after: int | None = None) -> dict[str, str]:
    headers = {_MSG_ID: message_id(event.source, event.id), "Content-Type": CONTENT_TYPE}
    if after is not None:
        headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(after)
    return headers


async def append(
    js: JetStreamContext,
    event: Event,
    *,
    first: bool = False,
    after: int | None = None,
    timeout: float = _APPEND_TIMEOUT,
) -> Appended:
    """Append one fact. Raises nats errors if the server does not confirm it; appending it again is harmless.

    With ``first`` only if no fact of its name is there yet for its order, with ``after`` only if the last one of its
    name is at that position (0: there is none): raises NotFirstError otherwise.
    """
    try:
        ack = await js.publish(
            log_subject(event.subject, event.name),
            event.to_json(),
            stream=names.REPAIRS,
            headers=_headers(event, after=0 if first else after),
            timeout=timeout,
        )
    except APIError as error:
        if error.err_code == _ERR_WRONG_LAST_SEQUENCE:
            raise NotFirstError(str(error.description)) from None
        raise
    return Appended(position=ack.seq, duplicate=bool(ack.duplicate))


async def append_batch(
    js: JetStreamContext,
    events: Sequence[Event],
    *,
    first_of_subject: Container[int] = (),
    timeout: float = _APPEND_TIMEOUT,
    handed_in: asyncio.Event | None = None,
) -> list[Appended]:
    """Append facts in their order, each batch of up to 1,000 all or nothing; returns one place per fact.

    A batch that holds a fact which the server still remembers is refused as a whole; then its members are appended one
    by one, where each duplicate is told apart. The facts whose numbers (counted from 0) are in ``first_of_subject`` are
    appended only if none of their name is there yet for their order: raises NotFirstError otherwise. ``handed_in`` is
    set when a batch has been sent, and only the answer is awaited. Raises nats errors if the server does not confirm;
    appending the same facts again is harmless.
    """
    places: list[Appended] = []
    for chunk in _chunks(events):
        firsts = {
            number - len(places)
            for number in range(len(places), len(places) + len(chunk))
            if number in first_of_subject
        }
        if len(chunk) == 1:
            places.append(await append(js, chunk[0][0], first=bool(firsts), timeout=timeout))
            continue
        last = await _publish_atomically(js, chunk, firsts, timeout, handed_in)
        if last is None:
            places += [
                await append(js, event, first=number in firsts, timeout=timeout)
                for number, (event, _) in enumerate(chunk)
            ]
        else:
            first = last - len(chunk) + 1
            places += [Appended(position, False) for position in range(first, last + 1)]
    return places


def _chunks(events: Sequence[Event]) -> Iterator[list[tuple[Event, bytes]]]:
    """The events with their payloads, in batches that the server takes: neither too many nor too much at once."""
    chunk: list[tuple[Event, bytes]] = []
    size = 0
    for event in events:
        payload = event.to_json()
        if chunk and (len(chunk) == MAX_BATCH or size + len(payload) > MAX_BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((event, payload))
        size += len(payload)
    if chunk:
        yield chunk


async def _publish_atomically(
    js: JetStreamContext,
    chunk: Sequence[tuple[Event, bytes]],
    firsts: Container[int],
    timeout: float,
    handed_in: asyncio.Event | None,
) -> int | None:
    """The position of the last fact, or None if the batch was refused because of a duplicate."""
    messages = [
        (log_subject(event.subject, event.name), payload, _headers(event, after=0 if number in firsts else None))
        for number, (event, payload) in enumerate(chunk)
    ]
    try:
        return await publish_atomic_batch(js, messages, timeout, handed_in)
    except APIError as error:
        if error.err_code == _ERR_WRONG_LAST_SEQUENCE:
            raise NotFirstError(str(error.description)) from None
        raise


async def last_position(js: JetStreamContext) -> int:
    """The position of the newest fact; 0 for an empty log."""
    info = await js.stream_info(names.REPAIRS)
    return info.state.last_seq


async def last_position_of(js: JetStreamContext, order: str) -> int:
    """The position of the newest fact about ``order``; 0 if there is none."""
    try:
        message = await js.get_last_msg(names.REPAIRS, order_filter(order))
    except NotFoundError:
        return 0
    return message.seq or 0


def position_of(message: Msg) -> int:
    """The stream sequence in a delivered message's reply subject, which has it third from the end but two."""
    return int(message.reply.split(".")[-4])


def number_of_delivery(message: Msg) -> int:
    """How many deliveries its consumer had made with this one, which the reply subject has behind the position."""
    return int(message.reply.split(".")[-3])


class Tail:
    """Follows the log from a position in batches, as fast as they come, over reconnects and server restarts.

    ``async with Tail(js, after=position) as tail: async for batch in tail: …``. Each batch is a list of (position,
    payload) in order, without gaps or repeats. Reading stops when the caller stops, or with LogReplacedError: whenever
    the server has been away, what was read before is held against the log.
    """

    def __init__(
        self,
        js: JetStreamContext,
        *,
        after: int = 0,
        max_batch: int = 50_000,
        check_every: float = _HEARTBEAT * 2,
    ) -> None:
        self._js = js
        self._position = after
        self._max_batch = max_batch
        self._check_every = check_every
        self._buffer: list[tuple[int, bytes]] = []
        self._size = 0
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._subscription: Any = None
        self._gap = False
        self._last: tuple[int, bytes] | None = None
        self._reconnects = self._times_reconnected()
        self._unproven: list[tuple[int, bytes]] = []  # the last that was read of each connection before this one

    @property
    def position(self) -> int:
        """The position of the newest fact that was read."""
        return self._position

    async def __aenter__(self) -> Tail:
        await self._subscribe()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._unsubscribe()

    async def _subscribe(self) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._position + 1,
        )
        self._subscription = await self._js.subscribe(
            f"{names.LOG_ROOT}.>",
            stream=names.REPAIRS,
            cb=self._take,
            ordered_consumer=True,
            idle_heartbeat=_HEARTBEAT,
            config=config,
            # The server's flow control bounds what is under way; a dropped message would cost a new consumer.
            pending_msgs_limit=0,
            pending_bytes_limit=0,
        )

    async def _unsubscribe(self) -> None:
        if self._subscription is not None:
            with suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
            self._subscription = None

    def _times_reconnected(self) -> int:
        return self._js._nc.stats["reconnects"]  # nats-py has no public way from a JetStream context to its connection

    def _look_at_connection(self) -> None:
        """Behind a connection made anew there may be another log."""
        reconnects = self._times_reconnected()
        if reconnects != self._reconnects and self._last is not None and self._last not in self._unproven:
            self._unproven.append(self._last)
        self._reconnects = reconnects

    async def _take(self, message: Msg) -> None:
        self._look_at_connection()
        position = position_of(message)
        if position <= self._position or self._gap:
            return
        if position != self._position + 1:
            # nats-py notices a gap only with the next heartbeat, after it has handed out what lies behind the gap.
            self._gap = True
            self._filled.set()
            return
        self._position = position
        self._last = position, message.data
        self._buffer.append(self._last)
        self._size += len(message.data)
        self._filled.set()
        if len(self._buffer) >= self._max_batch or self._size >= _MOST_WAITING:
            self._drained.clear()
            await self._drained.wait()

    def __aiter__(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        return self._batches()

    async def _batches(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        while True:
            batch = await self.next_batch()
            if batch:
                yield batch

    async def next_batch(self) -> list[tuple[int, bytes]]:
        """The facts that came since the last call; waits for one, and returns nothing after an idle check."""
        if not self._buffer:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), self._check_every)
        if not self._buffer:
            await self._check()
            return []
        self._look_at_connection()
        if self._unproven:
            await self._prove()
        if self._unproven:  # the server is away again: what is here waits
            return []
        batch, self._buffer, self._size = self._buffer, [], 0
        self._filled.clear()
        self._drained.set()
        return batch

    def wake(self) -> None:
        """Let a waiting ``next_batch`` return, with nothing if there is nothing."""
        self._filled.set()

    async def _prove(self) -> None:
        """Hold what was read before the server was away against the log that it came back with."""
        while self._unproven:
            position, payload = self._unproven[0]
            try:
                stored = (await self._js.get_msg(names.REPAIRS, seq=position)).data
            except NotFoundError:
                stored = None
            except (nats.errors.Error, OSError):
                await asyncio.sleep(_ASK_AGAIN)
                return
            if stored != payload:
                raise LogReplacedError(f"the log has another fact at position {position} than was read from it")
            del self._unproven[0]

    async def _check(self) -> None:
        """Nothing came for a while, or something was left out: is the consumer behind us alive, or is a new one due?"""
        self._filled.clear()
        self._look_at_connection()
        await self._prove()
        read = self._position  # more may come while we ask
        try:
            if await last_position(self._js) < read:
                raise LogReplacedError(f"the log ends before position {read}, which was read from it")
            if not self._gap and self._subscription is not None:
                await self._subscription.consumer_info()
                return
        except (nats.errors.Error, OSError):
            pass
        with suppress(nats.errors.Error, OSError):
            await self._unsubscribe()
            await self._subscribe()
            self._gap = False


async def read_until(js: JetStreamContext, end: int, *, after: int = 0) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Batches of (position, payload) from behind ``after`` up to and with ``end``."""
    if after >= end:
        return
    async with Tail(js, after=after) as tail:
        async for batch in tail:
            if batch[-1][0] >= end:
                yield [entry for entry in batch if entry[0] <= end]
                return
            yield batch
