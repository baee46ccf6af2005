"""Intakes on a real server, and partners that hand in and wait for their receipts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.clock import Clock, SimulatedClock
from events.subjects import intake_subject, receipts_subject
from services import importer, repairer, retailer
from services.credentials import credential
from services.intake.service import Intake
from services.rights import inbox_prefix
from services.wiring import security_of
from tests.chainserver import ChainServer
from tests.services import submissions

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

IMPORTER = "importer:north of. *"


def event(id: str, name: str = "order.opened", **more: Any) -> bytes:
    """As it goes over NATS."""
    return json.dumps(submissions.event(id, name, **more)).encode()


def intake_on(server: ChainServer, role: str, clock: Clock) -> Intake:
    """The intake of ``role``, not yet started."""
    broker = NatsBroker(
        server.url,
        security=security_of(credential(server.home, role)),
        inbox_prefix=inbox_prefix(role),
        apply_types=False,
        logger=None,
    )
    build = {"retailer": retailer.build, "importer": importer.build, "repairer": repairer.build}[role]
    return build(broker, clock, server.home / "state")


class Partner:
    """Hands in as one party and waits for receipts."""

    def __init__(self, connection: Client, party: str) -> None:
        self.connection = connection
        self.party = party
        self.receipts: dict[int, list[dict[str, Any]]] = {}
        self._came = asyncio.Condition()

    async def listen(self) -> None:
        await self.connection.subscribe(receipts_subject(self.party), cb=self._hear)
        await self.connection.flush()

    async def _hear(self, message: Msg) -> None:
        async with self._came:
            for receipt in orjson.loads(message.data)["receipts"]:
                self.receipts.setdefault(receipt["sequence"], []).append(receipt)
            self._came.notify_all()

    async def hand_in(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        reply = await self.connection.request(intake_subject(self.party), body, headers=headers, timeout=5)
        ack = orjson.loads(reply.data)
        assert "error" not in ack, ack
        return int(ack["seq"])

    async def say(self, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Hand in and wait for the receipt."""
        return await self.receipt(await self.hand_in(body, headers))

    async def receipt(self, sequence: int) -> dict[str, Any]:
        async with asyncio.timeout(15), self._came:
            await self._came.wait_for(lambda: sequence in self.receipts)
        return self.receipts[sequence][-1]

    async def heard(self, id: str, outcome: str) -> dict[str, Any]:
        """The first receipt for that event id with that outcome, now or later."""

        def found() -> list[dict[str, Any]]:
            every = [receipt for receipts in self.receipts.values() for receipt in receipts]
            return [receipt for receipt in every if (receipt["id"], receipt["outcome"]) == (id, outcome)]

        async with asyncio.timeout(15), self._came:
            await self._came.wait_for(found)
        return found()[0]


class Chain:
    """A server with intakes on it."""

    def __init__(self, server: ChainServer) -> None:
        self.server = server
        self.clock = SimulatedClock(NOW)

    async def partner(self, party: str) -> Partner:
        partner = Partner(await self.server.connect(party), party)
        await partner.listen()
        return partner

    def intake(self, role: str = "retailer") -> Intake:
        return intake_on(self.server, role, self.clock)

    @asynccontextmanager
    async def running(self, role: str = "retailer") -> AsyncIterator[Intake]:
        intake = self.intake(role)
        await intake.start()
        try:
            yield intake
        finally:
            await intake.stop()
