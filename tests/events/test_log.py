"""The log on a real server: what is appended stays, once, in order, and can be followed from anywhere."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from events import log, names
from events.atomic_batch import MAX_BATCH
from events.envelope import Event, make_event
from events.log import (
    Appended,
    LogReplacedError,
    NotFirstError,
    Tail,
    append,
    append_batch,
    last_position,
    last_position_of,
    read_until,
)
from events.streams import StreamMismatchError, declare_streams
from tests.chainserver import ChainServer
from tests.logged import read_order
from tests.waiting import eventually


def fact(number: int, order: str = "W-1") -> Event:
    return make_event(
        "item.received",
        source="importer:north",
        id=f"e{number}",
        subject=order,
        time=datetime(2026, 3, 2, tzinfo=UTC),
        data={},
    )


@pytest.fixture
async def js(chain_server: ChainServer) -> JetStreamContext:
    return await declared(chain_server)


async def declared(chain_server: ChainServer) -> JetStreamContext:
    context = (await chain_server.connect("keeper")).jetstream()
    await declare_streams(context)
    return context


async def positions(js: JetStreamContext, after: int = 0) -> list[int]:
    end = await last_position(js)
    return [position async for batch in read_until(js, end, after=after) for position, _ in batch]


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


async def test_the_tail_begins_anywhere_and_goes_on_with_what_comes(js: JetStreamContext) -> None:
    await append_batch(js, [fact(n) for n in range(10)])
    assert await positions(js) == list(range(1, 11))
    assert await positions(js, after=7) == [8, 9, 10]
    assert await positions(js, after=10) == []
    async with Tail(js, after=8) as tail:
        seen = [position for position, _ in await tail.next_batch()]
        await append(js, fact(99))
        while seen[-1] < 11:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == [9, 10, 11]


async def test_the_tail_reads_no_further_while_much_waits_to_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_MOST_WAITING", 1_000)
    tail = Tail(Client().jetstream())

    async def deliver() -> None:
        for position in range(1, 6):
            reply = f"$JS.ACK.{names.REPAIRS}.tail.1.{position}.{position}.0.0"
            await tail._take(Msg(cast("Client", None), "repairs.W-1.item.received", reply, b"x" * 600))

    delivering = asyncio.create_task(deliver())
    batches = [await tail.next_batch() for _ in range(3)]
    await delivering
    assert [[position for position, _ in batch] for batch in batches] == [[1, 2], [3, 4], [5]]


async def test_the_tail_survives_the_loss_of_its_consumer(js: JetStreamContext) -> None:
    await append_batch(js, [fact(n) for n in range(3)])
    async with Tail(js, check_every=0.2) as tail:
        seen = [position for position, _ in await tail.next_batch()]
        for consumer in await js.consumers_info(names.REPAIRS):
            await js.delete_consumer(names.REPAIRS, consumer.name)
        await append_batch(js, [fact(n) for n in range(3, 6)])
        while len(seen) < 6:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_what_comes_while_the_tail_asks_where_the_log_ends_is_no_other_log(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_batch(js, [fact(n) for n in range(3)])
    async with Tail(js, check_every=0.05) as tail:
        while tail.position < 3:
            await tail.next_batch()

        async def answered_late(js: JetStreamContext) -> int:
            end = await last_position(js)
            await append(js, fact(end))
            await eventually(lambda: tail.position > end)
            return end

        monkeypatch.setattr(log, "last_position", answered_late)
        assert await tail.next_batch() == []
        assert [position for position, _ in await tail.next_batch()] == [4]


@pytest.mark.parametrize("anew", [1, 2, 3], ids=["shorter", "as long", "longer"])
async def test_the_tail_tells_that_the_log_came_back_as_another_one(
    chain_server: ChainServer, tmp_path: Path, anew: int
) -> None:
    js = await declared(chain_server)
    await append_batch(js, [fact(n) for n in range(3)])
    await chain_server.back_up(tmp_path / "backup")
    await append_batch(js, [fact(n) for n in range(3, 5)])
    async with Tail(js, check_every=0.2) as tail:
        while tail.position < 5:
            await tail.next_batch()
        await chain_server.restore(tmp_path / "backup")
        other = await declared(chain_server)
        await append_batch(other, [fact(n) for n in range(10, 10 + anew)])
        with pytest.raises(LogReplacedError):
            await anext(aiter(tail))  # nothing of the other log is handed out


async def test_the_tail_reads_on_over_a_restart_of_the_server(chain_server: ChainServer) -> None:
    js = await declared(chain_server)
    await append_batch(js, [fact(n) for n in range(3)])
    seen: list[int] = []
    async with Tail(js, check_every=0.2) as tail:
        for start in (3, 6):
            while len(seen) < start:
                seen += [position for position, _ in await tail.next_batch()]
            await chain_server.embedded.stop()
            await chain_server.embedded.start()
            await append_batch(await declared(chain_server), [fact(n) for n in range(start, start + 3)])
        while len(seen) < 9:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == list(range(1, 10))


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
