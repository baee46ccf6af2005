"""A chain with its door over HTTP open, and partners that come with a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import requests

from events import names
from events.clock import SimulatedClock
from events.streams import declare_streams
from services.http.keys import make_key
from services.http.service import HttpService
from services.http.serving import Where
from services.settings import load_settings
from services.wiring import build
from tests.chainserver import ChainServer
from tests.ready import projectors_borrow
from tests.services.intakes import intake_on

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IMPORTER, REPAIRER = "importer:noord", "repairer:north"

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class Caller:
    """Speaks HTTP as one party."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def post(
        self, path: str, body: Any, kind: str = STRUCTURED, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        payload = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {**self.headers, "Content-Type": kind, **(headers or {})}
        return await asyncio.to_thread(requests.post, self.url + path, data=payload, headers=sent, timeout=30)

    async def get(self, path: str) -> requests.Response:
        return await asyncio.to_thread(requests.get, self.url + path, headers=self.headers, timeout=30)


class Counter:
    """``caller(party)`` comes with a key of its own; ``running(role)`` is that role's intake at work."""

    def __init__(self, server: ChainServer, http: HttpService, clock: SimulatedClock) -> None:
        self.server = server
        self.http = http
        self.clock = clock

    async def caller(self, party: str) -> Caller:
        await self.server.add_party(party)
        return Caller(self.http.url, await asyncio.to_thread(make_key, self.server.home, party, self.clock.now()))

    @asynccontextmanager
    async def running(self, *roles: str) -> AsyncIterator[None]:
        """The intakes of these roles; and the projector if it is among them."""
        async with AsyncExitStack() as life:
            life.enter_context(projectors_borrow())
            for role in roles:
                service = self._projector() if role == "projector" else intake_on(self.server, role, self.clock)
                await service.start()
                life.push_async_callback(service.stop)
            yield

    def _projector(self) -> Any:
        return build("projector", load_settings(home=self.server.home, nats_url=self.server.url), self.clock)


@asynccontextmanager
async def open_counter(server: ChainServer, *, wait: float = 10.0, **settings: Any) -> AsyncIterator[Counter]:
    """A door on a free port of loopback; ``wait`` is how long a receipt is waited for."""
    await declare_streams((await server.connect("keeper")).jetstream())
    clock = SimulatedClock(NOW)
    chosen = load_settings(home=server.home, nats_url=server.url, http_port=0, **settings)
    http = HttpService(await server.connect(names.HTTP), clock, chosen, Where("127.0.0.1", 0), wait=wait)
    await http.start()
    try:
        yield Counter(server, http, clock)
    finally:
        await http.stop()


PROBLEM = "application/problem+json"


def kind(answer: Any) -> str:
    """The problem's type, short."""
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    return str(body["type"]).rpartition(":")[2]
