"""All services of a chain in one process, for tests of what is asked of them: ``python -m tests.cli.together HOME``.

It says ``ready`` on its stdout when they are, and ends well on SIGTERM. A process for each, as ``repairchain up`` has
them, would spend most of its time on starting.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from events.clock import SystemClock
from events.names import SERVICES
from services.health import serve_health
from services.logs import configure_logs
from services.server import EmbeddedServer
from services.settings import load_settings
from services.wiring import build

ROOT = Path(__file__).parents[2]


@contextmanager
def running_together(home: Path) -> Iterator[None]:
    """A chain on ``home`` that runs in a process of its own, all of its services ready."""
    command = [sys.executable, "-m", "tests.cli.together", str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)
    assert running.returncode == 0


async def _run(home: Path) -> None:
    settings = load_settings(home=home, nats_port=0)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(EmbeddedServer(home))
        for name in SERVICES:
            service = build(name, settings, SystemClock())
            await service.start()
            stack.push_async_callback(service.stop)
            await stack.enter_async_context(serve_health(settings.folder, name, {name: service.check}))
        print("ready", flush=True)
        await stopping.wait()


if __name__ == "__main__":
    configure_logs("together", level="warning")
    asyncio.run(_run(Path(sys.argv[1])))
