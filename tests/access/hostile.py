"""A partner that means harm, beside one that does its work: what the second hears and what the log says of it."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import log, names
from events.clock import SystemClock
from events.streams import declare_streams
from events.subjects import box_stream, box_subject, intake_subject, notices_subject, receipts_subject
from events.tail import read_until
from services.boxes import unsettled
from services.settings import load_settings
from services.wiring import build
from tests.chainserver import ChainServer

#: The one that works, and the one that does not want it to.
GOOD: Final = "retailer:acme"
BAD: Final = "retailer:rival"

_PATIENCE: Final = 60.0


def submission(source: str, id: str, order: str, name: str = "order.opened", **data: Any) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": f"repairchain.{name}.v1",
            "subject": order,
            "time": "2026-03-02T09:00:00Z",
            "data": data or {"product": {"brand": "Example", "model": "Diver"}},
        }
    )


@dataclass
class Work:
    """What the good partner hands in, one after the other, and what it hears: receipts, and how long each took."""

    client: Client
    run: str
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    strangers: list[bytes] = field(default_factory=list)
    _came: dict[str, asyncio.Event] = field(default_factory=dict)

    async def listen(self) -> None:
        for subject in (receipts_subject(GOOD), notices_subject(GOOD), "_INBOX.mine.>"):
            await self.client.subscribe(subject, cb=self._hear)
        await self.client.flush()

    async def _hear(self, message: Msg) -> None:
        try:
            found = orjson.loads(message.data)["receipts"]
        except (ValueError, KeyError, TypeError):
            self.strangers.append(message.data)
            return
        for receipt in found:
            if receipt["id"] in self._came:
                # What was handed in once more because its acknowledgement stayed out is a duplicate: the first counts.
                self.receipts.setdefault(receipt["id"], receipt)
                self._came[receipt["id"]].set()
            else:
                self.strangers.append(message.data)

    async def hand_in(self, count: int) -> None:
        """``count`` orders, each opened and passed on; each submission waits for its receipt."""
        for number in range(count):
            order = f"W-{number}~acme"
            await self._one(f"open-{number}", order, "order.opened")
            await self._one(f"hand-{number}", order, "item.handed_over", to="importer:north")

    async def _one(self, id: str, order: str, name: str, **data: Any) -> None:
        self._came[id] = asyncio.Event()
        began = time.perf_counter()
        body = submission(GOOD, id, order, name, **data)
        while True:
            with suppress(nats.errors.TimeoutError):
                await self.client.request(intake_subject(GOOD), body, timeout=5)
                break
        await asyncio.wait_for(self._came[id].wait(), _PATIENCE)
        self.seconds.append(time.perf_counter() - began)

    @property
    def heard(self) -> dict[str, Any]:
        """The receipts, without what depends on who else wrote: positions and sequences."""
        return {
            id: {name: value for name, value in receipt.items() if name not in ("position", "sequence")}
            for id, receipt in sorted(self.receipts.items())
        }

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.seconds, n=100)[98]


async def harm(client: Client, operations: int, seed: int = 1) -> int:
    """As many hostile operations as are asked for; what the server refuses is refused. Returns how many were tried."""
    chance = random.Random(seed)
    mine, theirs = intake_subject(BAD), intake_subject(GOOD)
    replies = (receipts_subject(GOOD), notices_subject(GOOD), "_INBOX.mine.x", "repairs.W-1.order.opened", theirs)
    tried = 0
    while tried < operations:
        number = chance.randrange(200)
        for subject, body, reply, headers in (
            # In the other's name, with ids that it uses, and about its orders.
            (mine, submission(GOOD, f"open-{number}", f"W-{number}~acme"), "", None),
            (mine, submission(BAD, f"open-{number}", f"W-{number}~acme"), "", None),
            (mine, submission(BAD, f"x{tried}", f"W-{number}~acme", "order.closed", outcome="cancelled"), "", None),
            # The server's deduplication, and its expectations.
            (mine, b"{}", "", {"Nats-Msg-Id": f"open-{number}", "Nats-Expected-Last-Sequence": "0"}),
            (mine, b"{}", "", {"Nats-Rollup": "all"}),
            (mine, b"{}", "", {"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1"}),
            # Answers that are to be written where others listen.
            *((mine, b"[" * 50, reply, None) for reply in replies),
            # To the other's letter box, into the log, to the server.
            (theirs, submission(GOOD, f"forged-{tried}", f"F-{tried}"), "", None),
            (receipts_subject(GOOD), b'{"receipts": []}', "", None),
            ("repairs.W-1.order.closed", b"{}", "", None),
            ("$JS.API.STREAM.PURGE.REPAIRS", b"", "", None),
            (f"$JS.API.STREAM.DELETE.{box_stream(GOOD)}", b"", "", None),
            (box_subject(GOOD), b"{}", "", None),
            ("$KV.CUSTOMERS.a.b", b"{}", "", None),
            # Much, and large.
            (mine, b"x" * chance.choice((1, 1_000, 60_000)), "", None),
            (mine, orjson.dumps([{"id": str(each)} for each in range(200)]), "", None),
        ):
            await client.publish(subject, body, reply=reply, headers=headers)
            tried += 1
        if tried % 500 < 20:
            with suppress(nats.errors.Error, TimeoutError):
                await client.flush(10)
        await asyncio.sleep(0)
    with suppress(nats.errors.Error, TimeoutError):
        await client.flush(30)
    return tried


@asynccontextmanager
async def shop_at_work(home: Path, run: str) -> AsyncIterator[tuple[ChainServer, Work]]:
    """A server, the retailers' intake, and the good partner."""
    async with ChainServer(home) as server:
        for party in (GOOD, BAD):
            await server.add_party(party)
        keeper = await server.connect("keeper")
        await declare_streams(keeper.jetstream())
        service = build("retailer", load_settings(home=home), SystemClock())
        await service.start()
        try:
            work = Work(await server.connect(GOOD), run)
            await work.listen()
            yield server, work
        finally:
            await service.stop()


async def said_by(server: ChainServer, party: str) -> list[tuple[str, str, str, Any]]:
    """What the log holds that ``party`` has said: id, order, name and data."""
    keeper = await server.connect("keeper")
    js = keeper.jetstream()
    found = []
    async for batch in read_until(js, await log.last_position(js)):
        for _, payload in batch:
            event = orjson.loads(payload)
            if event["source"] == party:
                found.append((event["id"], event["subject"], event["type"], event["data"]))
    await keeper.close()
    return found


async def all_settled(server: ChainServer) -> bool:
    """Whether intake has dealt with everything."""
    keeper = await server.connect("keeper")
    left = await unsettled(keeper.jetstream())
    await keeper.close()
    return not left[names.INTAKE_DURABLES["retailer"]]
