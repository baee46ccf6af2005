"""The embedded server: ready when it says so, durable, alone on its home, and gone when it should be."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path
from unittest.mock import Mock

import nats
import psutil
import pytest

from events.streams import declare_streams
from services.credentials import credential, prepare
from services.home import HomeFolder, read_json
from services.server import EmbeddedServer, ServerError, find_server, found_no_room, prove_durable
from tests.chainserver import ChainServer


async def test_it_is_ready_when_entered_and_says_where_it_is(free_home: Path) -> None:
    async with EmbeddedServer(free_home) as server:
        assert read_json(HomeFolder(free_home).server_file) == {
            "url": server.url,
            "monitor_url": server.monitor_url,
            "pid": server.pid,
        }
        secret = credential(free_home, "keeper")
        client = await nats.connect(server.url, **secret.options)
        await declare_streams(client.jetstream())
        await client.close()
        pid = server.pid
    assert not psutil.pid_exists(pid)
    assert not HomeFolder(free_home).server_file.exists()


async def test_only_this_machine_reaches_it(free_home: Path) -> None:
    async with EmbeddedServer(free_home) as server:
        listening = [
            found.laddr.ip for found in psutil.Process(server.pid).net_connections() if found.status == "LISTEN"
        ]
    assert listening == ["127.0.0.1", "127.0.0.1"]


async def test_it_proves_that_acknowledged_facts_are_on_the_disk(free_home: Path) -> None:
    async with EmbeddedServer(free_home) as server:
        prove_durable(server.monitor_url)


async def test_a_server_that_does_not_sync_is_refused(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lax = free_home.parent / "lax.conf"
    strict = (Path(__file__).parents[2] / "services" / "nats-server.conf").read_text()
    lax.write_text(strict.replace("sync_interval: always", "sync_interval: 2m"))
    monkeypatch.setattr("services.credentials.SERVER_CONFIG", lax)
    server = EmbeddedServer(free_home)
    with pytest.raises(ServerError, match="does not write facts to the disk before it acknowledges them"):
        await server.start()
    assert not HomeFolder(free_home).server_file.exists()


async def test_several_run_side_by_side(tmp_path: Path) -> None:
    servers = [EmbeddedServer(tmp_path / str(number)) for number in range(4)]
    await asyncio.gather(*(server.start() for server in servers))
    try:
        assert len({server.url for server in servers}) == 4
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


async def test_a_home_is_for_one_server(free_home: Path) -> None:
    async with EmbeddedServer(free_home) as first:
        with pytest.raises(ServerError, match="is in use: a chain runs on it already; stop it, or choose another"):
            await EmbeddedServer(free_home).start()
        running = read_json(HomeFolder(free_home).server_file)
        assert running is not None
        assert running["pid"] == first.pid
    async with EmbeddedServer(free_home):
        pass


async def test_the_store_is_guarded_also_when_what_runs_was_forgotten(free_home: Path) -> None:
    async with EmbeddedServer(free_home):
        await asyncio.to_thread(shutil.rmtree, free_home / "run")
        with pytest.raises(ServerError, match="is in use"):
            await EmbeddedServer(free_home).start()
        assert HomeFolder(free_home).in_use()
    assert not HomeFolder(free_home).in_use()


async def test_who_only_looks_whether_a_home_is_in_use_keeps_nobody_from_starting_on_it(free_home: Path) -> None:
    folder = HomeFolder(free_home)
    folder.create()
    with folder.lock_file.open("a") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        server = EmbeddedServer(free_home)
        starting = asyncio.create_task(server.start())
        await asyncio.sleep(0)
    await starting
    await server.stop()


async def test_a_port_in_use_gives_one_clear_sentence(free_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"^nats-server did not start: .*127\.0\.0\.1:{port}.*in use"):
            await EmbeddedServer(free_home, port=port).start()


async def test_after_a_kill_it_comes_back_on_the_same_port_with_everything(chain_server: ChainServer) -> None:
    back = asyncio.Event()

    async def note() -> None:
        back.set()

    services = await chain_server.connect(
        "keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.02, reconnected_cb=note
    )
    await declare_streams(services.jetstream())
    await services.jetstream().publish("repairs.W-1.item.received", b"{}")
    url = chain_server.url
    os.kill(chain_server.embedded.pid, signal.SIGKILL)
    assert await chain_server.embedded.wait() == -signal.SIGKILL
    await chain_server.embedded.start()
    assert chain_server.url == url
    await asyncio.wait_for(back.wait(), 10)
    assert (await services.jetstream().get_msg("REPAIRS", 1)).data == b"{}"


def test_it_does_not_outlive_a_killed_parent(free_home: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from services.server import EmbeddedServer\n"
        "async def main():\n"
        "    async with EmbeddedServer(Path(sys.argv[1])) as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(free_home)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([server], timeout=5)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_the_configuration_is_one_that_the_server_accepts(free_home: Path) -> None:
    prepare(free_home)
    command = [str(find_server()), "--config", str(HomeFolder(free_home).server_config), "-t"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "is valid" in checked.stderr
    assert checked.returncode == 0


async def test_it_starts_at_once(free_home: Path) -> None:
    started = time.monotonic()
    async with EmbeddedServer(free_home):
        assert time.monotonic() - started < 2  # usually 0.03 s
    assert json.loads((free_home / "logins" / "operator" / "login.json").read_text())["user"] == "operator"


async def test_who_knocks_in_vain_again_and_again_does_not_fill_the_disk(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = (Path(__file__).parents[2] / "services" / "nats-server.conf").read_text()
    small = free_home.parent / "small.conf"
    small.write_text(ours.replace("logfile_size_limit: 16MB", "logfile_size_limit: 4KB"))
    monkeypatch.setattr("services.credentials.SERVER_CONFIG", small)
    async with EmbeddedServer(free_home) as server:
        host, port = server.url.removeprefix("nats://").split(":")
        for _ in range(200):
            with socket.create_connection((host, int(port))) as knocking:
                knocking.sendall(b'CONNECT {"user":"nobody"}\r\nPING\r\n')
                while knocking.recv(4096):
                    pass
        logs = list(server.folder.nats.glob("server.log*"))
        assert 1 < len(logs) <= 4
        assert sum(log.stat().st_size for log in logs) < 4 * 5 * 1024


async def test_where_the_disk_was_full_and_has_room_again_the_server_is_ended_to_start_anew(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that met a full disk takes nothing any more, whatever room there is."""
    usage = namedtuple("usage", "free")
    async with EmbeddedServer(free_home) as server:
        assert not await server.end_if_it_stores_nothing()
        monkeypatch.setattr("services.server.found_no_room", lambda _: True)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0))
        assert not await server.end_if_it_stores_nothing(), "it would soon stand where it stood"
        kept = server.folder.store.rename(free_home / "taken away")
        monkeypatch.undo()
        monkeypatch.setattr("services.server.found_no_room", lambda _: True)
        assert not await server.end_if_it_stores_nothing(), "it would begin with an empty log"
        kept.rename(server.folder.store)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9))
        assert await server.end_if_it_stores_nothing()
        await server.wait()
        assert not await server.end_if_it_stores_nothing()


async def test_a_server_that_was_started_anew_meanwhile_is_left_alone(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, full, anew = EmbeddedServer(free_home), Mock(returncode=None), Mock(returncode=None)
    full.terminate.side_effect = ProcessLookupError
    server._process, server.monitor_url = full, "http://127.0.0.1:1"

    def ends_and_is_started_anew(_: str) -> bool:
        full.returncode, server._process = -9, anew
        return True

    monkeypatch.setattr("services.server.found_no_room", ends_and_is_started_anew)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Mock(free=10**9))
    assert not await server.end_if_it_stores_nothing()
    anew.terminate.assert_not_called()


@pytest.mark.parametrize(
    ("status", "said", "broken_off", "full"),
    [
        (503, b'{"error":"JetStream stream write error: write 2.blk: no space left on device"}', 0, True),
        (503, b'{"error":"JetStream stream write', 40, False),
        (503, b'{"error":"JetStream is not current"}', 0, False),
        (200, b'{"status":"ok"}', 0, False),
    ],
)
def test_what_the_server_says_of_its_health_tells_whether_it_found_no_room(
    status: int, said: bytes, broken_off: int, full: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(4096)
                length = len(said) + broken_off
                line.sendall(b"HTTP/1.0 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, length, said))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert found_no_room(f"http://127.0.0.1:{listener.getsockname()[1]}") is full
        thread.join()
