"""All services of a chain in one process, for tests of what is asked of them.

It is forked from one that has imported everything, and ends well on SIGTERM. A process for each service, as
``repairchain up`` has them, would spend most of its time on starting.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from events.clock import SystemClock
from events.names import SERVICES
from services.health import serve_health
from services.logs import configure_logs
from services.server import EmbeddedServer
from services.settings import load_settings
from services.wiring import build
from tests.reliability import forked


@contextmanager
def running_together(home: Path) -> Iterator[None]:
    """A chain on ``home`` that runs in a process of its own, all of its services ready."""
    ready, tell = multiprocessing.Pipe(duplex=False)
    log = home.parent / "together.log"
    running = forked.call(_main, home, tell, log=log)
    tell.close()
    try:
        ready.recv()  # EOFError if it has ended
        yield
    finally:
        running.terminate()
        running.join(30)
    assert running.exitcode == 0, log.read_text()


def _main(home: Path, tell: Connection) -> None:
    configure_logs("together", level="warning")
    asyncio.run(_run(home, tell))


async def _run(home: Path, tell: Connection) -> None:
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
        tell.send("ready")
        await stopping.wait()
