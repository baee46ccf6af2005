"""The process tree: everything comes up, comes back, and goes down, and nothing is left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from services.access import rotate
from services.home import HomeFolder, read_json
from services.parties import add_party
from services.replaced import read_replaced, write_replaced
from services.server import ServerError
from services.settings import Settings, SettingsError, load_settings
from services.supervisor import CannotRunError, Supervisor, _keep, up
from tests.services.fake_service import command

PATIENCE = 30


class Lines:
    """What the supervisor says; ``until`` waits for a line."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._more = asyncio.Event()

    def say(self, line: str) -> None:
        self.said.append(line)
        self._more.set()

    async def until(self, text: str, times: int = 1) -> None:
        """Wait until ``text`` was said so many times."""
        async with asyncio.timeout(PATIENCE):
            while sum(text in line for line in self.said) < times:
                self._more.clear()
                await self._more.wait()


@pytest.fixture
def settings(free_home: Path) -> Settings:
    return load_settings(home=free_home, nats_port=0, health_port=0)


@asynccontextmanager
async def running(settings: Settings, *services: str) -> AsyncIterator[tuple[Supervisor, Lines, asyncio.Task[None]]]:
    """A supervisor at work, stopped at the end if it still runs."""
    lines = Lines()
    supervisor = Supervisor(settings, services=services, command=command, say=lines.say)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, lines, task
    finally:
        supervisor.stop()
        await asyncio.wait_for(task, PATIENCE)


def process_of(settings: Settings, name: str) -> psutil.Process:
    noted = read_json(settings.folder.service_file(name))
    assert noted is not None
    return psutil.Process(noted["pid"])


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Whether all have ended, given a moment; a process that nobody waits for yet counts as ended."""
    _, alive = psutil.wait_procs(processes, timeout=5)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


async def test_all_come_up_and_all_go_down(settings: Settings) -> None:
    async with running(settings, "retailer", "watchdog") as (supervisor, lines, task):
        await asyncio.wait_for(supervisor.ready.wait(), PATIENCE)
        processes = [
            process_of(settings, "retailer"),
            process_of(settings, "watchdog"),
            psutil.Process(supervisor.server.pid),
        ]
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, PATIENCE)
    assert gone(processes)
    assert lines.said[0].startswith("server     ready at nats://127.0.0.1:")
    assert sorted(lines.said[1:3]) == ["retailer   ready", "watchdog   ready"]
    assert lines.said[3:] == ["watchdog   stopped", "retailer   stopped", "server     stopped"]
    assert list(HomeFolder(settings.home).run.glob("*.json")) == []


async def test_a_killed_service_comes_back(settings: Settings) -> None:
    async with running(settings, "retailer", "watchdog") as (supervisor, lines, _):
        await asyncio.wait_for(supervisor.ready.wait(), PATIENCE)
        other = process_of(settings, "watchdog")
        for round in (1, 2):
            process_of(settings, "retailer").kill()
            await lines.until("retailer   ready", times=round + 1)
        assert process_of(settings, "watchdog") == other
    assert "retailer   was killed (SIGKILL); starting again in 0.2 s" in lines.said
    assert "retailer   was killed (SIGKILL); starting again in 0.4 s" in lines.said


async def test_a_killed_server_comes_back_at_the_same_address(settings: Settings) -> None:
    async with running(settings, "retailer") as (supervisor, lines, _):
        await asyncio.wait_for(supervisor.ready.wait(), PATIENCE)
        url = supervisor.server.url
        os.kill(supervisor.server.pid, signal.SIGKILL)
        await lines.until(f"ready at {url}", times=2)
    assert "server     was killed (SIGKILL); starting again in 0.2 s" in lines.said


async def test_old_secrets_end_when_their_time_is_up(settings: Settings) -> None:
    shop, folder = "retailer:acme", settings.folder
    await asyncio.to_thread(add_party, settings.home, shop)
    async with running(settings, "retailer") as (_, lines, _):
        await lines.until("server     ready")
        await asyncio.to_thread(rotate, settings.home, shop, None, timedelta(days=1))
        with folder.changing():
            (old,) = read_replaced(folder)[shop]
            write_replaced(folder, {shop: (replace(old, until=datetime.now(UTC)),)})
        await lines.until(f"server     the old secret of {shop} has come to its end")
    assert old.nkey is not None
    assert old.nkey not in folder.accounts_file.read_text()


async def test_what_always_fails_is_tried_with_growing_pauses(settings: Settings) -> None:
    async with running(settings, "short") as (_, lines, _):
        await lines.until("starting again in 0.8 s")
    assert [line for line in lines.said if line.startswith("short")] == [
        f"short      ended with exit code 3; starting again in {pause} s" for pause in (0.2, 0.4, 0.8)
    ]


async def test_what_cannot_be_started_for_want_of_room_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.supervisor._FIRST_PAUSE", 0.0)
    ends = iter([OSError(errno.ENOSPC, "No space left on device"), CannotRunError("enough")])
    said: list[tuple[str, str]] = []

    async def run_once() -> str:
        raise next(ends)

    with pytest.raises(CannotRunError, match="enough"):
        await _keep("server", run_once, lambda *what: said.append(what))
    assert said == [("server", "could not be started (No space left on device); starting again in 0 s")]


async def test_what_is_not_set_up_right_ends_the_whole(settings: Settings) -> None:
    lines = Lines()
    supervisor = Supervisor(settings, services=("retailer", "wrong"), command=command, say=lines.say)
    with pytest.raises(CannotRunError, match="wrong cannot run as it is set up: mend what it says above"):
        await asyncio.wait_for(supervisor.run(), PATIENCE)
    assert not [line for line in lines.said if "starting again" in line]
    assert not supervisor.server.running


async def test_what_will_not_stop_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.supervisor.KILLED", 0.3)
    async with running(settings, "stubborn") as (supervisor, lines, _):
        await asyncio.wait_for(supervisor.ready.wait(), PATIENCE)
        stubborn = process_of(settings, "stubborn")
    assert gone([stubborn])
    assert "stubborn   did not stop within 0.3 s and was killed" in lines.said


def test_nothing_outlives_a_killed_supervisor(settings: Settings) -> None:
    program = (
        "import asyncio\n"
        "from services.settings import load_settings\n"
        "from services.supervisor import Supervisor\n"
        "from tests.services.fake_service import command\n"
        "async def main():\n"
        "    services = ('retailer', 'stubborn')\n"
        "    say = lambda line: print(line, flush=True)\n"
        "    await Supervisor(load_settings(), services=services, command=command, say=say).run()\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, **settings.as_environment()}
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    awaited = {"retailer   ready\n", "stubborn   ready\n"}
    while awaited:
        awaited.discard(parent.stdout.readline())
    tree = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(tree) == 3
    assert gone(tree)


async def test_a_home_in_use_gives_one_clear_sentence(settings: Settings) -> None:
    async with running(settings) as (_, lines, _):
        await lines.until("server     ready")
        with pytest.raises(ServerError, match="is in use: a chain runs on it already"):
            await up(settings)


@pytest.mark.parametrize("wrong", [{"nats_url": "nats://127.0.0.1:4222"}, {"health_port": 8080}])
async def test_settings_that_mean_something_else_are_refused(free_home: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="leave it out"):
        await up(load_settings(home=free_home, **wrong))
