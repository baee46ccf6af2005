"""A log, and projectors that follow it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from events.clock import SimulatedClock
from events.envelope import Event, make_event
from events.log import append_batch, last_position
from events.streams import declare_streams
from services import story
from services.answering import ask, query_subject
from services.projector import Projector
from tests.chainserver import ChainServer
from tests.ready import put_empty_database

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def told(language: str = "en") -> list[Event]:
    """The watch story as facts of the log."""
    facts = []
    for step in story.watch_story(language):
        event = Event.model_validate(step.as_event() | {"recordedtime": step.at})
        facts.append(event.model_copy(update={"subject": story.ORDER if event.name[:5] != "party" else event.subject}))
    return facts


def small_orders(count: int, first: int = 0, text: str = "") -> list[Event]:
    """Two facts each of ``count`` orders."""
    facts = []
    for number in range(first, first + count):
        at = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(minutes=number)
        common: dict[str, Any] = {"source": "retailer:acme", "subject": f"S-{number}", "recordedtime": at, "time": at}
        opened = {"product": {"brand": "Example", "serial": f"N-{number}"}, "fault_text": text or "does not start"}
        facts.append(make_event("order.opened", id=f"o{number}", data=opened, **common))
        facts.append(make_event("item.handed_over", id=f"h{number}", data={"to": "importer:north"}, **common))
    return facts


class Chain:
    """A log, and projectors that follow it."""

    def __init__(self, server: ChainServer) -> None:
        self.server = server
        self.path = server.home / "readmodels" / "test.duckdb"
        self.running: Projector | None = None

    async def connect(self) -> None:
        put_empty_database(self.path)
        self.client = await self.server.connect("keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
        self.js = self.client.jetstream()
        await declare_streams(self.js)

    async def append(self, facts: Sequence[Event]) -> int:
        """Returns the position of the last one."""
        return (await append_batch(self.js, facts))[-1].position

    @asynccontextmanager
    async def projector(self, path: Path | None = None, **options: Any) -> AsyncIterator[Projector]:
        async def connection() -> Any:
            return await self.server.connect("projector", max_reconnect_attempts=-1, reconnect_time_wait=0.05)

        self.running = Projector(connection, path or self.path, SimulatedClock(NOW), **options)
        await self.running.start()
        try:
            yield self.running
        finally:
            await self.running.stop()

    async def ask(self, name: str, args: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
        """Ask about everything that the log has by now, unless it is said otherwise."""
        rest.setdefault("at_least", await last_position(self.js))
        return await ask(self.client, name, args, **rest)

    def arrived(self) -> int:
        """How far the projector has read the log, applied or not."""
        assert self.running is not None
        assert self.running.upkeep._tail is not None
        return self.running.upkeep._tail.position

    async def orders(self) -> int:
        """How many there are in all that the log has by now."""
        return int((await self.ask("orders", {"limit": 1}))["total"])

    async def raw(self, name: str, body: bytes) -> dict[str, Any]:
        """The answer as it comes, errors too."""
        answer: dict[str, Any] = orjson.loads((await self.client.request(query_subject(name), body, timeout=5)).data)
        return answer
