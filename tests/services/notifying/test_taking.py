"""Batches of facts: those of an order in their turn, and what takes long keeps nobody else."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from events.envelope import Event
from services.notifying.order_locks import OrderLocks
from services.notifying.taking import Taking
from tests.services.notifying.chain import OPENED


class Slow:
    """In the place of what tells: it comes to no end of what it was told to hang on."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = set(hanging)
        self.released = asyncio.Event()
        self.begun: list[str] = []

    async def handle(self, event: Event, *, patient: bool) -> None:
        assert patient
        self.begun.append(f"{event.subject} {event.id}")
        if event.subject in self.hanging:
            await self.released.wait()


def message(order: str, id: str) -> Any:
    fact = OPENED.model_copy(update={"subject": order, "id": id})
    raw = Mock(subject=f"repairs.{order}.order.opened", data=fact.to_json())
    raw.ack, raw.nak, raw.in_progress = AsyncMock(), AsyncMock(), AsyncMock()
    return raw


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    monkeypatch.setattr("services.notifying.taking._PATIENCE", 0.01)
    return Slow("W-1")


def taking(slow: Slow) -> Taking:
    return Taking(slow, AsyncMock(), OrderLocks(), Mock())  # type: ignore[arg-type]  # all that is asked of it


async def test_what_hangs_keeps_no_other_order_waiting_and_its_own_in_their_turn(slow: Slow) -> None:
    took = taking(slow)
    batches = [[message("W-1", "a"), message("W-2", "b")], [message("W-1", "c"), message("W-3", "d")]]
    async with asyncio.timeout(5):
        for batch in batches:
            await took.take(batch)
    assert slow.begun == ["W-1 a", "W-2 b", "W-3 d"]
    assert [raw.ack.await_count for batch in batches for raw in batch] == [0, 1, 0, 1]
    slow.released.set()
    await took.at_rest()
    assert slow.begun[3:] == ["W-1 c"]
    assert [raw.ack.await_count for batch in batches for raw in batch] == [1, 1, 1, 1]


async def test_no_more_than_a_few_batches_are_under_way(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifying.taking._MOST_BATCHES", 2)
    took = taking(slow)
    await took.take([message("W-1", "a")])
    second = asyncio.create_task(took.take([message("W-1", "b")]))
    await asyncio.wait([second], timeout=0.1)
    assert not second.done()
    slow.released.set()
    await second
    await took.at_rest()
    assert slow.begun == ["W-1 a", "W-1 b"]


async def test_what_was_not_begun_when_we_stop_is_given_back(slow: Slow) -> None:
    took = taking(slow)
    await took.take([message("W-1", "a"), rest := message("W-1", "b")])
    await took.take([later := message("W-1", "c")])
    took.stopping = True
    slow.released.set()
    await took.at_rest()
    assert slow.begun == ["W-1 a"]
    assert [given.args for given in took._put_back.call_args_list] == [(rest,), (later,)]  # type: ignore[attr-defined]
