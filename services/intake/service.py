"""The intake service of one role: takes batches of what its partners hand in, and answers each with a receipt.

Each partner hands in to a stream of its own, its box; what our own hand in for partners waits in the intake stream of
the role. All of these are read fairly (feeding.py).

What happens to a batch, in this order, so that a crash at any point loses and doubles nothing: decide every submission;
keep contacts; append the facts, all or nothing, in parts if they are too much for one append (taking.py); settle it
(settling.py) while the next one is decided on (background.py). Trouble is seen to in batches.py. Whatever comes again
after a crash is told apart by (source, id).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.message import NatsBatchMessage
from nats.aio.client import Client
from nats.js import JetStreamContext

from events import names
from events.clock import Clock
from events.streams import DEFAULT_LIMITS, OURS_FROM, Limits, declare_streams, intake_config, ours_consumer
from services.boxes import Box, Boxes
from services.connecting import leave
from services.desk.book import Book
from services.in_hand import saying_so
from services.intake.batches import Batches
from services.intake.feeding import FairFeed
from services.intake.following import Follower
from services.intake.held import Held
from services.intake.index import Index
from services.intake.limbo import HELD_FOR, Limbo
from services.intake.needs import BatchNeeds
from services.intake.reading_ahead import ReadAhead
from services.intake.settling import Settling
from services.intake.sharing import MOST
from services.intake.sweeping import Sweeper
from services.intake.taking import APPEND_TIMEOUT
from services.pulling import feed_into, in_batches, stop_pulling
from services.rights import inbox_prefix
from services.stopping import AT_HAND, Allowance


async def _raw(message: NatsBatchMessage) -> Any:
    # Decoding and path matching per message would cost more than all of intake; we read the bytes ourselves.
    return message.raw_message


class Intake:
    """One role's intake: ``await start()``, then it runs by itself until ``await stop()``."""

    def __init__(
        self,
        role: str,
        broker: NatsBroker,
        clock: Clock,
        index_path: Path,
        limits: Limits = DEFAULT_LIMITS,
        held_for: timedelta = HELD_FOR,
    ) -> None:
        self.role = role
        self._limits = limits
        self.app = FastStream(broker)
        self._broker = broker
        self._clock = clock
        self._index_path = index_path
        self._held = Held(role)
        self._limbo = Limbo(role, clock, held_for)
        self._lock = asyncio.Lock()
        self._served: set[str] = set()  # boxes
        self._ahead = ReadAhead()

    async def start(self) -> None:
        """Connect, declare what is needed, catch up with the log, and only then take submissions."""
        async with AsyncExitStack() as life:
            self._connection: Client = await self._broker.connect()
            life.push_async_callback(leave, self._connection)
            self._js: JetStreamContext = self._connection.jetstream(timeout=APPEND_TIMEOUT)
            await declare_streams(self._js, self._limits, updating=(names.INTAKE_STREAMS[self.role], names.REJECTED))
            await self._number_ours()
            # add_consumer also updates: the configuration of an existing durable would otherwise be silently kept.
            await self._js.add_consumer(names.INTAKE_STREAMS[self.role], ours_consumer(self.role))
            customers = Book(self._js)
            await customers.open()
            self._index = Index(self._index_path)
            life.callback(self._index.close)
            await self._held.load(self._js)
            self._follower = Follower(self._js, self._index, self._held, self._lock)
            await self._follower.start()
            life.push_async_callback(self._follower.stop)
            await self._limbo.start(self._js)
            life.push_async_callback(self._limbo.stop)
            await self._pull(life, customers)
            self._life = life.pop_all()

    async def _pull(self, life: AsyncExitStack, customers: Book) -> None:
        subscriber = self._broker.subscriber(
            f"{names.INTAKE_ROOT}.{self.role}.*",
            durable=names.INTAKE_DURABLES[self.role],
            stream=JStream(names.INTAKE_STREAMS[self.role], declare=False),
            pull_sub=in_batches(MOST),
            config=ours_consumer(self.role),
            inbox_prefix=f"{inbox_prefix(self.role)}.".encode(),  # here with its dot, else without
            decoder=_raw,
            ack_policy=AckPolicy.MANUAL,
            title=f"{self.role} intake",
        )
        durable = names.INTAKE_DURABLES[self.role]
        self._sweeper = Sweeper(self._js, durable)
        self._sweeper.start()
        boxes = Boxes(self._connection, self.role, self._limits, self._serve)
        self._feed = FairFeed(self._connection, durable, self._ahead.arrived, boxes.look_soon)
        batches = Batches(self.role, self._needed_by_batches(customers))
        self._standstill = batches.standstill
        subscriber(batches.take)
        life.push_async_callback(self._sweeper.stop)
        at_hand = Allowance(AT_HAND)
        life.push_async_callback(stop_pulling, self.app, self._connection, at_hand)
        await life.enter_async_context(saying_so(batches.in_hand))
        life.push_async_callback(batches.settle_the_last, at_hand)
        await self._feed.start()
        try:
            await boxes.start()
        except BaseException:
            await self._feed.unsubscribe()  # from here on that is seen to where the service stops pulling
            raise
        life.push_async_callback(boxes.stop)
        self._sweeper.settled([names.INTAKE_STREAMS[self.role]])  # what an earlier run left
        await feed_into(subscriber, self.app, self._feed)

    def _needed_by_batches(self, customers: Book) -> BatchNeeds:
        settling = Settling(self._connection, self._js, customers, self._held, self._limbo, self._follower)
        return BatchNeeds(
            connection=self._connection,
            js=self._js,
            clock=self._clock,
            customers=customers,
            index=self._index,
            follower=self._follower,
            limbo=self._limbo,
            settling=settling,
            feed=self._feed,
            sweeper=self._sweeper,
            ahead=self._ahead,
            lock=self._lock,
        )

    async def _serve(self, boxes: list[Box], made: Collection[str]) -> None:
        new = [box for box in boxes if box.stream not in self._served]
        self._served = {box.stream for box in boxes}
        self._sweeper.settled(box.stream for box in new if box.messages)
        await self._feed.serve([names.INTAKE_STREAMS[self.role], *self._served], made)

    async def _number_ours(self) -> None:
        """A stream of an earlier version began at 1, as boxes do: once it is empty, it goes on where it should."""
        stream = names.INTAKE_STREAMS[self.role]
        state = (await self._js.stream_info(stream)).state
        if state.last_seq >= OURS_FROM - 1 or state.messages:
            return
        # What came between a look and the purge would be acknowledged and lost: so nothing is taken meanwhile.
        config = intake_config(self.role, self._limits)
        await self._js.update_stream(config.evolve(max_bytes=1))
        try:
            if not (await self._js.stream_info(stream)).state.messages:
                await self._js.purge_stream(stream, seq=OURS_FROM)
        finally:  # where we are killed before this, declaring the streams does it at the next start
            await self._js.update_stream(config)

    async def stop(self) -> None:
        """Finish the batch at hand and leave."""
        await self._life.aclose()

    async def check(self) -> str:
        """For readiness: asks the server for our consumer.

        Raises nats errors if it is gone, StandstillError if nothing goes into the log although there is something.
        """
        self._standstill.check()
        await self._js.consumer_info(names.INTAKE_STREAMS[self.role], names.INTAKE_DURABLES[self.role])
        return f"{self._feed.waiting} waiting, index at {self._index.position}"
