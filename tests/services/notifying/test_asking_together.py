"""Histories that are too long for one answer are asked for in smaller parts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.answering import QuestionError, TooLargeError
from services.notifying.asking_together import Histories
from tests.services.notifying.chain import MONDAY

ORDERS = [f"W-{number}" for number in range(10)]


class Narrow:
    """Answers about so many orders at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        self.asked.append(len(args["orders"]))
        if len(args["orders"]) > self.most:
            raise TooLargeError("the answer is too large")
        return {"histories": {order: {"order": {"order_id": order}} for order in args["orders"]}}


async def test_what_does_not_fit_together_is_asked_for_in_parts() -> None:
    narrow = Narrow(most=3)
    histories = Histories(narrow.ask, lambda: MONDAY)
    found = await asyncio.gather(*(histories.of(order, 1) for order in ORDERS))
    assert [history["order"]["order_id"] for history in found] == ORDERS
    assert narrow.asked[0] == 10
    assert len(narrow.asked) < 12


async def test_one_that_fits_into_no_answer_keeps_nobody_else_waiting() -> None:
    narrow = Narrow(most=0)
    histories = Histories(narrow.ask, lambda: MONDAY)
    found = await asyncio.gather(*(histories.of(order, 1) for order in ORDERS), return_exceptions=True)
    assert {type(each) for each in found} == {TooLargeError}
    narrow.most = 10
    assert (await histories.of("W-1", 1))["order"]["order_id"] == "W-1"


async def test_another_fault_is_told_to_all_at_once() -> None:
    async def behind(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        raise QuestionError("the read models are at 1, not yet at 2: ask again")

    histories = Histories(behind, lambda: MONDAY)
    with pytest.raises(QuestionError, match="ask again"):
        await histories.of("W-1", 2)
