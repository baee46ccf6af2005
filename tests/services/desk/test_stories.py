"""The whole story of an order, in as many pieces as it takes."""

from __future__ import annotations

from typing import Any

import pytest

from services.answering import TooLargeError
from services.desk.stories import whole_story

STORY = {"order": {"order_id": "W-1"}, "entries": list(range(2_503)), "messages": list(range(40)), "contacts": []}


class Shelf:
    """Answers as the projector does, with at most ``room`` rows."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked = 0

    async def ask(self, name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        self.asked += 1
        assert (name, args["order"], args["raw"]) == ("timeline", "W-1", True)
        begin, limit = args.get("offset", 0), args.get("limit", 0)
        end = begin + limit if limit else None
        found = {key: each[begin:end] if isinstance(each, list) else each for key, each in STORY.items()}
        if sum(len(each) for each in found.values() if isinstance(each, list)) > self.room:
            raise TooLargeError("the answer is too large: ask for less, with a limit")
        return found


@pytest.mark.parametrize(("room", "questions"), [(3_000, 1), (1_500, 4), (300, 14)])
async def test_a_story_is_whole_however_little_fits_into_an_answer(room: int, questions: int) -> None:
    shelf = Shelf(room)
    assert await whole_story(shelf.ask, "W-1") == STORY
    assert shelf.asked == questions


async def test_what_does_not_fit_even_alone_is_told() -> None:
    with pytest.raises(TooLargeError):
        await whole_story(Shelf(0).ask, "W-1")
