"""Letters about several orders of one customer: the second one counts the first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.notifying.turns import Turns
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import ORDER, Chain
from tests.services.notifying.post import Post
from tests.services.notifying.two_orders import ANNA, BEN, NOBODY, two_at_once

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def test_one_customer_has_one_turn_at_a_time_and_others_do_not_wait() -> None:
    turns = Turns()
    lock = turns.of(ANNA)
    assert turns.of(ANNA) is lock
    assert turns.of(BEN) is not lock
    assert turns.of(NOBODY) is not turns.of(NOBODY)


def test_who_decides_has_to_know_of_the_letter_that_left_just_now() -> None:
    turns = Turns()
    assert turns.knows(ANNA, {"letters": []})
    turns.took(ANNA, 42, NOON)
    assert turns.last(ANNA) == 42
    assert not turns.knows(ANNA, {"letters": [(NOON - timedelta(hours=1)).isoformat()]})
    assert turns.knows(ANNA, {"letters": [NOON.isoformat()]})
    assert turns.knows(BEN, {"letters": []})


def test_what_nobody_waits_for_is_forgotten() -> None:
    async def main() -> int:
        turns = Turns()
        async with turns.of(ANNA):
            pass
        return len(turns._locks)

    assert asyncio.run(main()) == 0


async def test_two_orders_that_send_at_once_do_not_send_one_letter_too_many(chain: Chain) -> None:
    messages = two_at_once(chain, 3)
    post = Post(chain)
    sender = post.sender()
    # Both have been asked for before either letter leaves, and count three of four.
    timelines = {order: await sender.timeline(order) for order in messages}
    assert {len(each["letters"]) for each in timelines.values()} == {4}
    await sender.deliver(ORDER, messages[ORDER], timelines[ORDER])
    with pytest.raises(AgainLaterError) as later:
        await sender.deliver("W-2", messages["W-2"], timelines["W-2"])
    assert later.value.delay > 10 * 3_600
    assert len(post.box.sent) == 1
