"""Verifying finds the log: on the server that runs, or on one of its own, and says where there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import nats.errors
import pytest

from events.envelope import make_event
from events.log import append
from events.streams import declare_streams
from projections.database import open_database
from services import verifying
from services.settings import load_settings
from services.verifying import verify
from tests.chainserver import ChainServer


async def test_a_chain_that_was_killed_is_verified_without_it(free_home: Path) -> None:
    settings = load_settings(home=free_home)
    fact = make_event(
        "order.opened",
        source="retailer:acme",
        id="e1",
        subject="W-1",
        time=datetime(2026, 3, 2, tzinfo=UTC),
        data={"product": {"brand": "Example"}},
    )
    async with ChainServer(free_home) as server:
        js = (await server.connect("keeper")).jetstream()
        await declare_streams(js)
        await append(js, fact)
        noted = settings.folder.server_file.read_text()
    with open_database(settings.folder.database) as database:
        database.apply([(1, fact.to_json())])
    settings.folder.server_file.write_text(noted)  # as whoever is killed leaves it
    verdict = await verify(settings)
    assert (verdict.position, verdict.differences) == (1, [])


async def test_that_no_server_answers_is_said(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_ATTEMPTS", 1)
    settings = load_settings(home=free_home, nats_url="nats://127.0.0.1:1", nats_user="keeper", nats_password="p")
    settings.folder.database.parent.mkdir(parents=True)
    with pytest.raises(nats.errors.Error):
        await verify(settings)
