"""Child processes that never outlive us."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import IO, Final, Protocol

_PR_SET_PDEATHSIG: Final = 1


class Child(Protocol):
    """A process that we have started, as asyncio has it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


async def start_child(command: Sequence[str], output: IO[bytes], keeps: int) -> Child:
    """Start ``command`` in a session of its own; what it says goes to ``output``, and it keeps the file ``keeps`` open.

    In a session of its own, since Ctrl-C in a terminal is ours to handle: services first, the server last.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(keeps,),
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )


def die_with_parent() -> Callable[[], None] | None:
    """A ``preexec_fn`` after which the kernel kills the child as soon as this process is gone, however it went.

    The child is killed at once, without a chance to tidy up: every part of the chain must survive that at any
    moment anyway, and one that hangs could ignore anything gentler. None where the kernel cannot do it (only
    Linux can).
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: after the fork as little as possible should happen
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we were gone before the kernel was told
            os._exit(1)

    return prepare
