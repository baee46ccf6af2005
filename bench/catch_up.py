"""Catch-up from the log into DuckDB, beside a bare nats-py ordered consumer that only counts, in the same run.

``python -m bench.catch_up [--facts N] [--rounds N]``. The two take turns on the same log, and the medians are
compared. Ours counts everything: reading, mirroring, and at the end all read models.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import nats
import uvloop
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from bench.measuring import CLOCK, durable_server, report, stories
from events import names
from events.atomic_batch import MAX_BATCH
from events.log import append_batch, last_position
from services.connecting import connect, login
from services.projector import Projector
from services.rights import KEEPER_USER, inbox_prefix
from services.settings import Settings


async def fill(settings: Settings, count: int) -> None:
    """Put ``count`` facts into the log."""
    connection = await connect(settings, KEEPER_USER)
    js = connection.jetstream()
    batch = []
    for event in stories(count):
        batch.append(event)
        if len(batch) == MAX_BATCH:
            await append_batch(js, batch)
            batch = []
    await append_batch(js, batch)
    await connection.close()


async def bare(settings: Settings, count: int) -> float:
    """Facts per second of an ordered consumer whose callback only counts."""
    found = login(settings, KEEPER_USER)
    connection = await nats.connect(found.url, inbox_prefix=inbox_prefix(KEEPER_USER), **found.credential.options)
    done = asyncio.Event()
    seen = 0

    async def take(message: Msg) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            done.set()

    began = time.perf_counter()
    await connection.jetstream().subscribe(
        f"{names.LOG_ROOT}.>",
        cb=take,
        ordered_consumer=True,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
        pending_msgs_limit=0,
        pending_bytes_limit=0,
    )
    await done.wait()
    took = time.perf_counter() - began
    await connection.close()
    return count / took


async def ours(settings: Settings, count: int, file: Path) -> float:
    """Facts per second of the projector, from an empty file until every read model reflects the end of the log."""
    projector = Projector(partial(connect, settings, "projector"), file, CLOCK, patience=600)
    began = time.perf_counter()
    await projector.start()
    await projector.upkeep.wait_for(count)
    took = time.perf_counter() - began
    await projector.stop()
    await asyncio.to_thread(file.unlink)
    return count / took


async def run(count: int, rounds: int) -> bool:
    async with durable_server() as settings:
        await fill(settings, count)
        connection = await connect(settings, KEEPER_USER)
        count = await last_position(connection.jetstream())
        await connection.close()
        bares, mine = [], []
        for number in range(rounds):
            bares.append(await bare(settings, count))
            mine.append(await ours(settings, count, settings.home / f"{number}.duckdb"))
            print(f"round {number + 1}: bare {bares[-1]:,.0f}/s, into DuckDB {mine[-1]:,.0f}/s", flush=True)
        return report(
            "catch-up into DuckDB with all read models",
            statistics.median(mine),
            statistics.median(bares),
            "bare ordered consumer",
            "facts/s",
            0.6,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(not uvloop.run(run(given.facts, given.rounds)))


if __name__ == "__main__":
    main()
