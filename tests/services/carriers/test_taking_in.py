"""What carriers said is told in the end, whatever goes wrong in between."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from events.clock import SimulatedClock
from events.envelope import Event, iso
from services.carriers.checkpoint import Checkpoint
from services.carriers.taking_in import TakingIn
from services.carriers.waiting import Waiting

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


class _Quiet:
    """A connection on which nothing is said."""

    async def subscribe(self, *_: object, **__: object) -> _Quiet:
        return self

    async def flush(self) -> None: ...

    async def unsubscribe(self) -> None: ...


def scan(number: str) -> Checkpoint:
    return Checkpoint(via="aftership", number=number, status="in_transit", at=NOW)


_HANDOVER = {"number": "A1", "order": "W-1", "id": "h1", "handed_at": iso(NOW - timedelta(hours=1))}


async def handed_over(*_: object) -> dict[str, Any]:
    """The read models, asked for parcels."""
    return {"tracked": [], "handovers": [_HANDOVER]}


async def test_a_fault_while_looking_does_not_end_the_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.carriers.taking_in._PAUSE", 0.0)
    of, faults = Waiting.of, [sqlite3.OperationalError("disk I/O error"), ValueError("a fault of ours")]

    def sometimes(waiting: Waiting, number: str) -> list[Checkpoint]:
        if faults:
            raise faults.pop()
        return of(waiting, number)

    told: asyncio.Queue[Event] = asyncio.Queue()

    async def append(event: Event) -> int:
        told.put_nowait(event)
        return 1

    monkeypatch.setattr(Waiting, "of", sometimes)
    taking_in = TakingIn(_Quiet(), handed_over, append, SimulatedClock(NOW), tmp_path / "carriers.db")  # type: ignore[arg-type]
    await taking_in.start()
    try:
        await taking_in.take([scan("A1")])
        async with asyncio.timeout(10):
            assert (await told.get()).subject == "W-1"
    finally:
        await taking_in.stop()


async def test_the_file_is_closed_when_nobody_works_with_it_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread goes on when the task that waits for it is cancelled; SQLite ends the whole process over it."""
    done: list[str] = []
    removing, may_end = asyncio.Event(), threading.Event()
    loop, remove, close = asyncio.get_running_loop(), Waiting.remove, Waiting.close

    def slowly(waiting: Waiting, ids: Sequence[str]) -> None:
        loop.call_soon_threadsafe(removing.set)
        may_end.wait(5)
        remove(waiting, ids)
        done.append("removed")

    def closed(waiting: Waiting) -> None:
        done.append("closed")
        close(waiting)

    async def append(_: Event) -> int:
        return 1

    monkeypatch.setattr(Waiting, "remove", slowly)
    monkeypatch.setattr(Waiting, "close", closed)
    taking_in = TakingIn(_Quiet(), handed_over, append, SimulatedClock(NOW), tmp_path / "carriers.db")  # type: ignore[arg-type]
    await taking_in.start()
    await taking_in.take([scan("A1")])
    async with asyncio.timeout(10):
        await removing.wait()
    stopping = asyncio.create_task(taking_in.stop())
    loop.call_later(0.1, may_end.set)
    await stopping
    assert done == ["removed", "closed"]


def test_what_could_not_be_removed_keeps_nothing_from_being_taken(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "carriers.db")
    waiting.add([scan("A1")], NOW)
    waiting._connection.execute(
        "create trigger full before delete on waiting begin select raise(abort, 'no room'); end"
    )
    with pytest.raises(sqlite3.IntegrityError):
        waiting.remove([scan("A1").id])
    waiting._connection.execute("drop trigger full")
    waiting.add([scan("A2")], NOW)
    assert sorted(waiting.numbers()) == ["A1", "A2"]
    waiting.close()


def test_what_cannot_be_read_keeps_nothing_else_waiting(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "carriers.db")
    waiting.add([scan("A1")], NOW)
    waiting._connection.execute(
        "insert into waiting values ('x', 'A1', '{\"by\": \"another version\"}', ?)", (iso(NOW),)
    )
    assert waiting.of("A1") == [scan("A1")]
    waiting.close()


async def test_it_holds_no_file_open_where_it_could_not_start(tmp_path: Path) -> None:
    class Away(_Quiet):
        async def flush(self) -> None:
            raise OSError("the server is away")

    async def append(event: Event) -> int:
        return 1

    file = tmp_path / "carriers.db"
    with pytest.raises(OSError, match="away"):
        await TakingIn(Away(), handed_over, append, SimulatedClock(NOW), file).start()  # type: ignore[arg-type]
    assert not file.exists()
