"""Connections that are watched for the moment at which the server cuts them off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from nats.aio.client import Client

from tests.chainserver import ChainServer

SHOP, OTHER = "retailer:acme", "importer:north"

#: The longest that a partner which is kept out may still be heard (seconds); it is some hundredths.
CUT_WITHIN = 5.0


class Watched:
    """A connection that does not come back, and the moment at which it ended."""

    def __init__(self, client: Client, gone: asyncio.Event) -> None:
        self.client = client
        self.gone = gone


async def watched(server: ChainServer, party: str) -> Watched:
    gone = asyncio.Event()

    async def note() -> None:
        gone.set()

    client = await server.connect(party, allow_reconnect=False, disconnected_cb=note, closed_cb=note)
    await client.flush()
    return Watched(client, gone)


async def seconds_until_cut(server: ChainServer, party: str, change: Callable[[Path, str], object]) -> float:
    """How long three live connections of ``party`` outlast the change; nobody else's end."""
    live = [await watched(server, party) for _ in range(3)]
    steady = await watched(server, OTHER)
    begin = time.monotonic()
    changing = asyncio.create_task(asyncio.to_thread(change, server.home, party))
    async with asyncio.timeout(CUT_WITHIN):
        await asyncio.gather(*(each.gone.wait() for each in live))
    took = time.monotonic() - begin
    await changing
    await steady.client.flush()
    assert not steady.gone.is_set()
    return took
