"""A service that can do nothing any more ends by itself, and says why: then it is started again."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from events import names
from services import running
from services.health import HealthPortError
from services.settings import load_settings
from tests.chainserver import ChainServer
from tests.waiting import eventually

_DURABLES = {
    "notifier": (names.REPAIRS, names.NOTIFIER_DURABLE),
    "repairer": (names.INTAKE_STREAMS["repairer"], names.INTAKE_DURABLES["repairer"]),
}


@pytest.mark.parametrize("service", _DURABLES)
async def test_one_whose_consumer_is_deleted_ends(
    chain_server: ChainServer, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """A pull consumer that is deleted while we wait on it stays silent for ever."""
    monkeypatch.setattr(running, "_LOOK_AT_CONSUMER", 0.02)
    monkeypatch.setattr(running, "collect_less_often", lambda: None)
    settings = load_settings(home=chain_server.home, nats_url=chain_server.url, health_port=0)
    js = (await chain_server.connect("keeper")).jetstream()
    serving = asyncio.create_task(running._serve(service, settings, narrated=True))

    await eventually(settings.folder.service_file(service).exists)
    await js.delete_consumer(*_DURABLES[service])
    with pytest.raises(running.ConsumerGoneError, match=f"the consumer of {service} was deleted on the server"):
        await asyncio.wait_for(serving, 20)


async def test_one_that_cannot_say_how_it_is_gives_back_what_it_has_taken(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "collect_less_often", lambda: None)
    service = Mock(start=AsyncMock(), stop=AsyncMock())
    monkeypatch.setattr(running, "build", lambda *_: service)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = load_settings(home=free_home, health_port=taken.getsockname()[1])
        with pytest.raises(HealthPortError):
            await running._serve("retailer", settings, narrated=True)
    service.start.assert_awaited_once()
    service.stop.assert_awaited_once()


async def test_one_that_takes_long_to_start_says_that_it_still_starts(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = asyncio.Event()
    monkeypatch.setattr(running, "_told_to_stop", lambda: told)
    monkeypatch.setattr(running, "_SAY_SO_EVERY", 0.001)
    monkeypatch.setattr(running, "require_fit_server", AsyncMock())
    monkeypatch.setattr(running, "build", lambda *_: Mock(start=asyncio.Event().wait))
    settings = load_settings(home=free_home, nats_url="nats://127.0.0.1:1", nats_user="shop", nats_password="secret")
    with capture_logs() as said:
        serving = asyncio.create_task(running._serve("retailer", settings, narrated=True))
        await eventually(lambda: serving.done() or len(said) > 1, "it says so")
        told.set()
        await serving
    assert {line["event"] for line in said} == {"still starting"}
