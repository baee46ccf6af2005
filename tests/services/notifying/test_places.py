"""Two notifiers that write to one customer send no more letters a day than one would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifying.places import DayPlace, DayPlaces
from services.notifying.waiting import AgainLaterError
from tests.services.notifying.chain import AT_IMPORTER, ORDER, Chain
from tests.services.notifying.desk import Bucket, Fuse
from tests.services.notifying.post import Post
from tests.services.notifying.two_orders import ANNA, BEN, two_at_once

TODAY = date(2026, 11, 2)
PLACE = DayPlace(TODAY, 3, 4, datetime(2026, 11, 3, 7, tzinfo=UTC))


async def test_each_place_is_taken_once() -> None:
    bucket = Bucket(Fuse())
    one, another = DayPlaces(bucket), DayPlaces(bucket)
    assert await one.take(ANNA, PLACE, "msg-1")
    assert await another.take(ANNA, PLACE, "msg-2")
    assert not await one.take(ANNA, PLACE, "msg-3")
    # Whoever tries again has its place, also in another process.
    assert await another.take(ANNA, PLACE, "msg-1")
    assert await one.take(BEN, PLACE, "msg-3")
    assert await one.take(ANNA, DayPlace(TODAY + timedelta(days=1), 3, 4, PLACE.again), "msg-3")
    # What is beside the letters of her day has places of its own.
    assert await one.take(ANNA, replace(PLACE, beside=True), "msg-3")


async def test_nothing_of_hers_can_be_read_from_a_place() -> None:
    bucket = Bucket(Fuse())
    await DayPlaces(bucket).take(("retailer:juno", "C-77"), PLACE, "msg-1")
    (key,) = bucket.entries
    assert "C-77" not in key
    assert "juno" not in key


async def _sends_at_once(chain: Chain, before: int) -> list[float | None]:
    """Two notifiers send about two orders, both of which know of ``before`` letters; how long each has to wait."""
    messages = two_at_once(chain, before)
    posts = {ORDER: Post(chain), "W-2": Post(chain)}
    posts["W-2"].bucket = posts[ORDER].bucket
    senders = {order: post.sender(places=DayPlaces(post.bucket)) for order, post in posts.items()}
    timelines = {order: await sender.timeline(order) for order, sender in senders.items()}
    waits: list[float | None] = []
    for order, sender in senders.items():
        try:
            await sender.deliver(order, messages[order], timelines[order])
            waits.append(None)
        except AgainLaterError as later:
            waits.append(later.delay)
    assert sum(len(post.box.sent) for post in posts.values()) == waits.count(None)
    return waits


@pytest.mark.parametrize("before", [1, 2])
async def test_while_there_is_room_for_both_both_go_out(chain: Chain, before: int) -> None:
    assert await _sends_at_once(chain, before) == [None, None]


async def test_of_the_last_letter_of_the_day_there_is_one(chain: Chain) -> None:
    went, waits = await _sends_at_once(chain, 3)
    assert went is None
    assert waits is not None
    # Until eight on the next morning, by her clock.
    assert chain.clock.now() + timedelta(seconds=waits) == AT_IMPORTER.time.replace(hour=7) + timedelta(days=1)
