"""Which lines of a daily list say that there is nobody to tell: those for a customer, wherever they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.answering import NoAnswerError
from services.notifying.forgotten import _AT_ONCE, mark_forgotten

SHOP = "retailer:juno"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PARTS = ("overdue", "calls", "asked", "contacts", "orders", "owed")


class Chain:
    """Each order is of a customer who has its number; those of ``forgotten`` were. It notes of which it was asked."""

    def __init__(self, *forgotten: str) -> None:
        self.forgotten = forgotten
        self.questions: list[list[str]] = []

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        assert name == "histories"
        self.questions.append(args["orders"])
        order = {"opened_by": SHOP}
        return {"histories": {each: {"order": order | {"customer": f"C{each}"}} for each in args["orders"]}}

    async def is_forgotten(self, opener: str, customer: str) -> bool:
        assert opener == SHOP
        return customer.removeprefix("C") in self.forgotten

    async def marks(self, **parts: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """What each line of each part says."""
        listing: dict[str, Any] = {part: parts.get(part, []) for part in PARTS} | {"party": SHOP}
        marked = await mark_forgotten(listing, self.ask, self.is_forgotten, NOW, 7)
        assert (marked["party"], marked.keys()) == (SHOP, listing.keys())
        return {part: [row.get("customer_forgotten") for row in marked[part]] for part in parts}


@pytest.mark.parametrize("part", ["overdue", "orders", "owed"])
async def test_what_is_to_be_told_to_a_customer_says_so_in_each_part(part: str) -> None:
    kinds = ("update", "check", "call", "receive", None)
    lines = [{"order": order, "kind": kind} for order in ("W-1", "W-2") for kind in kinds]
    assert await Chain("W-1").marks(**{part: lines}) == {
        part: [True, True, True, None, None, False, False, False, None, None]
    }


async def test_a_call_is_one_by_the_part_it_stands_in() -> None:
    assert await Chain("W-1").marks(calls=[{"order": "W-1"}, {"order": "W-2"}]) == {"calls": [True, False]}


async def test_what_tells_her_nothing_asks_nothing() -> None:
    chain = Chain("W-1")
    lines = [{"order": "W-1", "kind": kind} for kind in ("receive", "answer")]  # a partner asked
    assert await chain.marks(overdue=lines, orders=lines) == {"overdue": [None, None], "orders": [None, None]}
    assert chain.questions == []


async def test_of_words_of_hers_it_says_that_nobody_can_call_her_in_return() -> None:
    words = [{"order": order} for order in ("W-1", "W-2")]
    answers = [row | {"kind": "answer", "to_customer": True} for row in words]
    assert await Chain("W-1").marks(asked=words, contacts=words, overdue=answers) == {
        "asked": [True, False],
        "contacts": [True, False],
        "overdue": [True, False],
    }


async def test_of_many_orders_each_is_asked_about_once() -> None:
    chain = Chain("W-000", "W-120")
    lines = [{"order": f"W-{number:03}", "kind": "update"} for number in range(121)]
    marks = (await chain.marks(overdue=lines, orders=lines))["orders"]
    assert [number for number, mark in enumerate(marks) if mark] == [0, 120]
    assert max(map(len, chain.questions)) <= _AT_ONCE
    assert sorted(order for question in chain.questions for order in question) == [line["order"] for line in lines]


async def test_what_was_found_out_before_trouble_counts() -> None:
    chain = Chain("W-000")
    answer = chain.ask

    async def once(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        if chain.questions:
            raise NoAnswerError("made up")
        return await answer(name, args, at_least)

    chain.ask = once  # type: ignore[method-assign]  # of this one alone
    marks = (await chain.marks(owed=[{"order": f"W-{number:03}", "kind": "call"} for number in range(60)]))["owed"]
    assert marks == [True, *[False] * (_AT_ONCE - 1), *[None] * (60 - _AT_ONCE)]
