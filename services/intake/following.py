"""Follows the log into the index of one role's intake, and hands in again what waited for what the log names."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.js import JetStreamContext

from events import names
from events.log import LogReplacedError, Tail, last_position
from services.intake.held import Held
from services.intake.index import Index

#: Trouble with the server or with the index's file, which passes; a submission is not to blame for it.
TRANSIENT: Final = (
    nats.errors.Error,
    nats.js.errors.Error,
    OSError,
    TimeoutError,
    sqlite3.Error,
    LogReplacedError,
)

_RETRY_DELAY: Final = 1.0

_log = structlog.get_logger("intake")


class Follower:
    """``await start()``, then it follows until ``await stop()``. ``lock`` guards the index."""

    def __init__(self, js: JetStreamContext, index: Index, held: Held, lock: asyncio.Lock) -> None:
        self._js = js
        self._index = index
        self._held = held
        self._lock = lock
        self._caught_up = asyncio.Event()

    async def start(self) -> None:
        """Return when the index knows what the log holds by now."""
        self._task = asyncio.create_task(self._follow())
        try:
            await self._caught_up.wait()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Follow no longer."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def read_to_the_end(self) -> None:
        """Bring the index up to the end of the log, at once. The caller holds the lock."""
        end = await last_position(self._js)
        if end <= self._index.position:
            return
        async with Tail(self._js, after=self._index.position) as tail:
            while self._index.position < end:
                batch = await tail.next_batch()
                if batch:
                    self._index.follow(batch)

    async def _follow(self) -> None:
        while True:
            try:
                await self._begin_anew_on_another_log()
                await self._follow_on()
            except TRANSIENT as error:
                _log.warning("following the log again", error=str(error))
            except Exception:  # noqa: BLE001 - a fault of ours must not leave a service that decides on what it knew long ago
                _log.exception("following the log hit a fault")
            await asyncio.sleep(_RETRY_DELAY)

    async def _begin_anew_on_another_log(self) -> None:
        """A log may be replaced: is the last fact that the index has read the one which the log has there?"""
        position = self._index.position
        if position == 0:
            return
        if position <= await last_position(self._js):
            stored = await self._js.get_msg(names.REPAIRS, seq=position)
            if self._index.has_read(stored.data or b""):
                return
        _log.warning("the index is that of another log: starting it anew")
        async with self._lock:
            self._index.clear()

    async def _follow_on(self) -> None:
        goal = await last_position(self._js)
        async with Tail(self._js, after=self._index.position, max_batch=10_000) as tail:
            # What became known before this position released nobody if we were away or cut off then.
            await self._held.release_known(self._js, self._index)
            while True:
                if tail.position >= goal and self._index.position >= goal:
                    self._caught_up.set()
                await self._note(await tail.next_batch())

    async def _note(self, batch: Sequence[tuple[int, bytes]]) -> None:
        if not batch:
            return
        async with self._lock:
            self._index.follow(batch)
        await self._held.release_named(self._js, batch)
