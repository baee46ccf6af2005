"""Tells where each task waits when a test does not come to its end: a dump of threads only shows that the loop is idle.

A thread that sleeps, and a moment noted for each test: it costs next to nothing.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO
from weakref import WeakSet

#: An end that takes so long (seconds) is told of, well before the test is given up.
_PATIENCE: Final = 30.0
_LOOK_EVERY: Final = 5.0

_loops: Final[WeakSet[AbstractEventLoop]] = WeakSet()


class Teller:
    """``with teller.of(name):`` around what may hang; it writes to what was standard error when it was made."""

    def __init__(self, patience: float = _PATIENCE, look_every: float = _LOOK_EVERY, to: TextIO | None = None) -> None:
        self._patience = patience
        self._look_every = look_every
        self._to = to or os.fdopen(os.dup(2), "w")  # what a test writes there meanwhile is caught
        self._at_hand: tuple[str, float] | None = None
        threading.Thread(target=self._look, name="hanging", daemon=True).start()

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Tell of ``name`` if it takes too long, once."""
        self._at_hand = name, time.monotonic() + self._patience
        try:
            yield
        finally:
            self._at_hand = None

    def _look(self) -> None:
        while True:
            time.sleep(self._look_every)
            at_hand = self._at_hand
            if at_hand is not None and at_hand[1] < time.monotonic():
                self._at_hand = None
                for loop in [each for each in _loops if each.is_running()]:
                    loop.call_soon_threadsafe(self._tell, at_hand[0], loop)

    def _tell(self, name: str, loop: AbstractEventLoop) -> None:
        where = "\n\n".join(waiting_in(task) for task in asyncio.all_tasks(loop))
        self._to.write(f"\n{name} does not end. Its tasks wait in:\n\n{where}\n\n")
        self._to.flush()


def watched(loop: AbstractEventLoop) -> AbstractEventLoop:
    """A loop whose tasks are told of."""
    _loops.add(loop)
    return loop


def waiting_in(task: asyncio.Task[Any]) -> str:
    """The name of a task and, a line each, where it waits, from its outermost call to what it waits for."""
    lines = [task.get_name()]
    waits: Any = task.get_coro()
    while waits is not None:
        frame = next((found for kind in ("cr", "gi", "ag") if (found := getattr(waits, f"{kind}_frame", None))), None)
        if frame is not None:
            lines.append(f"  {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}")
        elif not (inspect.iscoroutine(waits) or inspect.isasyncgen(waits)):
            lines.append(f"  {waits!r}")
        waits = _inner(waits)
    return "\n".join(lines)


def _inner(waits: Any) -> Any:
    """What that waits for; of what only wraps another, as ``asend`` of a generator does, that one."""
    for name in ("cr_await", "gi_yieldfrom", "ag_await"):
        if hasattr(waits, name):
            return getattr(waits, name)
    if isinstance(waits, asyncio.Future):
        return None
    held = gc.get_referents(waits)
    return next((each for each in held if inspect.iscoroutine(each) or inspect.isasyncgen(each)), None)
