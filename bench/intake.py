"""Intake of one service process, beside bare ``publish_async`` into a stream of the same server, in the same run.

``python -m bench.intake [--facts N] [--rounds N]``. Both run in a process of their own against one server with sync
always. Intake counts everything from the partner's stream to the last receipt: reading, validating, resolving,
appending in atomic batches, receipts, acknowledgements.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time

import orjson
import uvloop
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

from bench.measuring import CLOCK, durable_server, report
from events.subjects import box_subject
from services.connecting import connect
from services.garbage import collect_less_often
from services.parties import add_party
from services.rights import KEEPER_USER
from services.settings import Settings, load_settings
from services.wiring import build

_ORDERS_SHARE = 4
PARTY = "repairer:bench"


def submissions(count: int, round: int) -> list[bytes]:
    """``count`` submissions of one repairer; every fourth opens an order, the others are about it."""
    bodies = []
    for number in range(count):
        order, step = divmod(number, _ORDERS_SHARE)
        name, data = (
            ("order.opened", {"product": {"brand": "Example", "model": "Diver", "serial": f"SN-{order}"}})
            if step == 0
            else ("diagnosis.made", {"summary": "crown and stem are broken, the movement is sound"})
        )
        event = {
            "specversion": "1.0",
            "id": f"{round}-{number}",
            "source": PARTY,
            "type": f"repairchain.{name}.v1",
            "subject": f"W-{round}-{order}",
            "time": "2026-03-02T09:00:00Z",
            "data": data,
        }
        bodies.append(orjson.dumps(event))
    return bodies


async def publish(settings: Settings, subject: str, bodies: list[bytes]) -> float:
    """Messages per second of ``publish_async`` until the last acknowledgement."""
    connection = await connect(settings, KEEPER_USER)
    js = connection.jetstream(publish_async_max_pending=4_000)
    began = time.perf_counter()
    for body in bodies:
        await js.publish_async(subject, body)
    await js.publish_async_completed()
    took = time.perf_counter() - began
    await connection.close()
    return len(bodies) / took


async def take_in(settings: Settings, count: int, *, poisoned: bool = False) -> float:
    """Submissions per second of one intake service, until the last receipt has come; all good, unless ``poisoned``."""
    connection = await connect(settings, KEEPER_USER)
    done = asyncio.Event()
    heard = 0

    async def hear(message: Msg) -> None:
        nonlocal heard
        receipts = orjson.loads(message.data)["receipts"]
        assert poisoned or all(receipt["outcome"] == "accepted" for receipt in receipts)
        heard += len(receipts)
        if heard >= count:
            done.set()

    await connection.subscribe("receipts.>", cb=hear)
    await connection.flush()
    service = build("repairer", settings, CLOCK)
    began = time.perf_counter()
    await service.start()
    collect_less_often()  # as a service's process does
    await done.wait()
    took = time.perf_counter() - began
    await service.stop()
    await connection.close()
    return count / took


def in_a_process(*args: str) -> float:
    """Run a part of this benchmark in a process of its own; its figure is the last line that it prints."""
    command = [sys.executable, "-m", "bench.intake", *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


async def part(name: str, home: str, count: int, round: int) -> float:
    settings = load_settings(home=home)
    if name == "bare":
        return await publish(settings, "bare.x", submissions(count, round))
    return await take_in(settings, count)


async def run(count: int, rounds: int) -> bool:
    async with durable_server() as settings:
        connection = await connect(settings, KEEPER_USER)
        await connection.jetstream().add_stream(StreamConfig(name="BARE", subjects=["bare.>"]))
        await connection.close()
        await asyncio.to_thread(add_party, settings.home, PARTY)
        bares, mine = [], []
        for number in range(rounds):
            rest = (str(settings.home), str(count), str(number))
            bares.append(await asyncio.to_thread(in_a_process, "bare", *rest))
            await publish(settings, box_subject(PARTY), submissions(count, number))
            mine.append(await asyncio.to_thread(in_a_process, "intake", *rest))
            print(f"round {number + 1}: bare {bares[-1]:,.0f}/s, intake {mine[-1]:,.0f}/s", flush=True)
        return report(
            "intake of one service process",
            statistics.median(mine),
            statistics.median(bares),
            "bare publish_async",
            "messages/s",
            1.0,
        )


def main() -> None:
    if len(sys.argv) == 5 and sys.argv[1] in ("bare", "intake"):
        name, home, count, round = sys.argv[1:]
        print(uvloop.run(part(name, home, int(count), int(round))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.exit(not uvloop.run(run(given.facts, given.rounds)))


if __name__ == "__main__":
    main()
