"""What is left of batches is settled turn by turn: all that gathers meanwhile at once, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.intake import background as background_module
from services.intake.background import Background, Left
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
    background = Background(turns.settle)
    first, *others = [left() for _ in range(4)]
    background.add(first)
    await turns.begun.get()
    for each in others:
        background.add(each)
    turns.may_end.release()
    await turns.begun.get()
    assert turns.taken == [[first], others]
    turns.may_end.release()
    async with asyncio.timeout(10):
        await background.ended()


async def test_nothing_more_is_taken_while_much_is_left() -> None:
    turns = Turns()
    background = Background(turns.settle)
    async with asyncio.timeout(10):
        for _ in range(8):  # one under way, seven that wait
            await background.room()
            background.add(left())
            await asyncio.sleep(0)
        await background.room()
    background.add(left())
    waiting = asyncio.create_task(background.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    turns.may_end.release()
    async with asyncio.timeout(10):
        await waiting
    assert [len(each) for each in turns.taken] == [1, 8]
    turns.may_end.release()
    await background.ended()


async def test_turns_are_some_time_apart_unless_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "_BETWEEN", 60.0)
    turns = Turns()
    background = Background(turns.settle)
    async with asyncio.timeout(10):
        background.add(left())
        await turns.begun.get()  # the first is not kept waiting
        turns.may_end.release()
        for _ in range(7):
            await background.room()
            background.add(left())
        await eventually(lambda: turns.ended, "the first turn ends")
        for _ in range(5):  # one that did not wait would begin at once
            await asyncio.sleep(0)
        assert len(turns.taken) == 1
        background.add(left())
        await turns.begun.get()
    assert [len(each) for each in turns.taken] == [1, 8]
    turns.may_end.release()
    await background.ended()


async def test_a_turn_that_fails_does_not_keep_those_after_it_waiting() -> None:
    turns: list[int] = []

    async def settle(lefts: Sequence[Left]) -> None:
        turns.append(len(lefts))
        await asyncio.sleep(0)
        if len(turns) == 1:
            raise ZeroDivisionError("made up")

    background = Background(settle)
    background.add(left())
    await asyncio.sleep(0)
    background.add(left())
    async with asyncio.timeout(10):
        await background.ended()
    assert turns == [1, 1]
