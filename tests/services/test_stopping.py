"""The limits of a stop fit into each other, and a service that hangs ends by itself before it is killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.clock import SimulatedClock
from services import connecting, in_hand, notifier, query_service, stopping
from services.desk import service as desk
from services.intake import service
from services.settings import load_settings
from services.stopping import Allowance
from services.wiring import build
from tests.chainserver import ChainServer
from tests.ready import projectors_borrow
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

#: The intakes of all roles are alike.
_EVERY_KIND = ("projector", "retailer", "notifier", "watchdog", "http")
#: What is no waiting takes its time, too, when all stop at once (seconds).
_SLACK = 1.0


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


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> float:
    """Shorter limits, and so long (seconds) a service may take with them."""
    at_hand, last_heard, leaving, closing = 0.3, 0.2, 0.1, 0.05
    for module in (service, notifier, desk, query_service):
        monkeypatch.setattr(module, "AT_HAND", at_hand)
    monkeypatch.setattr(in_hand, "LAST_HEARD", last_heard)
    monkeypatch.setattr(connecting, "LEAVING", leaving)
    monkeypatch.setattr(connecting, "CLOSING", closing)
    return at_hand + last_heard + 2 * (leaving + closing)


async def test_a_server_that_hangs_keeps_no_service_from_stopping(chain_server: ChainServer, short: float) -> None:
    """It is there, so far as anybody knows, and answers nothing."""
    settings = load_settings(home=chain_server.home, nats_url=chain_server.url, http_port=0)
    with projectors_borrow():
        services = [build(name, settings, SimulatedClock(NOW)) for name in _EVERY_KIND]
        for each in services:
            await each.start()
        os.kill(chain_server.embedded.pid, signal.SIGSTOP)
        try:
            stops = [asyncio.create_task(each.stop()) for each in services]
            _, left = await asyncio.wait(stops, timeout=short + _SLACK)
        finally:
            os.kill(chain_server.embedded.pid, signal.SIGCONT)
        await asyncio.gather(*stops)
    assert [name for name, stop in zip(_EVERY_KIND, stops, strict=True) if stop in left] == []


#: A process of a service that does not stop: a thread of it hangs, and a task, which does not listen either.
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
        asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
        while True:
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


def test_what_hangs_when_it_is_told_to_stop_ends_by_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
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
    assert "told to stop: the process ends now, and what was cut off comes again" in log
    assert time.monotonic() - told < stopping.KILLED
