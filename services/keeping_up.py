"""Keeps the read models up with the log, and lets questions wait for what they ask about.

The tail is an ordered consumer from the position that DuckDB holds, which is in the same transaction as the rows: there
is nothing to acknowledge, and a kill at any point costs nothing. Far behind, the log is mirrored first and the read
models are computed once at the end; the readers keep the old rows until then.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, NoReturn

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client

from events import names
from events.log import last_position
from events.tail import LogReplacedError, Tail
from projections.database import Database
from services.query_service import BehindError
from services.readmodels import ReadModels

#: Further behind than this, the read models are computed once at the end rather than batch by batch.
FAR_BEHIND: Final = 20_000
CATCH_UP_BATCH: Final = 50_000
_LIVE_BATCH: Final = 2_000
#: A batch ends earlier with so many bytes: a partner whose facts are as large as they may be must not fill the memory.
_MOST_BYTES: Final = 128 * 1024 * 1024
_RETRY_DELAY: Final = 1.0

#: A batch costs much the same whether it is small or large. While facts keep coming, the next batch is collected for so
#: many times what the last one took, though not longer than the second figure (seconds), and not while anybody waits.
_COLLECT_TIMES: Final = 4
_COLLECT_AT_MOST: Final = 0.5

#: How long a query waits for the position it asked for (seconds).
PATIENCE: Final = 20.0

_TRANSIENT: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError, LogReplacedError)

_log = structlog.get_logger("projector")


class KeepingUp:
    """``await begin()``, then ``await follow()`` for as long as it is to go on.

    Further behind than ``far_behind`` facts, it mirrors ``catch_up_batch`` of them at a time and computes the read
    models once at the end. A question waits ``patience`` seconds for the position that it asks for.
    """

    def __init__(
        self,
        connection: Client,
        models: ReadModels,
        *,
        far_behind: int = FAR_BEHIND,
        catch_up_batch: int = CATCH_UP_BATCH,
        patience: float = PATIENCE,
    ) -> None:
        self._connection = connection
        self._js = connection.jetstream()
        self._models = models
        self._far_behind = far_behind
        self._catch_up_batch = catch_up_batch
        self._patience = patience
        self._moved = asyncio.Condition()
        self._position = 0
        self._tail: Tail | None = None
        self._rebuild_wanted: list[asyncio.Future[None]] = []
        self._proven = 0  # reconnects, when the mirror was last held against the log
        self._file_in_doubt = False
        self._now = time.monotonic
        self._rested_at = 0.0
        self._hurry = asyncio.Event()
        self._waiting = 0  # queries for a position that is still to come

    @property
    def position(self) -> int:
        """The read models reflect the log up to here."""
        return self._position

    # -- following the log --------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Make the read models anew if they are those of another log. Raises nats errors."""
        await self._begin_anew_on_another_log()
        self._position = self._models.position

    async def follow(self) -> NoReturn:
        """For ever, whatever goes wrong."""
        while True:
            try:
                await self._begin_anew_on_another_log()
                await self._catch_up()
                await self._follow_live()
            except _TRANSIENT as error:
                _log.warning("following the log again", error=repr(error))
            except Exception:  # noqa: BLE001 - readers keep the last rows; the transaction was rolled back
                _log.exception("a batch could not be applied: opening the file again")
                await self._reopen()
            await asyncio.sleep(_RETRY_DELAY)

    async def _begin_anew_on_another_log(self) -> None:
        """A log may be replaced: is the last fact that the mirror holds the one which the log has there?"""
        reconnects = self._connection.stats["reconnects"]
        if not await self._is_of_this_log():
            _log.warning("the read models are those of another log: making them anew")
            await self._models.start_anew()
            await self._announce()
        self._proven = reconnects

    async def _is_of_this_log(self) -> bool:
        position = self._models.mirrored
        if position == 0:
            return True
        if position > await last_position(self._js):
            return False
        stored = await self._js.get_msg(names.REPAIRS, seq=position)
        return await self._models.has(position, stored.data or b"")

    @property
    def _log_in_doubt(self) -> bool:
        """The server has been away since the mirror was held against the log. It may be back with another, and others
        may have written to it since: what is mirrored is to be held against it before more follows."""
        return self._connection.stats["reconnects"] != self._proven

    async def _reopen(self) -> None:
        try:
            await self._models.reopen()
        except Exception:  # noqa: BLE001 - tried again with the next attempt to follow the log
            _log.exception("the file could not be opened again")
        else:
            self._file_in_doubt = False
            await self._announce()  # a new file begins at 0

    async def _catch_up(self) -> None:
        """Mirror what we are far behind with, as fast as it comes, then compute the read models once."""
        goal = await last_position(self._js)
        if goal - self._models.mirrored > self._far_behind:
            _log.info("catching up", position=self._models.mirrored, goal=goal)
            await self._mirror_up_to(goal)
        if self._models.mirrored > self._models.position:  # also when we were killed between the two
            await self._models.write(Database.rebuild)
            await self._announce()

    async def _mirror_up_to(self, goal: int) -> None:
        async with Tail(self._js, after=self._models.mirrored, max_batch=self._catch_up_batch) as tail:
            writing: asyncio.Future[int] | None = None
            collected: list[tuple[int, bytes]] = []
            size, position = 0, self._models.mirrored
            try:
                while position < goal:
                    batch = await tail.next_batch()
                    if self._log_in_doubt:
                        raise ConnectionError("the server was away while the log was read")
                    collected += batch
                    size += sum(len(payload) for _, payload in batch)
                    position = collected[-1][0] if collected else position
                    if len(collected) < self._catch_up_batch and size < _MOST_BYTES and position < goal:
                        continue
                    # One batch is written while the next is read.
                    if writing is not None:
                        await writing
                    writing = asyncio.ensure_future(self._models.write(Database.mirror_only, collected))
                    collected, size = [], 0
            finally:  # also where reading came to nothing: how far the mirror is must be known before anything else
                if writing is not None:
                    await writing

    async def _follow_live(self) -> None:
        async with Tail(self._js, after=self._models.mirrored, max_batch=_LIVE_BATCH) as tail:
            self._tail = tail
            while True:
                batch = await tail.next_batch()
                if self._log_in_doubt:
                    return
                for start in range(0, len(batch), _LIVE_BATCH):
                    began = self._now()
                    await self._models.write(Database.apply, batch[start : start + _LIVE_BATCH])
                    self._rested_at = self._now() + min((self._now() - began) * _COLLECT_TIMES, _COLLECT_AT_MOST)
                    await self._announce()
                if self._file_in_doubt:
                    await self._reopen()
                    return
                if self._rebuild_wanted:
                    await self._rebuild_now()
                if tail.position > self._models.mirrored + self._far_behind:
                    return
                await self._collect()

    async def _collect(self) -> None:
        """After a batch, let the next one grow; whoever comes when all is quiet does not wait for it."""
        self._hurry.clear()
        pause = self._rested_at - self._now()
        if pause > 0 and not self._waiting and not self._file_in_doubt and not self._rebuild_wanted:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause)

    async def _rebuild_now(self) -> None:
        wanted, self._rebuild_wanted = self._rebuild_wanted, []
        try:
            await self._models.write(Database.rebuild)
        except Exception as error:
            for future in wanted:
                if not future.done():  # whoever asked may have left
                    future.set_exception(error)
            raise
        for future in wanted:
            if not future.done():
                future.set_result(None)
        await self._announce()

    async def _announce(self) -> None:
        self._position = self._models.position
        async with self._moved:
            self._moved.notify_all()

    # -- for questions ------------------------------------------------------------------------------------------------

    async def wait_for(self, position: int) -> None:
        """Return once the read models reflect ``position``. Raises BehindError if that takes too long."""
        if self._position >= position:
            return
        self._waiting += 1
        self._hurry.set()
        try:
            async with asyncio.timeout(self._patience), self._moved:
                await self._moved.wait_for(lambda: self._position >= position)
        except TimeoutError:
            raise BehindError(f"the read models are at {self._position}, not yet at {position}: ask again") from None
        finally:
            self._waiting -= 1

    async def rebuild(self) -> None:
        """Return once all read models were made anew, which is done between two batches."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rebuild_wanted.append(done)
        self._hurry.set()
        if self._tail is not None:
            self._tail.wake()
        await done

    def doubt(self) -> None:
        """Have the file opened again and read through before anything else is written to it."""
        self._file_in_doubt = True
        self._hurry.set()
        if self._tail is not None:
            self._tail.wake()
