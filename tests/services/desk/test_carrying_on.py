"""Whoever was being forgotten is forgotten, whatever goes wrong meanwhile, and no fault says what is held of her."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from events.clock import SystemClock
from services.answering import QuestionError, TooLargeError
from services.desk import forgetting
from services.desk.book import Book, Entry
from services.desk.forgetting import Forgetting
from services.desk.record import Customer
from services.desk.unfinished import Unfinished
from tests.waiting import eventually


class Forgotten(Forgetting):
    """Notes whom it forgets; ``fails`` has what goes wrong with each, one after the other."""

    def __init__(self, fails: dict[str, list[Exception]]) -> None:
        async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
            return {"orders": []}

        js = MagicMock()
        super().__init__(js, ask, SystemClock(), Book(js), [], look_again=0.0)
        self._fails = fails
        self.gone: list[str] = []

    async def forget(self, customer: Customer, known: bool) -> dict[str, Any]:
        if self._fails.get(customer.reference):
            raise self._fails[customer.reference].pop(0)
        self.gone.append(customer.reference)
        return {}


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    async def all(_: Unfinished) -> AsyncIterator[tuple[str, str]]:
        for number in ("C-1", "C-2"):
            yield "retailer:acme", number

    async def up_to_date(*_: object) -> int:
        return 7

    async def none_expired(*_: object) -> int:
        return 0

    monkeypatch.setattr(Unfinished, "all", all)
    monkeypatch.setattr("events.log.last_position", up_to_date)
    monkeypatch.setattr(forgetting, "erase_expired", none_expired)
    monkeypatch.setattr(forgetting, "_TRY_AGAIN", 0.0)
    monkeypatch.setattr(forgetting, "_AFTER_A_FAULT", 0.0)


async def carried_on(fails: dict[str, list[Exception]]) -> list[str]:
    work = Forgotten(fails)
    work.start()
    try:
        await eventually(lambda: {"C-1", "C-2"} <= set(work.gone), "both are forgotten")
    finally:
        work.leave()
        await work.at_rest()
    return work.gone


async def test_what_is_wrong_with_one_keeps_no_other_waiting() -> None:
    away = QuestionError("the read models could not be read: ask again later")
    assert await carried_on({"C-1": [away, away]}) == ["C-2", "C-1"]


async def test_a_fault_ends_it_for_nobody_and_is_told_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert await carried_on({"C-1": [KeyError("Zoë Kanariella")]}) == ["C-2", "C-1"]
    said = "".join(capsys.readouterr())
    assert "KeyError" in said
    assert "Kanariella" not in said


async def test_what_was_rejected_long_ago_is_looked_for_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def fails_once(*_: object) -> int:
        looks.append(1)
        if len(looks) == 1:
            raise KeyError
        return 0

    monkeypatch.setattr(forgetting, "erase_expired", fails_once)
    monkeypatch.setattr(forgetting, "_EXPIRE_EVERY", 0.0)
    work = Forgotten({})
    work.start()
    await eventually(lambda: len(looks) > 1, "it looks again")
    work.leave()
    await work.at_rest()


async def test_an_order_of_which_too_much_was_said_keeps_nobody_from_being_forgotten() -> None:
    async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        assert name == "timeline", "the desk has the right to ask that"
        if args["order"] == "W-1" and "limit" not in args:
            raise TooLargeError("the answer is too large: ask for less, with a limit")
        if args["order"] == "W-1":
            return {"entries": [{"data": {"message": "msg-1"}}]}
        sent = {"message": "msg-2", "letter": "msg-3"}
        return {"entries": [{"data": sent}, {"data": "of a version that nobody knows"}]}

    class Empty(Book):
        async def find(self, key: str) -> Entry:
            return Entry()

    js = MagicMock()
    forgetting = Forgetting(js, ask, SystemClock(), Empty(js), [], look_again=0.0)
    hers = Customer("retailer:acme", "C-1", ({"order_id": "W-1"}, {"order_id": "W-2"}))
    assert (await forgetting.traces_of(hers)).messages == {"msg-1", "msg-2", "msg-3"}
