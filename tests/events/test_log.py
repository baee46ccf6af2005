"""The log on a real server: what is appended stays, once, and in order."""

from __future__ import annotations

import nats.js.errors
import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from events import names
from events.atomic_batch import MAX_BATCH
from events.log import (
    Appended,
    NotFirstError,
    append,
    append_batch,
    last_position,
    last_position_of,
)
from events.streams import StreamMismatchError, declare_streams
from tests.chainserver import ChainServer
from tests.events.facts import fact
from tests.logged import read_order


async def test_a_fact_is_appended_once(js: JetStreamContext) -> None:
    assert await append(js, fact(1)) == Appended(1, duplicate=False)
    assert await append(js, fact(1)) == Appended(1, duplicate=True)
    assert await last_position(js) == 1


async def test_the_same_id_of_another_party_is_another_fact(js: JetStreamContext) -> None:
    await append(js, fact(1))
    other = fact(1).model_copy(update={"source": "repairer:bench"})
    assert await append(js, other) == Appended(2, duplicate=False)


async def test_a_fact_that_is_to_follow_a_known_one_is_refused_when_another_has_come_between(
    js: JetStreamContext,
) -> None:
    assert (await append(js, fact(1), after=0)).position == 1
    with pytest.raises(NotFirstError):
        await append(js, fact(2), after=0)
    assert (await append(js, fact(2), after=1)).position == 2
    assert (await append(js, fact(3, order="W-2"), after=0)).position == 3  # of another order
    assert await last_position(js) == 3


async def test_a_batch_keeps_its_order_and_goes_on_where_it_ended(js: JetStreamContext) -> None:
    places = await append_batch(js, [fact(n) for n in range(5)])
    assert places == [Appended(n + 1, duplicate=False) for n in range(5)]
    assert [stored.event.id for stored in await read_order(js, "W-1")] == [f"e{n}" for n in range(5)]
    assert await append_batch(js, []) == []


async def test_a_batch_with_a_repeat_tells_the_repeat_apart(js: JetStreamContext) -> None:
    await append_batch(js, [fact(1), fact(2)])
    places = await append_batch(js, [fact(3), fact(2), fact(3), fact(4)])
    assert places == [Appended(3, False), Appended(2, True), Appended(3, True), Appended(4, False)]


async def test_more_than_one_batch_at_once(js: JetStreamContext) -> None:
    places = await append_batch(js, [fact(n) for n in range(MAX_BATCH + 7)])
    assert [place.position for place in places] == list(range(1, MAX_BATCH + 8))


async def test_large_facts_are_split_into_batches_that_the_server_takes(js: JetStreamContext) -> None:
    large = [fact(n).model_copy(update={"data": {"condition": "x" * 60_000}}) for n in range(150)]
    places = await append_batch(js, large)
    assert [place.position for place in places] == list(range(1, 151))


async def test_the_newest_fact_of_one_order_is_none_of_its_neighbours(js: JetStreamContext) -> None:
    await append_batch(js, [fact(1, "W 1"), fact(2, "W 1.x"), fact(3, "W 1"), fact(4, "*")])
    assert [await last_position_of(js, order) for order in ("W 1", "W 1.x", "*", "unheard of")] == [3, 2, 4, 0]


async def test_nothing_is_deleted_or_purged(js: JetStreamContext) -> None:
    await append(js, fact(1))
    with pytest.raises(nats.js.errors.APIError):
        await js.delete_msg(names.REPAIRS, 1)
    with pytest.raises(nats.js.errors.APIError):
        await js.purge_stream(names.REPAIRS)
    assert await last_position(js) == 1


async def test_declaring_again_is_harmless_but_a_foreign_stream_is_refused(chain_server: ChainServer) -> None:
    context = (await chain_server.connect("keeper")).jetstream()
    await context.add_stream(StreamConfig(name=names.REPAIRS, subjects=["repairs.>"]))
    with pytest.raises(StreamMismatchError, match="REPAIRS"):
        await declare_streams(context)
