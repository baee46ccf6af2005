"""What is left to do for a batch once its facts are in the log, done in the background: nobody waits for the disk on
another's account.

All that gathers while the server is busy with what came before is done together, and some time after, so that it never
falls behind by more than one such turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from services.ending import end
from services.intake.settling import Taken

#: With so many batches left, or parts of some, no more is taken for now. Of one partner it is a few: see feeding.py.
_MOST: Final = 8
#: From the beginning of one turn to that of the next (seconds), unless so much is left. Each costs waits for the server
#: and its disk, however little there is to do; who hands in one now and then is never kept waiting.
_BETWEEN: Final = 0.025


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a batch. ``looked``: it was decided on with all that the log held then."""

    taken: Taken
    looked: bool


class Background:
    """``add`` what is left; ``settle`` is called with all that was added meanwhile, one call after the other.

    It handles its own trouble: what it raises is lost.
    """

    def __init__(self, settle: Callable[[Sequence[Left]], Awaitable[None]]) -> None:
        self._settle = settle
        self._left: list[Left] = []
        self._turn: asyncio.Task[None] | None = None
        self._next = 0.0  # when the next turn may begin
        self._is_full, self._has_room = asyncio.Event(), asyncio.Event()
        self._has_room.set()

    def add(self, left: Left) -> None:
        """Settle it after those before."""
        self._left.append(left)
        if len(self._left) >= _MOST:
            self._is_full.set()
            self._has_room.clear()
        if self._turn is None:
            self._turn = asyncio.create_task(self._take_turn())

    async def _take_turn(self) -> None:
        try:
            clock = asyncio.get_running_loop().time
            if (early := self._next - clock()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_full.wait(), early)
            self._next = clock() + _BETWEEN
            if left := self._take():
                await self._settle(left)
        finally:
            self._turn = asyncio.create_task(self._take_turn()) if self._left else None

    def _take(self) -> list[Left]:
        left, self._left = self._left, []
        self._is_full.clear()
        self._has_room.set()
        return left

    async def room(self) -> None:
        """Return when more may be added."""
        await self._has_room.wait()

    async def ended(self) -> None:
        """Return when nothing is left."""
        while self._turn is not None:
            await asyncio.wait([self._turn])

    async def drop(self) -> None:
        """Leave undone what is left: it comes again."""
        self._take()
        if self._turn is not None:
            await end(self._turn)
            self._turn = None  # one that is cancelled before its first step does nothing at its end
