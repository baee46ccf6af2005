"""Work that is begun and waited for, but for what takes long: that goes on by itself, and holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

#: What has come to no end by then is left to itself (seconds).
_PATIENCE: Final = 1.0


class Lingering:
    """At most about ``most`` pieces of work are left to themselves: then one more waits for the end of another."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.tasks: set[asyncio.Task[None]] = set()

    async def do(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Begin all of it, and wait for a moment until it is done."""
        begun = {asyncio.create_task(each) for each in work}
        for task in begun:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if begun:
            await asyncio.wait(begun, timeout=_PATIENCE)
        while len(self.tasks) >= self._most:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)

    async def at_rest(self) -> None:
        """Return when nothing is under way."""
        while self.tasks:
            await asyncio.wait(self.tasks)
