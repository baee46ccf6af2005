"""Feeds on a real server: whole batches, in order, nothing lost on the way out or with the server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from faststream import FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.subscriber.usecases import stream_pull_subscriber
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from events import names
from events.streams import declare_streams
from services import in_hand, pulling
from services.credentials import credential
from services.pulling import Feed, stop_pulling
from services.rights import inbox_prefix
from services.stopping import AT_HAND, Allowance
from services.wiring import security_of
from tests.chainserver import ChainServer
from tests.waiting import eventually

STREAM, DURABLE = names.INTAKE_STREAMS["retailer"], "test"


@pytest.fixture
async def client(chain_server: ChainServer) -> Client:
    client = await chain_server.connect("keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await declare_streams(client.jetstream())
    config = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, ack_wait=60.0)
    await client.jetstream().add_consumer(STREAM, config)
    return client


async def hand_in(client: Client, first: int, count: int) -> None:
    js = client.jetstream()
    for number in range(first, first + count):
        await js.publish_async("intake.retailer.acme", f"{number}".encode())
    await js.publish_async_completed()


@asynccontextmanager
async def feeding(client: Client) -> AsyncIterator[Feed]:
    feed = Feed(client, STREAM, DURABLE)
    await feed.start()
    try:
        yield feed
    finally:
        await feed.unsubscribe()


def flat(batches: list[list[int]]) -> list[int]:
    return [number for batch in batches for number in batch]


async def take(feed: Feed, count: int, batch: int) -> list[list[int]]:
    """Batches until ``count`` messages are there, each message acknowledged."""
    batches: list[list[int]] = []

    async def enough() -> bool:
        messages = await feed.fetch(batch)
        for message in messages:
            await message.ack()
        if messages:
            batches.append([int(message.data) for message in messages])
        return sum(map(len, batches)) >= count

    await eventually(enough)
    return batches


async def test_what_waits_comes_in_whole_batches_and_in_order(client: Client) -> None:
    await hand_in(client, 0, 350)
    async with feeding(client) as feed:
        batches = await take(feed, 350, 100)
    assert flat(batches) == list(range(350))
    assert max(map(len, batches)) == 100
    assert len(batches) < 20  # crumbs would be hundreds


async def test_one_that_comes_alone_is_not_kept_waiting_for_others(client: Client) -> None:
    async with feeding(client) as feed:
        await hand_in(client, 7, 1)
        assert await take(feed, 1, 1_000) == [[7]]


async def test_what_was_fetched_ahead_comes_again_at_once_to_the_next(client: Client) -> None:
    await hand_in(client, 0, 30)
    async with feeding(client) as feed:
        assert await take(feed, 10, 10) == [list(range(10))]
        assert [int(message.data) for message in await feed.fetch(10)] == list(range(10, 20))  # and never answered
    async with feeding(client) as feed:
        batches = await take(feed, 10, 100)  # well before the time for an answer is up
    assert sorted(flat(batches)) == list(range(20, 30))


async def test_what_is_on_its_way_at_a_stop_comes_again_at_once_and_in_its_order(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the server has begun to answer or not, of which nobody can be sure: so several times."""
    monkeypatch.setattr(pulling, "_PAUSE", 0.0)
    for begin, answered in (0, True), (400, False), (800, False), (1_200, False):
        await hand_in(client, begin, 400)
        async with feeding(client) as feed:
            fetching = asyncio.create_task(feed.fetch(400))
            await asyncio.sleep(0)  # it has asked
            if answered:
                await client.flush()
        assert await fetching == []
        async with feeding(client) as feed:
            batches = await take(feed, 400, 100)  # well before the time for an answer is up
        assert flat(batches) == list(range(begin, begin + 400))


async def test_what_was_handed_out_and_not_begun_comes_again_in_its_order(client: Client) -> None:
    await hand_in(client, 0, 30)
    async with feeding(client) as feed:
        batch = await feed.fetch(10)
        await feed._ask(30)
        await client.flush()
        feed.close()
        for message in reversed(batch):
            feed.put_back(message)
    async with feeding(client) as feed:
        assert flat(await take(feed, 30, 100)) == list(range(30))


async def test_where_no_moment_comes_at_which_all_is_here_what_came_is_given_back_all_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another instance may go on taking from the same consumer: then a request never waits with all that was sent."""
    monkeypatch.setattr(in_hand, "LAST_HEARD", 0.5)
    monkeypatch.setattr(in_hand, "number_of_delivery", lambda _: -1)  # more was sent than ever comes here
    async with feeding(client) as feed:
        await feed._ask(100)
        await hand_in(client, 0, 30)
        await eventually(lambda: len(feed._messages) == 30)
    monkeypatch.undo()
    await hand_in(client, 30, 1)  # its request is at the server still, unless that was told
    async with feeding(client) as feed:
        assert flat(await take(feed, 31, 100)) == list(range(31))  # well before the time for an answer is up


async def test_it_goes_on_after_the_server_was_killed(chain_server: ChainServer, client: Client) -> None:
    async with feeding(client) as feed:
        await hand_in(client, 0, 5)
        assert flat(await take(feed, 5, 100)) == list(range(5))
        os.kill(chain_server.embedded.pid, signal.SIGKILL)
        await chain_server.embedded.wait()
        await chain_server.embedded.start()
        await eventually(lambda: client.is_connected)
        await hand_in(client, 5, 5)
        assert set(range(5, 10)) <= set(flat(await take(feed, 5, 100)))


async def test_a_feed_whose_consumer_is_gone_asks_no_faster_than_it_should(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.pulling._PAUSE", 0.05)
    async with feeding(client) as feed:
        await client.jetstream().delete_consumer(STREAM, DURABLE)
        before = client.stats["out_msgs"]
        for _ in range(5):
            assert await feed.fetch(100) == []
        assert client.stats["out_msgs"] - before <= 10


async def test_a_clock_that_is_slow_to_read_keeps_no_batch_from_coming(
    chain_server: ChainServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter(range(1_000))  # seconds; whoever reads on and on without waiting for anything comes to the end
    monkeypatch.setattr(stream_pull_subscriber, "monotonic", lambda: next(readings))
    keeper = credential(chain_server.home, "keeper")
    broker = NatsBroker(chain_server.url, security=security_of(keeper), inbox_prefix=inbox_prefix("keeper"))
    came: list[list[int]] = []
    subscriber = broker.subscriber(
        "intake.retailer.*",
        stream=JStream(STREAM, declare=False),
        durable=DURABLE,
        pull_sub=pulling.in_batches(10),
        no_reply=True,
    )

    @subscriber
    async def take(messages: list[int]) -> None:
        came.append(messages)

    await hand_in(client, 0, 13)
    app = FastStream(broker)
    connection = await broker.connect()
    await pulling.pull_from(subscriber, app, connection, STREAM, DURABLE)
    await eventually(lambda: sum(map(len, came)) == 13)
    await stop_pulling(app, connection, Allowance(AT_HAND))
    assert came == [list(range(10)), list(range(10, 13))]


async def test_what_is_fetched_as_the_subscriber_stops_is_not_let_fall(client: Client) -> None:
    await hand_in(client, 0, 10)
    feed = Feed(client, STREAM, DURABLE)
    await feed.start()
    stopped = SimpleNamespace(running=False, pull_sub=pulling.in_batches(10))
    assert await pulling._WholeBatches(feed, stopped).fetch(10) == []
    await feed.unsubscribe()
    async with feeding(client) as again:
        assert flat(await take(again, 10, 10)) == list(range(10))  # well before the time for an answer is up
