"""Reading many streams fairly, on a real server: order, shares, newcomers, and trouble with one or all of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from events import names
from events.streams import declare_box, declare_streams
from events.subjects import box_stream, box_subject
from services.intake.feeding import FairFeed
from services.intake.sweeping import Sweeper
from tests.chainserver import ChainServer
from tests.waiting import eventually

ONE, OTHER = "retailer:acme", "retailer:rival"


@pytest.fixture
async def client(chain_server: ChainServer) -> Client:
    client = await chain_server.connect("keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await declare_streams(client.jetstream())
    for party in (ONE, OTHER):
        await declare_box(client.jetstream(), party)
    return client


async def hand_in(client: Client, party: str, first: int, count: int, size: int = 1) -> None:
    js = client.jetstream()
    for number in range(first, first + count):
        await js.publish_async(box_subject(party), f"{number:0{size}}".encode())
    await js.publish_async_completed()


class Feeding:
    """A feed, what has arrived, and how often a stream was missing."""

    def __init__(self, client: Client) -> None:
        self.arrived: list[Msg] = []
        self.missing = 0
        self.feed = FairFeed(client, names.INTAKE_DURABLES["retailer"], self.arrived.append, self._miss)

    def _miss(self) -> None:
        self.missing += 1

    async def take(self, count: int) -> list[list[tuple[str, int]]]:
        """Batches until ``count`` submissions are there, each acknowledged: of which partner, and its number."""
        batches: list[list[tuple[str, int]]] = []

        async def enough() -> bool:
            messages = await self.feed.fetch(1_000)
            for message in messages:
                await message.ack()
            if messages:
                self.feed.took(len(messages), 0.02)
                batches.append([(message.subject.split(".")[2], int(message.data)) for message in messages])
            return sum(map(len, batches)) >= count

        await eventually(enough)
        return batches


@asynccontextmanager
async def feeding(client: Client, *parties: str) -> AsyncIterator[Feeding]:
    found = Feeding(client)
    await found.feed.start()
    await found.feed.serve([box_stream(party) for party in parties])
    try:
        yield found
    finally:
        await found.feed.unsubscribe()


async def asked(client: Client, party: str) -> None:
    """Until a request waits there."""
    js = client.jetstream()

    async def waits() -> bool:
        return bool((await js.consumer_info(box_stream(party), names.INTAKE_DURABLES["retailer"])).num_waiting)

    await eventually(waits, "asked")


async def test_one_who_is_alone_gets_whole_batches_in_order(client: Client) -> None:
    await hand_in(client, ONE, 0, 1_050)
    async with feeding(client, ONE, OTHER) as found:
        batches = await found.take(1_050)
    assert [number for batch in batches for _, number in batch] == list(range(1_050))
    assert max(map(len, batches)) >= 500


async def test_one_who_floods_takes_no_more_than_its_share_of_what_another_waits_for(client: Client) -> None:
    await hand_in(client, ONE, 0, 600)
    await hand_in(client, OTHER, 0, 20)
    async with feeding(client, ONE, OTHER) as found:
        await eventually(lambda: len({message.subject for message in found.arrived}) == 2, "both have something here")
        batches = await found.take(620)
    before = [number for number, batch in enumerate(batches) if any(name == "rival" for name, _ in batch)][-1]
    shares = Counter(name for batch in batches[: before + 1] for name, _ in batch)
    assert shares["rival"] == 20
    assert shares["acme"] < 200, "although it handed in hundreds before"
    assert [number for batch in batches for name, number in batch if name == "acme"] == list(range(600))


async def test_of_four_batches_that_bring_what_one_waits_for_at_most_one_brings_much_of_another(client: Client) -> None:
    await hand_in(client, ONE, 0, 300)
    brought: list[Counter[str]] = []
    async with feeding(client, ONE, OTHER) as found:
        for number in range(12):
            await hand_in(client, OTHER, number, 1)
            taken = sum(brought, Counter[str]())

            def is_here(taken: Counter[str] = taken, number: int = number) -> bool:
                arrived = Counter(message.subject.split(".")[2] for message in found.arrived)
                return arrived["acme"] - taken["acme"] > 16 and arrived["rival"] == number + 1

            await eventually(is_here, "more than a share of the one is here, and the next of the other")
            [batch] = await found.take(1)
            brought.append(Counter(name for name, _ in batch))
    assert [batch["rival"] for batch in brought] == [1] * 12
    assert [batch["acme"] > 0 for batch in brought] == [False, False, False, True] * 3


async def test_without_a_flood_the_order_between_partners_is_kept(client: Client) -> None:
    for number in range(10):
        await hand_in(client, (ONE, OTHER)[number % 2], number, 1)
    async with feeding(client, ONE, OTHER) as found:
        await eventually(lambda: len(found.arrived) == 10, "all are here")
        batches = await found.take(10)
    assert [number for _, number in batches[0]] == list(range(10))


async def test_a_newcomer_is_heard_at_once_and_one_that_goes_no_more(client: Client) -> None:
    async with feeding(client, ONE) as found:
        await hand_in(client, OTHER, 7, 1)
        await found.feed.serve([box_stream(ONE), box_stream(OTHER)])
        assert await found.take(1) == [[("rival", 7)]]
        await found.feed.serve([box_stream(ONE)])
        await hand_in(client, ONE, 8, 1)
        assert await found.take(1) == [[("acme", 8)]]


async def test_a_stream_that_is_missing_is_told_and_stops_nobody_else(client: Client) -> None:
    async with feeding(client, ONE, OTHER) as found:
        await asked(client, OTHER)
        await client.jetstream().delete_stream(box_stream(OTHER))
        await eventually(lambda: found.missing > 0, "missed")
        await hand_in(client, ONE, 1, 1)
        assert await found.take(1) == [[("acme", 1)]]


async def test_others_may_be_served_while_all_are_asked() -> None:
    asked: list[str] = []

    class Slow:
        """A connection whose buffer is full."""

        stats: ClassVar = {"reconnects": 0}

        def new_inbox(self) -> str:
            return "inbox"

        async def publish(self, subject: str, *_: object) -> None:
            asked.append(subject.split(".")[-2])
            await asyncio.sleep(0)

    feed = FairFeed(cast("Client", Slow()), "durable", lambda _: None, lambda: None)
    await feed.serve(["A", "B"])
    Slow.stats["reconnects"] += 1  # so that all are asked anew
    await asyncio.gather(feed._ask_all(), feed.serve(["A", "B", "C"]))
    assert sorted(asked) == ["A", "A", "B", "B", "C"]


async def test_one_that_was_made_anew_is_asked_anew(client: Client) -> None:
    async with feeding(client, ONE) as found:
        await asked(client, ONE)
        found.feed._sources[box_stream(ONE)].requests += 1  # the word of its end may be lost, too
        await client.jetstream().delete_stream(box_stream(ONE))
        await declare_box(client.jetstream(), ONE)
        await hand_in(client, ONE, 1, 1)
        await found.feed.serve([box_stream(ONE)], anew=[box_stream(ONE)])
        assert await found.take(1) == [[("acme", 1)]]


async def test_it_goes_on_after_the_server_was_killed(chain_server: ChainServer, client: Client) -> None:
    async with feeding(client, ONE, OTHER) as found:
        await hand_in(client, ONE, 0, 5)
        assert [number for batch in await found.take(5) for _, number in batch] == list(range(5))
        os.kill(chain_server.embedded.pid, signal.SIGKILL)
        await chain_server.embedded.wait()
        await chain_server.embedded.start()
        await eventually(lambda: client.is_connected)
        await hand_in(client, OTHER, 5, 5)
        batches = await found.take(5)  # what was acknowledged in the moment of the kill may come again
        assert {("rival", number) for number in range(5, 10)} <= {each for batch in batches for each in batch}


async def test_what_was_fetched_ahead_comes_again_at_once_to_the_next_in_its_order(client: Client) -> None:
    await hand_in(client, ONE, 0, 900)
    async with feeding(client, ONE) as found:
        await eventually(lambda: len(found.arrived) == 900, "fetched ahead")
    async with feeding(client, ONE) as found:
        batches = await found.take(900)  # well before the time for an answer is up
    assert [number for batch in batches for _, number in batch] == list(range(900))


async def test_what_was_on_its_way_when_it_stopped_comes_again_at_once_too(client: Client) -> None:
    await hand_in(client, ONE, 0, 150, size=4_000)  # more than comes in a moment
    first = asyncio.Event()
    feed = FairFeed(client, names.INTAKE_DURABLES["retailer"], lambda _: first.set(), lambda: None)
    await feed.start()
    await feed.serve([box_stream(ONE)])
    await first.wait()
    await feed.unsubscribe()
    async with feeding(client, ONE) as found, asyncio.timeout(5):  # half the time for an answer
        batches = await found.take(150)
    assert {number for batch in batches for _, number in batch} == set(range(150))


async def test_what_was_given_back_comes_again_before_anything_is_removed_from_its_stream(client: Client) -> None:
    """Else the server would hand it out only after the time for an answer, behind all that follows it."""
    await hand_in(client, ONE, 0, 30)
    async with feeding(client, ONE) as found:
        await eventually(lambda: len(found.arrived) == 30, "fetched ahead")
    js, stream, durable = client.jetstream(), box_stream(ONE), names.INTAKE_DURABLES["retailer"]
    sweeper = Sweeper(js, durable)
    waiting = await js.pull_subscribe_bind(durable=durable, stream=stream)
    for first, count in (0, 10), (10, 20):
        assert await sweeper._sweep(stream), "there is more to remove soon"
        messages = await waiting.fetch(count, timeout=10)
        sweeper.came(messages)
        assert [int(message.data) for message in messages] == list(range(first, first + count))
        for message in messages:
            await message.ack_sync()
    assert not await sweeper._sweep(stream)
    assert (await js.stream_info(stream)).state.messages == 0


async def test_a_stream_is_swept_while_its_submissions_are_worked_on(client: Client) -> None:
    await hand_in(client, ONE, 0, 3)
    js, stream, durable = client.jetstream(), box_stream(ONE), names.INTAKE_DURABLES["retailer"]
    sweeper = Sweeper(js, durable)
    waiting = await js.pull_subscribe_bind(durable=durable, stream=stream)
    messages = await waiting.fetch(3)
    sweeper.came(messages)
    await messages[0].ack_sync()
    assert await sweeper._sweep(stream), "there is more to remove soon"
    assert (await js.stream_info(stream)).state.messages == 2


async def test_hundreds_of_idle_streams_cost_next_to_nothing(client: Client) -> None:
    async with feeding(client, ONE, OTHER) as found:
        before = client.stats["out_msgs"]
        assert [await found.feed.fetch(1_000) for _ in range(3)] == [[], [], []]
        assert client.stats["out_msgs"] == before
