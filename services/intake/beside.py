"""What is left to do for batches whose facts are in the log, done beside the next: nobody waits for the disk on
another's account.

All that gathers while the server is busy with what came before is done together, so that it never falls behind by more
than one such turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.ending import end
from services.intake.settling import Taken

#: With so many batches left, or parts of some, no more is taken for now. Of one partner it is a few: see feeding.py.
_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a batch. ``looked``: it was decided on with all that the log held then."""

    taken: Taken
    looked: bool


class Beside:
    """``add`` what is left; ``settle`` is called with all that was added meanwhile, one call after the other.

    It handles its own trouble: what it raises is lost.
    """

    def __init__(self, settle: Callable[[Sequence[Left]], Awaitable[None]]) -> None:
        self._settle = settle
        self._left: list[Left] = []
        self._turn: asyncio.Task[None] | None = None

    def add(self, left: Left) -> None:
        """Settle it after those before."""
        self._left.append(left)
        if self._turn is None:
            self._begin()

    def _begin(self) -> None:
        left, self._left = self._left, []
        self._turn = asyncio.create_task(self._take_turn(left))

    async def _take_turn(self, left: Sequence[Left]) -> None:
        try:
            await self._settle(left)
        finally:
            self._turn = None
            if self._left:
                self._begin()

    async def room(self) -> None:
        """Return when more may be added."""
        while len(self._left) >= _MOST and self._turn is not None:
            await asyncio.wait([self._turn])

    async def ended(self) -> None:
        """Return when nothing is left."""
        while self._turn is not None:
            await asyncio.wait([self._turn])

    async def drop(self) -> None:
        """Leave undone what is left: it comes again."""
        self._left.clear()
        if self._turn is not None:
            await end(self._turn)
