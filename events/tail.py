"""Reads the log as fast as it comes: all that follows a position, or what lies between two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from events import names
from events.connection import times_reconnected
from events.log import last_position, position_of

#: Heartbeat of an ordered consumer (seconds): after two without a word we look whether it is still there.
_HEARTBEAT: Final = 1.0

#: Without an answer of the server we ask again after so long (seconds).
_ASK_AGAIN: Final = 0.2

#: A tail reads on while so much waits to be taken, and no more (bytes): a fact may have 64 KiB.
_MOST_WAITING: Final = 64 * 1024 * 1024


class LogReplacedError(RuntimeError):
    """The log is not the one that was read: it was put back from a backup, say."""


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
        self._reconnects = times_reconnected(self._js)
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

    def _look_at_connection(self) -> None:
        """Behind a connection made anew there may be another log."""
        reconnects = times_reconnected(self._js)
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
