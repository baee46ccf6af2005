"""However many messages wait for good reasons, those behind them are found, too."""

from __future__ import annotations

import asyncio
from typing import Any

from services.notifying.leftovers import leftovers
from tests.services.notifying.chain import OPENED, Chain
from tests.services.notifying.post import extra


class Asked:
    """Answers with messages, so many at a time as it is asked for, and remembers the questions."""

    def __init__(self, found: int) -> None:
        numbers = range(1, found + 1)
        self._rows = [{"order": "W", "message_id": f"m{n}", "kind": "ready", "position": 10 * n} for n in numbers]
        self.questions: list[tuple[int, int]] = []

    async def __call__(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        assert (name, at_least) == ("pending", 99)
        self.questions.append((args["after"], args["limit"]))
        behind = [row for row in self._rows if int(str(row["position"])) > args["after"]]
        return {"pending": behind[: args["limit"]]}


def found(asked: Asked, most: int) -> list[str]:
    async def all_of_them() -> list[str]:
        return [left.message async for left in leftovers(asked, 99, most)]

    return asyncio.run(all_of_them())


def test_it_goes_on_behind_the_last_one_until_there_are_no_more() -> None:
    asked = Asked(3)
    assert found(asked, 2) == ["m1", "m2", "m3"]
    assert asked.questions == [(0, 2), (20, 2)]


def test_a_full_last_answer_is_followed_by_one_more_question() -> None:
    asked = Asked(2)
    assert found(asked, 2) == ["m1", "m2"]
    assert asked.questions == [(0, 2), (20, 2)]


def test_the_read_models_give_the_next_ones(chain: Chain) -> None:
    chain.given(OPENED)
    first = chain.planned(OPENED)
    extra(chain, first, "msg-second")
    (one,) = chain.query("pending", {"limit": 1})["pending"]
    (two,) = chain.query("pending", {"limit": 1, "after": one["position"]})["pending"]
    assert [one["message_id"], two["message_id"]] == [first.message, "msg-second"]
    assert chain.query("pending", {"after": two["position"]})["pending"] == []
