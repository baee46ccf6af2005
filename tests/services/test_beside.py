"""What is left of batches is settled turn by turn: all that gathers meanwhile at once, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.intake import beside as beside_module
from services.intake.beside import Beside, Left
from services.intake.settling import Taken
from tests.waiting import eventually


def left() -> Left:
    return Left(Taken([]), looked=True)


class Turns:
    """Each turn waits until it is told to end; ``taken`` has what each was given, ``ended`` is how many have."""

    def __init__(self) -> None:
        self.taken: list[list[Left]] = []
        self.ended = 0
        self.begun = asyncio.Queue[None]()
        self.may_end = asyncio.Semaphore(0)

    async def settle(self, lefts: Sequence[Left]) -> None:
        self.taken.append(list(lefts))
        self.begun.put_nowait(None)
        await self.may_end.acquire()
        self.ended += 1


async def test_what_gathers_during_a_turn_is_settled_together_and_in_its_order() -> None:
    turns = Turns()
    beside = Beside(turns.settle)
    first, *others = [left() for _ in range(4)]
    beside.add(first)
    await turns.begun.get()
    for each in others:
        beside.add(each)
    turns.may_end.release()
    await turns.begun.get()
    assert turns.taken == [[first], others]
    turns.may_end.release()
    async with asyncio.timeout(10):
        await beside.ended()


async def test_nothing_more_is_taken_while_much_is_left() -> None:
    turns = Turns()
    beside = Beside(turns.settle)
    async with asyncio.timeout(10):
        for _ in range(8):  # one under way, seven that wait
            await beside.room()
            beside.add(left())
            await asyncio.sleep(0)
        await beside.room()
    beside.add(left())
    waiting = asyncio.create_task(beside.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    turns.may_end.release()
    async with asyncio.timeout(10):
        await waiting
    assert [len(each) for each in turns.taken] == [1, 8]
    turns.may_end.release()
    await beside.ended()


async def test_turns_are_some_time_apart_unless_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_module, "_BETWEEN", 60.0)
    turns = Turns()
    beside = Beside(turns.settle)
    async with asyncio.timeout(10):
        beside.add(left())
        await turns.begun.get()  # the first is not kept waiting
        turns.may_end.release()
        for _ in range(7):
            await beside.room()
            beside.add(left())
        await eventually(lambda: turns.ended, "the first turn ends")
        for _ in range(5):  # one that did not wait would begin at once
            await asyncio.sleep(0)
        assert len(turns.taken) == 1
        beside.add(left())
        await turns.begun.get()
    assert [len(each) for each in turns.taken] == [1, 8]
    turns.may_end.release()
    await beside.ended()


async def test_a_turn_that_fails_does_not_keep_those_after_it_waiting() -> None:
    turns: list[int] = []

    async def settle(lefts: Sequence[Left]) -> None:
        turns.append(len(lefts))
        await asyncio.sleep(0)
        if len(turns) == 1:
            raise ZeroDivisionError("made up")

    beside = Beside(settle)
    beside.add(left())
    await asyncio.sleep(0)
    beside.add(left())
    async with asyncio.timeout(10):
        await beside.ended()
    assert turns == [1, 1]
