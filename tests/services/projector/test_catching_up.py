"""What the projector is behind with: it mirrors first, in batches that are bounded, and loses nothing on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from unittest.mock import Mock

import pytest

from events.tail import LogReplacedError
from projections.compare import compare
from projections.database import Database, open_database
from services import keeping_up
from services.keeping_up import KeepingUp
from tests.services.projector.projected import Chain, small_orders, told
from tests.waiting import eventually


async def test_catching_up_gives_what_following_gives(chain: Chain, tmp_path: Path) -> None:
    live, caught_up = tmp_path / "live.duckdb", tmp_path / "caught-up.duckdb"
    async with chain.projector():
        for facts in (told()[:5], small_orders(20), told()[5:], told()[:2], small_orders(15, first=12)):
            await chain.append(facts)
            await chain.ask("position")
        await chain.ask("snapshot", {"file": str(live)})
    async with chain.projector(tmp_path / "other.duckdb", far_behind=5, catch_up_batch=20):
        await chain.ask("snapshot", {"file": str(caught_up)})
        assert await chain.orders() == 28
    assert compare(live, caught_up) == []


@pytest.mark.usefixtures("lent")
async def test_large_facts_end_a_batch_of_catching_up_before_it_fills_the_memory(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = small_orders(6)
    most = 3 * len(facts[0].to_json())
    monkeypatch.setattr("services.keeping_up._MOST_BYTES", most)
    monkeypatch.setattr("events.tail._MOST_WAITING", 1)  # the facts come one at a time
    batches: list[list[int]] = []
    mirror_only = Database.mirror_only

    def note(self: Database, batch: Any) -> int:
        batches.append([len(payload) for _, payload in batch])
        return mirror_only(self, batch)

    monkeypatch.setattr(Database, "mirror_only", note)
    await chain.append(facts)
    async with chain.projector(far_behind=5):
        assert await chain.orders() == 6
    assert sum(len(batch) for batch in batches) == len(facts)
    assert all(sum(batch[:-1]) < most for batch in batches)
    assert all(sum(batch) >= most for batch in batches[:-1])
    assert len(batches) > 2


@pytest.mark.parametrize("far_behind", [pytest.param(10, marks=pytest.mark.heavy), 20_000])
async def test_killed_between_mirroring_and_computing_it_goes_on(chain: Chain, far_behind: int) -> None:
    facts = told() + small_orders(50)
    await chain.append(facts)
    with open_database(chain.path) as database:
        database.mirror_only([(number, fact.to_json()) for number, fact in enumerate(facts[:60], 1)])
        assert (database.position, database.mirrored) == (0, 60)
    async with chain.projector(far_behind=far_behind):
        stats = await chain.ask("stats")
    assert (stats["facts"], stats["orders"]) == (len(facts), 51)


async def test_stopped_in_the_middle_of_catching_up_it_goes_on(chain: Chain) -> None:
    end = await chain.append(told() + small_orders(100))
    async with chain.projector(far_behind=10, catch_up_batch=1) as projector:
        await eventually(lambda: projector._models.mirrored > 2)
    with open_database(chain.path) as database:
        assert database.position == 0
        assert 0 < database.mirrored < end
    async with chain.projector(far_behind=10, catch_up_batch=90):
        assert await chain.orders() == 101


class Trouble:
    """A tail that reads one fact, and then no more: ``happens`` says why."""

    def __init__(self, happens: Callable[[], None]) -> None:
        self._happens = happens
        self._batches = iter([[(1, b"{}")]])

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next_batch(self) -> list[tuple[int, bytes]]:
        if (batch := next(self._batches, None)) is not None:
            return batch
        self._happens()
        return [(2, b"{}")]


@pytest.mark.parametrize("trouble", [LogReplacedError, ConnectionError])
async def test_what_is_being_mirrored_when_reading_fails_is_mirrored_to_the_end(
    monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    connection = Mock(stats={"reconnects": 0})

    def happens() -> None:
        if trouble is LogReplacedError:
            raise LogReplacedError
        connection.stats["reconnects"] += 1  # and the tail goes on, with the log of whichever server that is

    mirrored: list[int] = []

    async def write(_: object, batch: list[tuple[int, bytes]]) -> None:
        await asyncio.sleep(0)
        mirrored.extend(position for position, _ in batch)

    monkeypatch.setattr(keeping_up, "Tail", Trouble(happens))
    with pytest.raises(trouble):
        await KeepingUp(connection, Mock(mirrored=0, write=write), catch_up_batch=1)._mirror_up_to(3)
    assert mirrored == [1]


@pytest.mark.usefixtures("lent")
async def test_while_facts_keep_coming_a_batch_grows_until_somebody_waits_for_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it would grow for as long as the test may take."""
    monkeypatch.setattr("services.keeping_up._COLLECT_TIMES", 1e6)
    monkeypatch.setattr("services.keeping_up._COLLECT_AT_MOST", 1e6)
    sizes: list[int] = []
    apply = Database.apply

    def count(self: Database, batch: Any) -> Any:
        sizes.append(len(batch))
        return apply(self, batch)

    monkeypatch.setattr(Database, "apply", count)
    facts = small_orders(5)
    async with chain.projector() as projector:
        await chain.append(facts[:1])
        await eventually(lambda: projector.upkeep.position == 1, "whoever comes when all is quiet does not wait")
        for fact in facts[1:]:
            await chain.append([fact])
        await eventually(lambda: chain.arrived() == len(facts))
        assert sizes == [1]
        assert (await chain.ask("timeline", {"order": "S-4"}))["order"]["order_id"] == "S-4"
    assert sizes == [1, len(facts) - 1]
