"""Facts to be appended to a log, and a server that has one."""

from __future__ import annotations

from datetime import UTC, datetime

from nats.js import JetStreamContext

from events.envelope import Event, make_event
from events.streams import declare_streams
from tests.chainserver import ChainServer


def fact(number: int, order: str = "W-1") -> Event:
    return make_event(
        "item.received",
        source="importer:north",
        id=f"e{number}",
        subject=order,
        time=datetime(2026, 3, 2, tzinfo=UTC),
        data={},
    )


async def declared(chain_server: ChainServer) -> JetStreamContext:
    context = (await chain_server.connect("keeper")).jetstream()
    await declare_streams(context)
    return context
