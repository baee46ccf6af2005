"""Removes from intake streams what has its outcome, up to the first submission of each that has none yet.

A stream does not do so by itself: a work queue removes each message with its acknowledgement, and with sync always each
of these removals waits for the disk. One sweep costs as much as one of them. Streams with nothing new cost nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.ending import end
from services.intake.delivered import comes_again, stream_of

#: Between two rounds (seconds): customers' names and addresses should not lie here for long.
_EVERY: Final = 0.5

#: So many streams are swept in a round, those with most to remove first: that is more than some that are always full,
#: and a disk has other work.
_AT_A_TIME: Final = 32

#: What an earlier run has given back, and what it took with it, is with us again within this (seconds).
_ALL_IS_BACK: Final = 15.0

_TROUBLE: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger("intake")


class Sweeper:
    """``start()``, then ``settled()`` after each batch, until ``await stop()``. ``durable`` reads the streams."""

    def __init__(self, js: JetStreamContext, durable: str) -> None:
        self._js = js
        self._durable = durable
        self._swept: dict[str, int] = {}  # up to which sequence
        self._troubled = False
        self._left: Counter[str] = Counter()
        self._wanted = asyncio.Event()
        self._new_came: set[str] = set()  # streams of which we had what nobody had before us
        self._all_is_back = asyncio.get_running_loop().time() + _ALL_IS_BACK

    def start(self) -> None:
        """Sweep from now on."""
        self._task = asyncio.create_task(self._run())

    def settled(self, streams: Iterable[str]) -> None:
        """In these streams some submissions have their outcome, and are acknowledged; named once for each."""
        self._left.update(streams)
        self._wanted.set()

    def came(self, messages: Iterable[Msg]) -> None:
        """These are here now. The server hands out what is new only after all that was given back."""
        if asyncio.get_running_loop().time() < self._all_is_back:
            for message in messages:
                if (stream := stream_of(message)) not in self._new_came and not comes_again(message):
                    self._new_came.add(stream)

    async def stop(self) -> None:
        """Sweep no more; what is left goes with the next start."""
        await end(self._task)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            now = [stream for stream, _ in self._left.most_common(_AT_A_TIME)]
            for stream in now:
                del self._left[stream]
            ends = await asyncio.gather(*(self._sweep(stream) for stream in now), return_exceptions=True)
            again = [stream for stream, end in zip(now, ends, strict=True) if end is not False]
            self._tell([end for end in ends if isinstance(end, BaseException)])
            # Behind what others have newly settled: what never can be swept must not keep the rest from it.
            self._left.update(stream for stream in again if stream not in self._left)
            if self._left:
                self._wanted.set()
            await asyncio.sleep(_EVERY)

    def _tell(self, errors: list[BaseException]) -> None:
        for error in errors:
            if not isinstance(error, _TROUBLE):  # a stream that nobody sweeps fills up and takes nothing any more
                _log.error("sweeping hit a fault", exc_info=error)
        if errors and not self._troubled:  # once for each time of trouble: it must be seen, but not twice a second
            _log.warning("will sweep later", error=repr(errors[0]))
        self._troubled = bool(errors)

    async def _sweep(self, stream: str) -> bool:
        """Whether there is, or may be, more to remove soon."""
        try:
            info = await self._js.consumer_info(stream, self._durable)
            if info.num_ack_pending and self._may_be_on_its_way_back(stream):
                return True
            settled = info.ack_floor.stream_seq if info.ack_floor is not None else 0
            if settled != self._swept.get(stream, 0):  # less than before: the stream was put back from a backup
                await self._js.purge_stream(stream, seq=settled + 1)
                self._swept[stream] = settled
        except nats.js.errors.NotFoundError:  # it was removed
            self._swept.pop(stream, None)
            return False
        return bool(info.num_ack_pending)  # acknowledgements may still be on their way

    def _may_be_on_its_way_back(self, stream: str) -> bool:
        """Whether an earlier run may have given something back that has not come again.

        With each removal the server forgets that it was to hand that out at once (seen with nats-server 2.15.1): it
        would come after the time for an answer, behind all that follows it.
        """
        return stream not in self._new_came and asyncio.get_running_loop().time() < self._all_is_back
