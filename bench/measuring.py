"""What the benchmarks share: a durable server with its store in a temporary folder, made-up facts, and how to print."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from events.clock import SystemClock
from events.envelope import Event, make_event
from events.streams import declare_streams
from services.connecting import connect
from services.rights import KEEPER_USER
from services.server import EmbeddedServer
from services.settings import Settings, load_settings

START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)


@asynccontextmanager
async def durable_server(folder: Path | None = None) -> AsyncIterator[Settings]:
    """The settings of a home on which our own server runs: sync always, on loopback, all of it removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="repairchain-bench-", dir=folder))
    try:
        settings = load_settings(home=home / "home", nats_port=0)
        async with EmbeddedServer(settings.home):
            connection = await connect(settings, KEEPER_USER)
            await declare_streams(connection.jetstream())
            await connection.close()
            yield settings
    finally:
        shutil.rmtree(home, ignore_errors=True)


def stories(count: int, seed: int = 7) -> Iterator[Event]:
    """``count`` facts of many orders that are under way at the same time: each is opened, passed on, mended, closed."""
    shuffle = random.Random(seed)
    shop, north, bench = "retailer:acme", "importer:north", "repairer:bench"
    steps: list[tuple[str, str, dict[str, Any]]] = [
        (shop, "order.opened", {"customer": "C", "product": {"brand": "Example", "model": "Diver", "serial": "S"}}),
        (shop, "item.handed_over", {"to": north, "carrier": "post"}),
        (north, "item.received", {}),
        (north, "item.handed_over", {"to": bench, "carrier": "courier"}),
        (bench, "item.received", {}),
        (bench, "diagnosis.made", {"summary": "crown and stem are broken"}),
        (bench, "repair.started", {}),
        (bench, "repair.completed", {"summary": "new crown and stem"}),
        (bench, "item.handed_over", {"to": shop}),
        (shop, "item.received", {}),
        (shop, "order.closed", {"outcome": "repaired"}),
    ]
    under_way: list[list[int]] = []
    opened = 0
    for number in range(count):
        if len(under_way) < 2_000 and (not under_way or shuffle.random() < 0.12):
            under_way.append([opened, 0])
            opened += 1
            place = len(under_way) - 1
        else:
            place = shuffle.randrange(len(under_way))
        order, step = under_way[place]
        source, name, data = steps[step]
        moment = START + timedelta(seconds=number * 30)
        if name == "order.opened":
            data = {**data, "customer": f"C-{order}", "product": {**data["product"], "serial": f"SN-{order}"}}
        yield make_event(
            name,
            source=source,
            id=f"e{order}-{step}",
            subject=f"W-{order}",
            time=moment,
            data=data,
            recordedtime=moment,
        )
        if step + 1 == len(steps):
            under_way[place] = under_way[-1]
            under_way.pop()
        else:
            under_way[place][1] += 1


def report(what: str, ours: float, yardstick: float, yardstick_name: str, unit: str, wanted: float) -> bool:
    """Print ours, the yardstick and their ratio; whether the ratio is what is wanted."""
    ratio = ours / yardstick
    verdict = "ok" if ratio >= wanted else "BELOW"
    print(f"{what}: {ours:,.0f} {unit}; {yardstick_name}: {yardstick:,.0f} {unit}")
    print(f"ratio {ratio:.2f}, wanted {wanted:g}: {verdict}")
    return ratio >= wanted


CLOCK = SystemClock()
