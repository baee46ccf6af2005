"""A server that comes back, with its log or with another: the read models are those of the log that there is."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from events.envelope import Event
from projections.database import Database, open_database
from services import keeping_up
from services.projector import Projector
from tests.services.projector.projected import Chain, small_orders, told
from tests.waiting import eventually


@pytest.mark.usefixtures("lent")
async def test_it_follows_a_killed_server_that_comes_back(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.tail._HEARTBEAT", 0.2)  # after two that are missed it reads anew
    facts = told() + small_orders(20)
    async with chain.projector() as projector:
        await chain.append(facts[:6])
        await chain.ask("position")
        os.kill(chain.server.embedded.pid, signal.SIGKILL)
        await chain.server.embedded.wait()
        await chain.server.embedded.start()
        await eventually(lambda: chain.client.is_connected)
        end = await chain.append(facts[6:])
        assert (await eventually(lambda: projector.upkeep.position == end)) is True
        assert await chain.orders() == 21
        assert await projector.check() == "0 facts behind"


async def test_what_was_only_mirrored_of_another_log_is_not_gone_on_with(chain: Chain) -> None:
    await chain.append(told())
    with open_database(chain.path) as database:
        database.mirror_only([(number, fact.to_json()) for number, fact in enumerate(small_orders(2, first=40), 1)])
        assert (database.position, database.mirrored > 0) == (0, True)
    async with chain.projector():
        stats = await chain.ask("stats")
    assert (stats["facts"], stats["orders"]) == (len(told()), 1)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(small_orders(3), marks=pytest.mark.heavy, id="ahead"),
        pytest.param(small_orders(60), id="behind"),
        pytest.param(small_orders(60)[: len(told())], id="beside"),
    ],
)
async def test_a_file_of_another_log_is_made_anew(chain: Chain, others: list[Event]) -> None:
    chain.path.parent.mkdir(exist_ok=True)
    with open_database(chain.path) as database:
        database.apply([(number, fact.to_json()) for number, fact in enumerate(others, 1)])
    await chain.append(told())
    async with chain.projector():
        stats = await chain.ask("stats")
        assert (stats["facts"], stats["orders"]) == (len(told()), 1)


@pytest.fixture
async def backup(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a log with the story in it; what is in doubt is soon looked at again."""
    monkeypatch.setattr(keeping_up, "_RETRY_DELAY", 0.05)  # instead of a second
    await chain.append(told())
    await chain.server.back_up(tmp_path / "backup")
    await eventually(lambda: chain.client.is_connected)
    return tmp_path / "backup"


async def small_ones(chain: Chain) -> set[str]:
    """The orders beside that of the story."""
    orders = (await chain.ask("orders", {"limit": 100}))["orders"]
    return {row["order_id"] for row in orders if row["order_id"].startswith("S-")}


async def test_it_follows_a_log_that_was_put_back_from_a_backup(chain: Chain, backup: Path) -> None:
    async with chain.projector() as projector:
        await chain.append(small_orders(10))
        assert await chain.orders() == 11
        await chain.server.restore(backup)
        await eventually(lambda: projector.upkeep.position == len(told()), "the read models show the log of the backup")
        await chain.append(small_orders(3, first=100))
        assert await chain.orders() == 4


def back(projector: Projector) -> bool:
    """Whether it has been cut off, and can be asked again."""
    return bool(projector._connection.stats["reconnects"]) and projector._connection.is_connected


async def test_it_notices_another_log_that_has_grown_beyond_where_it_stands(chain: Chain, backup: Path) -> None:
    async with chain.projector() as projector:
        await chain.append(small_orders(2))
        assert await chain.orders() == 3
        await chain.server.restore(backup)
        await chain.append(small_orders(5, first=100))
        await eventually(lambda: back(projector))
        assert await small_ones(chain) == {f"S-{number}" for number in range(100, 105)}


async def test_it_notices_another_log_that_came_while_it_caught_up(
    chain: Chain, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chain.append(small_orders(2))
    computing, may_end, rebuild = threading.Event(), threading.Event(), Database.rebuild

    def slowly(self: Database) -> None:
        computing.set()
        may_end.wait(30)
        rebuild(self)

    monkeypatch.setattr(Database, "rebuild", slowly)
    async with chain.projector(far_behind=1) as projector:
        await eventually(computing.is_set)
        await chain.server.restore(backup)
        await chain.append(small_orders(5, first=100))
        await eventually(lambda: back(projector))
        may_end.set()
        assert await small_ones(chain) == {f"S-{number}" for number in range(100, 105)}
