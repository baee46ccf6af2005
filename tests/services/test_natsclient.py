"""A connection hears what is said also after an answer came too late."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import nats.errors
import pytest
from nats.aio.client import Client

from services.connecting import connect, leave
from services.settings import load_settings
from services.wiring import make_broker
from tests.chainserver import ChainServer
from tests.waiting import eventually


@pytest.fixture(params=["watchdog", "notifier"])
async def connection(request: pytest.FixtureRequest, chain_server: ChainServer) -> AsyncIterator[Client]:
    """Of a service that has one of its own, and of one that has FastStream's."""
    settings = load_settings(home=chain_server.home)
    if request.param == "watchdog":
        client = await connect(settings, "watchdog")
    else:
        client = await make_broker(settings, "notifier").connect()
    yield client
    await leave(client)


async def test_a_server_that_hung_is_heard_again(connection: Client, chain_server: ChainServer) -> None:
    pid = chain_server.embedded.pid
    os.kill(pid, signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)  # it may go on for a moment
    try:
        with pytest.raises(nats.errors.TimeoutError):
            await connection.flush(timeout=0.05)  # type: ignore[arg-type]  # nats-py takes fractions of a second
        cut_off = asyncio.create_task(connection.flush())
        await asyncio.wait([cut_off], timeout=0.05)
        cut_off.cancel()
    finally:
        os.kill(pid, signal.SIGCONT)
    reading = connection._reading_task
    assert reading is not None
    await eventually(lambda: reading.done() or not connection._pongs, "the server has answered")
    assert not reading.done()
    await connection.flush(timeout=5)
