"""The file of the read models: whatever befalls it, the projector makes anew what was lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import duckdb
import pytest

from projections.database import Database, open_database
from projections.schema import InUseError
from services import story
from services.answering import QuestionError
from tests.services.projector.projected import Chain, small_orders, told
from tests.waiting import eventually


async def test_a_deleted_file_is_made_anew(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(told())
        before = await chain.ask("timeline", {"order": story.ORDER})
    chain.path.unlink()
    async with chain.projector():
        assert await chain.ask("timeline", {"order": story.ORDER}) == before


@pytest.mark.parametrize(
    "damage",
    [
        "truncated",
        pytest.param("emptied", marks=pytest.mark.heavy),
        pytest.param("overwritten", marks=pytest.mark.heavy),
        pytest.param("not a database", marks=pytest.mark.heavy),
    ],
)
async def test_a_damaged_file_is_set_aside_and_made_anew(chain: Chain, damage: str) -> None:
    async with chain.projector():
        await chain.append(told())
        before = await chain.ask("timeline", {"order": story.ORDER})
    content = chain.path.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "overwritten": content[:20_000] + bytes(reversed(content[20_000:])),
        "emptied": b"",
        "not a database": b"something else" * 1_000,
    }[damage]
    chain.path.write_bytes(damaged)

    async def answer() -> dict[str, Any] | None:
        try:
            return await chain.ask("timeline", {"order": story.ORDER})
        except QuestionError as error:
            assert str(error) == "the read models could not be read: ask again later"  # noqa: PT017 - of several tries
            return None

    async with chain.projector():
        assert await eventually(answer) == before
    if damaged:
        assert chain.path.with_name(chain.path.name + ".unreadable").read_bytes() == damaged


@pytest.mark.usefixtures("lent")
async def test_a_snapshot_is_a_whole_file_of_its_own(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "copy.duckdb"
    async with chain.projector():
        await chain.append(told())
        await chain.ask("snapshot", {"file": str(file)})
        with duckdb.connect(str(file), read_only=True) as copy:
            assert copy.execute("SELECT order_id, status FROM orders").fetchall() == [(story.ORDER, "closed")]
        content = file.read_bytes()
        with pytest.raises(QuestionError, match="exists already: name a new file"):
            await chain.ask("snapshot", {"file": str(file)})
        assert file.read_bytes() == content


@pytest.mark.usefixtures("lent")
async def test_readers_never_see_empty_tables_while_all_is_made_anew(chain: Chain) -> None:
    async with chain.projector():
        end = await chain.append(small_orders(50))
        await chain.ask("position")
        seen = []
        for _ in range(2):
            rebuild = asyncio.create_task(chain.ask("rebuild"))
            while not rebuild.done():
                orders, handoffs = await asyncio.gather(chain.orders(), chain.ask("handoffs", {"limit": 1}))
                seen.append((orders, handoffs["totals"]["count"]))
            assert await rebuild == {"position": end}
    assert set(seen) == {(50, 50)}


@pytest.mark.usefixtures("lent")
async def test_facts_that_come_while_all_is_made_anew_are_not_lost(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(small_orders(100))
        rebuild = asyncio.create_task(chain.ask("rebuild"))
        for number in range(5):
            await chain.append(small_orders(10, first=100 + 10 * number))
        await rebuild
        assert await chain.orders() == 150


async def test_a_batch_that_cannot_be_applied_is_tried_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = 2
    apply = Database.apply

    def fail_at_first(self: Database, batch: Any) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise duckdb.FatalException("made up: the file has to be opened again")
        return apply(self, batch)

    monkeypatch.setattr("services.keeping_up._RETRY_DELAY", 0.01)
    monkeypatch.setattr(Database, "apply", fail_at_first)
    async with chain.projector():
        await chain.append(told())
        assert await chain.orders() == 1
    assert failures == 0


async def test_a_file_that_cannot_be_opened_again_is_tried_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chain.projector() as projector:
        await chain.append(told()[:4])
        await chain.ask("position")
        left = [OSError("made up: no space left"), duckdb.IOException("made up: no space left")]

        def fail(path: Path) -> Database:
            if left:
                raise left.pop()
            return open_database(path)

        monkeypatch.setattr("services.keeping_up._RETRY_DELAY", 0.01)
        monkeypatch.setattr("services.readmodels.open_database", fail)
        await projector._models.write(Database.close)  # whatever it tries to write now fails
        await chain.append(told()[4:])
        assert (await chain.ask("stats"))["facts"] == len(told())
    assert left == []


async def test_a_file_that_others_have_open_is_waited_for_and_not_for_ever(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [InUseError("made up: is open in another process")] * 2

    def open_at_last(path: Path) -> Database:
        if left:
            raise left.pop()
        return open_database(path)

    monkeypatch.setattr("services.projector._LOOK_AGAIN", 0.0)
    monkeypatch.setattr("services.readmodels.open_database", open_at_last)
    async with chain.projector():
        await chain.append(told())
        assert await chain.orders() == 1
    left.extend([InUseError("made up: is open in another process")] * 2)
    monkeypatch.setattr("services.projector._GIVEN_FREE_WITHIN", 0.0)
    with pytest.raises(InUseError):
        async with chain.projector():
            pass
