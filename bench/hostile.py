"""How long one partner waits for its receipts while another floods and forges, beside how long it waits alone.

``python -m bench.hostile [--orders N] [--operations N]``. Both in one run: the good partner hands in alone first, then
beside the hostile one. What it hears and what the log says of it must be the same; see tests/access/hostile.py.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

import uvloop

from services.logs import configure_logs
from tests.access.hostile import BAD, harm, shop_at_work

_WANTED = 2.0


async def measure(orders: int, operations: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="repairchain-hostile-") as folder:
        async with shop_at_work(Path(folder) / "alone", "alone") as (_, alone):
            await alone.hand_in(orders)
        async with shop_at_work(Path(folder) / "beside", "beside") as (server, beside):
            hostile = asyncio.create_task(harm(await server.connect(BAD), operations))
            await beside.hand_in(orders)
            at_work = not hostile.done()
            tried = await hostile
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
