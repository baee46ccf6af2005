"""Health checks: they really ask, they do not hang, and one port can be asked while the service works."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.health import HealthPortError, probe, serve_health
from services.home import HomeFolder, read_json
from tests.chainserver import ChainServer
from tests.waiting import eventually


@pytest.fixture
def folder(free_home: Path) -> HomeFolder:
    made = HomeFolder(free_home)
    made.create()
    return made


async def asked(url: str) -> tuple[bool, dict[str, Any]]:
    well, said = await asyncio.to_thread(probe, url)
    return well, orjson.loads(said)


async def fine() -> str:
    return "there"


async def broken() -> str:
    raise ConnectionError("gone fishing")


async def stuck() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_alive_and_ready(folder: HomeFolder) -> None:
    async with serve_health(folder, "watchdog", {"thing": fine}) as url:
        assert await asked(f"{url}/livez") == (True, {"service": "watchdog", "alive": True})
        well, report = await asked(f"{url}/readyz")
        assert well
        assert report["ready"] is True
        assert report["checks"]["thing"]["detail"] == "there"
        assert read_json(folder.service_file("watchdog")) == {"url": url, "pid": os.getpid()}
    assert not folder.service_file("watchdog").exists()


async def test_what_is_not_to_be_had_is_named(folder: HomeFolder) -> None:
    checks = {"good": fine, "bad": broken, "slow": stuck}
    async with serve_health(folder, "notifier", checks, time_limit=0.05) as url:
        well, report = await asked(f"{url}/readyz")
        assert (await asked(f"{url}/livez"))[0]  # not ready is not dead
    assert not well
    assert report["ready"] is False
    found = {name: (check["ok"], check["detail"]) for name, check in report["checks"].items()}
    assert found == {
        "good": (True, "there"),
        "bad": (False, "gone fishing"),
        "slow": (False, "no answer within 0.05 s"),
    }


async def test_other_paths_and_methods(folder: HomeFolder) -> None:
    async with serve_health(folder, "notifier", {}) as url:
        assert not (await asked(f"{url}/"))[0]
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /readyz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 405")
        writer.close()


async def test_one_that_is_being_stopped_is_not_ready_and_waits_for_no_check(folder: HomeFolder) -> None:
    begun, complaints = asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

    async def waits() -> str:
        begun.set()
        return await stuck()

    async with serve_health(folder, "retailer", {"thing": waits}, time_limit=60) as url:
        asking = asyncio.create_task(asked(f"{url}/readyz"))
        await asyncio.wait_for(begun.wait(), 30)
    well, report = await asking
    assert (well, report["ready"]) == (False, False)
    assert report["checks"]["thing"]["detail"] == "the service is being stopped"
    assert complaints == []


async def test_a_taken_port_gives_one_clear_sentence(folder: HomeFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HealthPortError) as raised:
            async with serve_health(folder, "retailer", {}, port=port):
                pass
    assert str(raised.value) == (
        f"retailer cannot answer health checks on 127.0.0.1:{port} (Address already in use): "
        "set health_port, 0 takes a free one"
    )


async def test_a_server_that_hangs_is_missed_and_one_that_has_gone(chain_server: ChainServer) -> None:
    lost = asyncio.Event()

    async def note() -> None:
        lost.set()

    services = await chain_server.connect("keeper", disconnected_cb=note, max_reconnect_attempts=-1)
    folder = HomeFolder(chain_server.home)

    async def answers() -> str:
        if not services.is_connected:
            raise ConnectionError("away")
        return f"{(await services.jetstream().account_info()).streams} streams"

    async with serve_health(folder, "retailer", {"server": answers}, time_limit=0.5) as url:

        async def is_well() -> bool:
            return (await asked(f"{url}/readyz"))[0]

        await eventually(is_well, "the server answers")
        os.kill(chain_server.embedded.pid, signal.SIGSTOP)  # it hangs, which a look at the connection would not show
        try:
            # Threads of it that run on another processor stop a moment later, and may answer once more.
            async def is_missed() -> bool:
                well, report = await asked(f"{url}/readyz")
                return not well and report["checks"]["server"]["detail"] == "no answer within 0.5 s"

            await eventually(is_missed, "the server is missed")
        finally:
            os.kill(chain_server.embedded.pid, signal.SIGCONT)
        await eventually(is_well, "the server answers again")
        os.kill(chain_server.embedded.pid, signal.SIGKILL)
        await asyncio.wait_for(lost.wait(), 30)
        assert not await is_well()


async def test_the_probe_as_containers_run_it(folder: HomeFolder) -> None:
    async def run(url: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.health", url]
        return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)

    async with serve_health(folder, "notifier", {"bad": broken}) as url:
        assert (await run(f"{url}/livez")).returncode == 0
        not_ready = await run(f"{url}/readyz")
        assert not_ready.returncode == 1
        assert "gone fishing" in not_ready.stdout
    gone = await run(f"{url}/livez")
    assert gone.returncode == 1
    assert "does not answer" in gone.stdout
    assert (await run("file:///etc/passwd")).returncode == 1
