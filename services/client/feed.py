"""What a partner hears, one after the other, for whoever listens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Self, TypeVar

T = TypeVar("T")

#: So many wait for a listener that is slow; then the oldest goes. Neither receipts nor notices are the only place
#: where things stand: the one can be had by publishing again, the other from the queries.
_KEPT: Final = 10_000
#: Seconds between looks at whether there is a connection at all.
_LOOK: Final = 1.0


class Feed(Generic[T]):
    """An asynchronous iterator that ends ``timeout`` seconds after the last one came; None waits for ever.

    Iterating raises PartnerError once the chain no longer lets the partner in.
    """

    def __init__(
        self, alive: Callable[[], Awaitable[object]], leave: Callable[[Feed[T]], None], timeout: float | None
    ) -> None:
        self._alive = alive
        self._leave = leave
        self._timeout = timeout
        self._waiting: deque[T] = deque(maxlen=_KEPT)
        self._came = asyncio.Event()
        self._ended = False

    def put(self, item: T) -> None:
        """For the client: this came."""
        self._waiting.append(item)
        self._came.set()

    def end(self) -> None:
        """For the client: nothing comes any more."""
        self._ended = True
        self._came.set()

    def close(self) -> None:
        """Listen no longer."""
        self._leave(self)
        self.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        clock = asyncio.get_running_loop().time
        until = None if self._timeout is None else clock() + self._timeout
        while not self._waiting:
            left = _LOOK if until is None else min(_LOOK, until - clock())
            if self._ended or left <= 0:
                self.close()
                raise StopAsyncIteration
            self._came.clear()
            try:
                async with asyncio.timeout(left):
                    await self._came.wait()
            except TimeoutError:
                await self._alive()
        return self._waiting.popleft()
