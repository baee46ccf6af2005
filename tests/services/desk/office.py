"""A chain in this process, on a real server: intake, read models, and the notifier with the desk beside it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import quopri
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.clock import SimulatedClock
from events.subjects import intake_subject, receipts_subject
from services.answering import ask
from services.desk.calling import call_desk
from services.settings import Settings, load_settings
from services.wiring import build
from tests.chainserver import ChainServer
from tests.ready import put_empty_database
from tests.waiting import eventually

SHOP = "retailer:acme"
#: A Monday at noon, when letters may go out.
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

#: What must be found nowhere but where it belongs.
NAME, EMAIL, PHONE = "Zoë Kanariella", "zo.canary@kooi.example", "+31687654321"
CONTACT = {
    "name": NAME,
    "language": "nl",
    "channels": [{"kind": "email", "address": EMAIL}, {"kind": "sms", "address": PHONE}],
}


class Office:
    """``async with Office(server)``: a retailer's intake, the projector, and the notifier with its desk."""

    def __init__(self, server: ChainServer, services: tuple[str, ...] = ("projector", "retailer", "notifier")) -> None:
        self.server = server
        self.home: Path = server.home
        self.clock = SimulatedClock(NOW)
        self._services = services
        self._life = AsyncExitStack()
        self._receipts: dict[int, dict[str, Any]] = {}
        self._count = 0

    async def __aenter__(self) -> Self:
        settings: Settings = load_settings(home=self.home)
        if not settings.folder.database.exists():
            put_empty_database(settings.folder.database)
        await self.server.add_party(SHOP)
        for name in self._services:
            service = build(name, settings, self.clock)
            await service.start()
            self._life.push_async_callback(service.stop)
        self.operator: Client = await self.server.connect("operator")
        self.keeper: Client = await self.server.connect("keeper")
        await self.operator.subscribe(receipts_subject(SHOP), cb=self._hear)
        await self.operator.flush()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._life.aclose()

    async def _hear(self, message: Msg) -> None:
        for receipt in orjson.loads(message.data)["receipts"]:
            self._receipts[receipt["sequence"]] = receipt

    async def hand_in(self, name: str, order: str, data: dict[str, Any], **more: Any) -> int:
        """Hand in as the shop; the place in the intake stream."""
        self._count += 1
        document = {
            "specversion": "1.0",
            "id": f"e{self._count}",
            "source": SHOP,
            "type": f"repairchain.{name}.v1",
            "subject": order,
            "time": "2026-03-02T11:00:00Z",
            "data": data,
            **more,
        }
        reply = await self.operator.request(intake_subject(SHOP), orjson.dumps(document), timeout=5)
        return int(orjson.loads(reply.data)["seq"])

    async def say(self, name: str, order: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Hand in as the shop, and the receipt."""
        sequence = await self.hand_in(name, order, data, **more)
        return await eventually(lambda: self._receipts.get(sequence), "a receipt")

    async def open(self, order: str, customer: str = "C-77", **more: Any) -> dict[str, Any]:
        """The shop takes in a watch of hers."""
        data = {"product": {"model": "Meridian"}, "customer": customer, "contact": CONTACT}
        return await self.say("order.opened", order, data, **more)

    async def desk(self, verb: str, **args: Any) -> dict[str, Any]:
        return await call_desk(self.operator, verb, args)

    async def ask(self, name: str, **args: Any) -> dict[str, Any]:
        position = (await self.keeper.jetstream().stream_info("REPAIRS")).state.last_seq
        return await ask(self.operator, name, args, at_least=position)

    async def facts(self, order: str) -> list[tuple[str, str, dict[str, Any]]]:
        """What is in the log about an order, messages of ours aside: name, source, data."""
        timeline = await self.ask("timeline", order=order, raw=True)
        return [
            (entry["type"], entry["source"], entry["data"])
            for entry in timeline["entries"]
            if not entry["type"].startswith("message.")
        ]

    async def lies_on_the_disk(self, *needles: str) -> list[str]:
        """The files below the home that hold one of ``needles``, as it is or as it may be written."""
        return await asyncio.to_thread(files_with, self.home, *needles)


def files_with(folder: Path, *needles: str) -> list[str]:
    """Files whose bytes hold one of ``needles``: as UTF-8, with JSON's escapes, quoted-printable, or in base64."""
    shapes = {shape for needle in needles for shape in _shapes(needle)}
    found = []
    # The server takes files and folders away while we look; walk passes over those that are gone.
    for path in sorted(Path(parent) / name for parent, _, files in os.walk(folder) for name in files):
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes() if path.is_file() else b""
            small = content.lower()
            if any(shape in content or shape in small for shape in shapes):
                found.append(str(path.relative_to(folder)))
    return found


def _shapes(needle: str) -> set[bytes]:
    plain = needle.encode()
    shapes = {plain, plain.lower(), json.dumps(needle)[1:-1].encode(), quopri.encodestring(plain)}
    # In base64 a text looks in three ways, by where it begins; its ends mix with its neighbours.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        shapes.add(encoded[4 if shift else 0 : len(encoded) - 4])
    return shapes
