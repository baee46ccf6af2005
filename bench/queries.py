"""Timeline and status over the query service, with a large history in the file: p50, p90 and p99 of single questions.

``python -m bench.queries [--orders N] [--questions N] [--file FILE]``. A FILE that exists is asked as it is, one that
does not is made and kept, so that it can be asked again; without it everything is removed. The projector runs in a
process of its own; the client asks one question after the other, half about recent orders, half about any.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import uvloop
from nats.aio.client import Client

from bench.measuring import CLOCK, durable_server
from bench.projections.filling import fill
from projections.database import open_database
from services.answering import ask
from services.connecting import connect
from services.keeping_up import KeepingUp
from services.projector import Projector
from services.settings import load_settings

#: p99 of one question, as the client sees it (seconds).
WANTED = 0.050


class Still(KeepingUp):
    """Serves a file whose log is not there: it follows nothing."""

    async def begin(self) -> None:
        """There is no log to compare with."""
        await self._announce()

    async def follow(self) -> NoReturn:
        """Follow nothing, until it is cancelled."""
        while True:
            await asyncio.Event().wait()


async def serve(home: str, file: str) -> None:
    settings = load_settings(home=home)
    projector = Projector(partial(connect, settings, "projector"), Path(file), CLOCK)
    with patch("services.projector.KeepingUp", Still):
        await projector.start()
    print("ready", flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await projector.stop()


async def time_questions(connection: Client, name: str, orders: int, count: int) -> list[float]:
    shuffle = random.Random(11)
    took = []
    for number in range(count):
        highest = orders - 1
        order = shuffle.randint(highest - orders // 50, highest) if number % 2 else shuffle.randint(0, highest)
        began = time.perf_counter()
        result = await ask(connection, name, {"order": f"W-{order}"})
        took.append(time.perf_counter() - began)
        assert (result["order"] if name == "timeline" else result)["order_id"] == f"W-{order}"
    return sorted(took)


async def run(orders: int, questions: int, file: Path) -> bool:
    reached = True
    async with durable_server() as settings:
        command = [sys.executable, "-m", "bench.queries", "serve", str(settings.home), str(file)]
        server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            assert server.stdout is not None
            assert await server.stdout.readline() == b"ready\n"
            connection = await connect(settings, "operator")
            for name in ("status", "timeline"):
                await time_questions(connection, name, orders, 20)  # warm
                took = await time_questions(connection, name, orders, questions)
                p50, p90, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.9, 0.99))
                verdict = "ok" if p99 < WANTED * 1000 else "ABOVE"
                print(f"{name}: p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms (wanted p99 < 50 ms): {verdict}")
                reached = reached and verdict == "ok"
            await connection.close()
        finally:
            server.terminate()
            await asyncio.wait_for(server.wait(), 30)
    return reached


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "serve":
        uvloop.run(serve(*sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repairchain-bench-") as scratch:
        file = given.file or Path(scratch) / "models.duckdb"
        if not file.exists():
            fill(file, given.orders).close()
            with open_database(file) as database:
                database.rebuild()
        sys.exit(not uvloop.run(run(given.orders, given.questions, file)))


if __name__ == "__main__":
    main()
