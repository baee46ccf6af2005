"""Ends tasks for certain, and waits no longer than it says for what may never end.

To cancel a task once is not enough. ``asyncio.wait_for`` of Python 3.11, by which nats-py waits for every answer,
swallows a cancellation that comes in the same turn of the loop as the answer; nats-py itself swallows some while it
writes. The task then goes on as if nobody had said a word, and who waits for its end waits for ever.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: A task that has not ended by then is cancelled once more (seconds).
_ONCE_MORE: Final = 0.5


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these until each of them has ended, however it did; asyncio tells of what nobody else looks at."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_ONCE_MORE)


async def within(seconds: float, step: Coroutine[Any, Any, T]) -> T:
    """What ``step`` returns. Raises what it raises, and TimeoutError when it takes longer.

    Unlike ``asyncio.timeout``, this returns also if the step does not end when it is cancelled.
    """
    task = asyncio.create_task(step)
    try:
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            raise TimeoutError(f"not done within {seconds:g} s")
        return task.result()
    finally:
        task.cancel()
        task.add_done_callback(look_at_its_end)


def end_process_after(seconds: float, say: Callable[[], None]) -> None:
    """Unless it has ended by then, end this process as if it were killed: ``say`` is called, and nothing tidied up.

    Python waits for threads and tasks without a limit when a program ends, whatever they hang in.
    """

    def leave_at_once() -> None:
        try:
            say()
        finally:
            os._exit(0)

    timer = threading.Timer(seconds, leave_at_once)
    timer.daemon = True
    timer.start()


def look_at_its_end(task: asyncio.Task[Any]) -> None:
    """For ``add_done_callback``: without it Python says that nobody did."""
    if not task.cancelled():
        task.exception()
