"""Servers of tests, started without copying this process: after some hundred tests that takes longer than the start.

Uvloop forks, and so does Python itself where something is to be done between fork and exec. Here a small program does
that, which Linux has nearly everywhere; where it is missing, servers are started as they are elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Final

from services import server
from services.processes import Child

_LAUNCHER: Final = shutil.which("setpriv") if sys.platform == "linux" else None


class Spawned:
    """A process that ends with this one, as a ``Child``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    async def wait(self) -> int:
        if self._process.poll() is None:
            await _ended(self.pid)
        return self._process.wait()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def spawn_servers() -> None:
    """From now on, for this process; see above."""
    if _LAUNCHER is not None:
        setattr(server, "start_child", _start_child)  # noqa: B010 - in the place of a function


async def _start_child(command: Sequence[str], output: IO[bytes], keeps: int) -> Child:
    assert _LAUNCHER is not None
    process = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond
        [_LAUNCHER, "--pdeathsig", "KILL", "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(keeps,),
        start_new_session=True,
    )
    return Spawned(process)


async def _ended(pid: int) -> None:
    """Return once the process has ended."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    file = os.pidfd_open(pid)
    loop.add_reader(file, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(file)
        os.close(file)
