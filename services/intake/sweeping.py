"""Removes from an intake stream what has its outcome, up to the first submission that has none yet.

The stream does not do so by itself: a work queue removes each message with its acknowledgement, and with sync always
each of these removals waits for the disk. One sweep costs as much as one of them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.js import JetStreamContext

#: Between two sweeps (seconds): customers' names and addresses should not lie here for long.
_EVERY: Final = 0.5

_TROUBLE: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger("intake")


class Sweeper:
    """``start()``, then ``settled()`` after each batch, until ``await stop()``."""

    def __init__(self, js: JetStreamContext, stream: str, durable: str) -> None:
        self._js = js
        self._stream = stream
        self._durable = durable
        self._swept = 0  # 0 is below the first submission
        self._troubled = False
        self._wanted = asyncio.Event()
        self._wanted.set()  # what an earlier run left

    def start(self) -> None:
        """Sweep from now on."""
        self._task = asyncio.create_task(self._run())

    def settled(self) -> None:
        """Some submissions have their outcome, and are acknowledged."""
        self._wanted.set()

    async def stop(self) -> None:
        """Sweep no more; what is left goes with the next start."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._sweep()
            except _TROUBLE as error:
                # Once for each time of trouble: what never sweeps must be seen, but not twice a second.
                (_log.debug if self._troubled else _log.warning)("will sweep later", error=repr(error))
                self._troubled = True
                self._wanted.set()
            except Exception:  # noqa: BLE001 - a stream that nobody sweeps fills up and takes nothing any more
                _log.exception("sweeping hit a fault")
                self._wanted.set()
            else:
                self._troubled = False
            await asyncio.sleep(_EVERY)

    async def _sweep(self) -> None:
        info = await self._js.consumer_info(self._stream, self._durable)
        settled = info.ack_floor.stream_seq if info.ack_floor is not None else 0
        if settled != self._swept:  # less than before: the stream was put back from a backup
            await self._js.purge_stream(self._stream, seq=settled + 1)
            self._swept = settled
        if info.num_ack_pending:  # acknowledgements may still be on their way
            self._wanted.set()
