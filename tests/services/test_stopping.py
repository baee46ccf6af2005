"""The limits of a stop fit into each other, and a service that hangs ends by itself before it is killed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services import stopping
from services.stopping import Allowance
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


def test_each_limit_has_room_for_those_within_it() -> None:
    left = 2 * (stopping.LEAVING + stopping.CLOSING)  # the notifier, which has most, has two connections
    assert stopping.AT_HAND + stopping.LAST_HEARD + left <= stopping.STOPPED
    assert stopping.ANSWERED < stopping.DISCONNECTED
    assert stopping.DISCONNECTED + left < stopping.STOPPED
    assert stopping.HEALTH + stopping.STOPPED < stopping.ENDED < stopping.KILLED
    graces = re.findall(r"stop_grace_period: (\d+)s", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert graces
    assert min(map(int, graces)) > stopping.KILLED


async def test_steps_share_what_was_left_by_those_before() -> None:
    allowance = Allowance(0.05)
    assert allowance.left() == pytest.approx(0.05)
    await eventually(lambda: allowance.left() == 0.0)


#: A process of a service that does not stop: ``ways`` are what it does when it is told to.
PROGRAM = """
import asyncio, sys, threading
from pathlib import Path
from services import running
from services.settings import load_settings

class Hanging:
    async def start(self): pass
    async def check(self): return "well"
    async def stop(self):
        print("stopping", flush=True)
        if sys.argv[2] == "thread":
            return await asyncio.to_thread(threading.Event().wait)
        while True:  # it does not listen, as what waits for an answer may not
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

async def is_fit(settings): pass

running.build = lambda *_: Hanging()
running.require_fit_server = is_fit
running.STOPPED, running.ENDED = 0.1, 0.4
running.collect_less_often = lambda: print("ready", flush=True)
running.run_service("watchdog", load_settings(home=Path(sys.argv[1]), health_port=0))
"""


@pytest.mark.parametrize("hangs", ["task", "thread"])
def test_what_hangs_when_it_is_told_to_stop_ends_by_itself(tmp_path: Path, hangs: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), hangs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            said, log = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, said) == (0, "stopping\n")
    assert "the process ends as if it were killed" in log
    assert time.monotonic() - told < stopping.KILLED
