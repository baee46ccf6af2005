"""Follows the log into the index of one role's intake, and hands in again what waited for what the log names."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.js import JetStreamContext

from events import names
from events.connection import times_reconnected
from events.envelope import Event
from events.log import last_position
from events.tail import LogReplacedError, read_until
from services.ending import end
from services.intake.deciding import is_found
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

#: How often we look whether others have appended something (seconds). What we append ourselves we know already: reading
#: it back would cost as much again as taking it in.
_LOOK_EVERY: Final = 0.25

#: Everything that is held is looked through so often (seconds): an instance beside this one shares the index.
_ALL_EVERY: Final = 60.0

#: So many facts are fetched one by one, at the same time.
_FEW: Final = 100

#: What waits for so many names is handed in again at the same time.
_AT_ONCE: Final = 32

_log = structlog.get_logger("intake")


class Follower:
    """``await start()``, then it follows until ``await stop()``. ``lock`` guards the index."""

    def __init__(self, js: JetStreamContext, index: Index, held: Held, lock: asyncio.Lock) -> None:
        self._js = js
        self._index = index
        self._held = held
        self._lock = lock
        self._caught_up = asyncio.Event()
        self._look = asyncio.Event()
        self._named: list[str] = []
        self._proven: int | None = None  # reconnects, when the index was last held against the log

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
        await end(self._task)

    async def read_to_the_end(self) -> None:
        """Bring the index up to the end of the log. The caller holds the lock.

        Raises nats errors, and ConnectionError if the server goes away meanwhile.
        """
        await self._begin_anew_on_another_log()
        position, last = self._index.position, await last_position(self._js)
        async for batch in read_until(self._js, last, after=position):
            self._take_in(batch)

    @property
    def is_in_doubt(self) -> bool:
        """The server has been away since the index was held against the log: it may have come back with another."""
        return self._proven != self._reconnects

    @property
    def _reconnects(self) -> int:
        return times_reconnected(self._js)

    def appended(self, events: Sequence[Event]) -> None:
        """We have just appended these: what waited for an order or a reference that they name is handed in again."""
        self._release_soon(self._held.named_by(events, self._index.numbers_of))

    def release_if_known(self, held: Sequence[Event]) -> None:
        """These were just kept: if the order of one is known by now, nobody names it once more."""
        self._release_soon(list(dict.fromkeys(each.subject for each in held if is_found(each, self._index))))

    def _release_soon(self, named: Sequence[str]) -> None:
        if named:
            self._named += named
            self._look.set()

    async def _follow(self) -> None:
        while True:
            try:
                self._proven = None
                await self._follow_on()
            except TRANSIENT as error:
                _log.warning("following the log again", error=str(error))
            except Exception:  # noqa: BLE001 - a fault of ours must not leave a service that decides on what it knew long ago
                _log.exception("following the log hit a fault")
            await asyncio.sleep(_RETRY_DELAY)

    async def _begin_anew_on_another_log(self) -> None:
        """A log may be replaced: are the last facts that the index has read those which the log has there?

        The caller holds the lock.
        """
        if not self.is_in_doubt:
            return
        reconnects = self._reconnects
        if not await self._is_of_this_log():
            _log.warning("the index is that of another log: starting it anew")
            self._index.clear()
        self._proven = reconnects

    async def _is_of_this_log(self) -> bool:
        position = self._index.position
        if position > await last_position(self._js):
            return False
        return all(map(self._index.has_read, await self._get(range(max(0, position - _FEW) + 1, position + 1))))

    async def _get(self, positions: Iterable[int]) -> list[bytes]:
        stored = await asyncio.gather(*(self._js.get_msg(names.REPAIRS, seq=position) for position in positions))
        return [each.data or b"" for each in stored]

    async def _follow_on(self) -> None:
        await self._read_what_others_said()
        # First of all intake may begin: what is let go now goes into its own stream, which only it can empty.
        self._caught_up.set()
        # What became known before this released nobody if we were away or cut off then.
        await self._held.release_known(self._js, self._index)
        all_again = asyncio.get_running_loop().time() + _ALL_EVERY
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), _LOOK_EVERY)
            if asyncio.get_running_loop().time() > all_again:  # what another instance keeps or reads is not told here
                await self._held.load(self._js)
                await self._held.release_known(self._js, self._index)
                all_again = asyncio.get_running_loop().time() + _ALL_EVERY
            self._look.clear()
            await self._read_what_others_said()
            named, self._named = list(dict.fromkeys(self._named)), []
            for some in (named[at : at + _AT_ONCE] for at in range(0, len(named), _AT_ONCE)):
                ends = await asyncio.gather(
                    *(self._held.release(self._js, self._index, name) for name in some), return_exceptions=True
                )
                # All have ended: what was not let go is waited for again before all is looked through.
                for each in ends:
                    if isinstance(each, BaseException):
                        raise each

    async def _read_what_others_said(self) -> None:
        async with self._lock:  # nothing of ours is on its way into the log
            await self._begin_anew_on_another_log()
            position, end = self._index.position, await last_position(self._js)
        if end < position:
            raise LogReplacedError(f"the log ends before position {position}, which was read from it")
        if end - position <= _FEW:
            # A consumer made for a few facts would long outlive them.
            payloads = await self._get(range(position + 1, end + 1))
            await self._note(list(enumerate(payloads, position + 1)))
            return
        async for batch in read_until(self._js, end, after=position):
            await self._note(batch)

    async def _note(self, batch: Sequence[tuple[int, bytes]]) -> None:
        if not batch:
            return
        async with self._lock:
            self._take_in(batch)

    def _take_in(self, batch: Sequence[tuple[int, bytes]]) -> None:
        """Note what was read. Raises ConnectionError if it may be of another log than the index is of.

        The caller holds the lock.
        """
        if self.is_in_doubt:
            raise ConnectionError("the server was away while the log was read")
        self._index.follow(batch)
        self._release_soon(self._held.named_in(batch, self._index.numbers_of))
