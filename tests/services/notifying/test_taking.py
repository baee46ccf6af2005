"""Batches of facts: those of an order in their turn, and what takes long keeps nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest

from events.clock import SimulatedClock
from events.envelope import Event
from services.notifying.coming_up import ComingUp
from services.notifying.order_locks import OrderLocks
from services.notifying.taking import Taking
from tests.services.notifying.chain import MONDAY, OPENED


class Slow:
    """In the place of what tells: it comes to no end of what it was told to hang on."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = set(hanging)
        self.released = asyncio.Event()
        self.begun: list[str] = []

    async def handle(self, event: Event, *, patient: bool = True) -> None:
        assert patient
        await self.deliver(event.subject, event.id)

    async def deliver(self, order: str, message: str) -> None:
        self.begun.append(f"{order} {message}")
        if order in self.hanging:
            await self.released.wait()


def message(order: str, id: str) -> Any:
    fact = OPENED.model_copy(update={"subject": order, "id": id})
    raw = Mock(subject=f"repairs.{order}.order.opened", data=fact.to_json())
    raw.ack, raw.nak, raw.in_progress = AsyncMock(), AsyncMock(), AsyncMock()
    return raw


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    monkeypatch.setattr("services.notifying.lingering._PATIENCE", 0.01)
    return Slow("W-1")


def taking(slow: Slow) -> Taking:
    return Taking(cast(Any, slow), AsyncMock(), OrderLocks(), Mock())


async def test_what_hangs_keeps_no_other_order_waiting_and_its_own_in_their_turn(slow: Slow) -> None:
    took = taking(slow)
    batches = [[message("W-1", "a"), message("W-2", "b")], [message("W-1", "c"), message("W-3", "d")]]
    async with asyncio.timeout(5):
        for batch in batches:
            await took.take(batch)
    assert slow.begun == ["W-1 a", "W-2 b", "W-3 d"]
    assert [raw.ack.await_count for batch in batches for raw in batch] == [0, 1, 0, 1]
    slow.released.set()
    await took.under_way.at_rest()
    assert slow.begun[3:] == ["W-1 c"]
    assert [raw.ack.await_count for batch in batches for raw in batch] == [1, 1, 1, 1]


async def test_what_comes_up_and_hangs_keeps_nothing_else_that_comes_up_waiting(slow: Slow) -> None:
    ask, teller = AsyncMock(return_value={"pending": []}), cast(Any, slow)
    coming_up = ComingUp(ask, AsyncMock(), teller, SimulatedClock(MONDAY), OrderLocks())
    async with asyncio.timeout(5):
        for order in ("W-1", "W-2", "W-1"):
            coming_up.wait(0.0, (order, "msg"))
            await coming_up.look()
    assert slow.begun == ["W-1 msg", "W-2 msg"]
    slow.released.set()
    await coming_up.at_rest()
    assert slow.begun[2:] == ["W-1 msg"]


@pytest.mark.parametrize(("by", "told"), [(timedelta(hours=25), ["W-2 msg", "W-3 cue"]), (timedelta(seconds=9), [])])
async def test_what_waits_is_looked_at_again_when_the_clock_was_set_back(
    slow: Slow, by: timedelta, told: list[str]
) -> None:
    ask, teller, clock = AsyncMock(return_value={"pending": []}), cast(Any, slow), Mock()
    clock.now.return_value = MONDAY
    coming_up = ComingUp(ask, AsyncMock(), teller, clock, OrderLocks())
    await coming_up.look()
    coming_up.wait(360.0, ("W-2", "msg"))
    coming_up.remember(OPENED.model_copy(update={"subject": "W-3", "id": "cue"}), 360.0)
    clock.now.return_value = MONDAY - by
    async with asyncio.timeout(5):
        for _ in range(2):
            await coming_up.look()
            await coming_up.at_rest()
    assert slow.begun == told


async def test_no_more_than_a_few_batches_are_under_way(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifying.taking._MOST_BATCHES", 2)
    took = taking(slow)
    await took.take([message("W-1", "a")])
    second = asyncio.create_task(took.take([message("W-1", "b")]))
    await asyncio.wait([second], timeout=0.1)
    assert not second.done()
    slow.released.set()
    await second
    await took.under_way.at_rest()
    assert slow.begun == ["W-1 a", "W-1 b"]


async def test_what_was_not_begun_when_we_stop_is_given_back(slow: Slow) -> None:
    took = taking(slow)
    await took.take([message("W-1", "a"), rest := message("W-1", "b")])
    await took.take([later := message("W-1", "c")])
    took.stopping = True
    slow.released.set()
    await took.under_way.at_rest()
    assert slow.begun == ["W-1 a"]
    assert [given.args for given in took._put_back.call_args_list] == [(rest,), (later,)]  # type: ignore[attr-defined]
