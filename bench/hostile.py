"""How long one partner waits for its receipts while another floods and forges, beside how long it waits alone.

``python -m bench.hostile [--orders N] [--operations N]``. Both in one run: the good partner hands in alone first, then
beside the hostile one. Server, intake and hostile partner have a process
each. What the good one hears must be the same; see tests/access/hostile.py.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from services.logs import configure_logs
from tests.access.hostile import BAD, GOOD, Work
from tests.chainserver import ChainServer
from tests.waiting import eventually

_WANTED = 2.0


@asynccontextmanager
async def shop(home: Path, run: str) -> AsyncIterator[Work]:
    """The good partner, where the retailers' intake has a process of its own."""
    async with ChainServer(home) as server:
        for party in (GOOD, BAD):
            await server.add_party(party)
        command = [sys.executable, "-m", "cli.main", "--home", str(home), "run", "retailer"]
        environment = {**os.environ, "REPAIRCHAIN_HEALTH_PORT": "0", "REPAIRCHAIN_LOG_LEVEL": "error"}
        intake = await asyncio.create_subprocess_exec(*command, env=environment)
        try:
            await eventually(server.embedded.folder.service_file("retailer").exists, "intake is ready")
            work = Work(await server.connect(GOOD), run)
            await work.listen()
            yield work
        finally:
            intake.terminate()
            await intake.wait()


async def measure(orders: int, operations: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="repairchain-hostile-") as folder:
        async with shop(Path(folder) / "alone", "alone") as alone:
            await alone.hand_in(orders)
        async with shop(Path(folder) / "beside", "beside") as beside:
            command = [sys.executable, "-m", "bench.harming", f"{Path(folder) / 'beside'}", f"{operations}"]
            hostile = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            assert hostile.stdout is not None
            await hostile.stdout.readline()  # it begins
            ended = asyncio.create_task(hostile.stdout.readline())
            await beside.hand_in(orders)
            at_work = not ended.done()
            tried = int(await ended)
            await hostile.wait()
    assert beside.heard == alone.heard
    ratio = beside.p99 / alone.p99
    medians = [statistics.median(work.seconds) * 1e3 for work in (alone, beside)]
    print(
        f"{2 * orders} submissions beside {tried:,} hostile operations"
        f"{'' if at_work else ' (which ended first: ask for more)'}: the same receipts"
    )
    print(f"median {medians[0]:.1f} ms alone, {medians[1]:.1f} ms beside")
    p99s = f"p99 {alone.p99 * 1e3:.1f} ms alone, {beside.p99 * 1e3:.1f} ms beside"
    print(f"{p99s}: {ratio:.2f} times, wanted {_WANTED:g}")
    return ratio <= _WANTED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--operations", type=int, default=10_000)
    given = parser.parse_args()
    configure_logs("hostile", level="error")
    sys.exit(not uvloop.run(measure(given.orders, given.operations)))


if __name__ == "__main__":
    main()
