"""Pulls batches from a durable consumer for FastStream, which hands them to a handler one after the other.

nats-py's own ``fetch`` makes two requests a call, and takes the end of one for the end of the next: from then on a
full stream comes in crumbs of one or two messages, each with a request of its own (seen with nats-py 2.16.0). A feed
has one request under way at a time, tells its end from that of others, and asks ahead while a batch is worked on.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Any, Final

import nats.errors
import structlog
from faststream import FastStream
from faststream.nats import PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.connecting import leave, while_there
from services.ending import end
from services.in_hand import UnderWay, give_back, hear_the_last, say_so
from services.stopping import Allowance

#: One request waits at the server for so long (seconds). One that was lost with the server is made again then.
_LINGER: Final = 1.0

#: Whoever hands in much at a time is seldom silent for so long (seconds): then a batch ends, full or not.
_GAP: Final = 0.01

#: No batch is collected for longer than this (seconds).
_COLLECT: Final = 0.05

#: After trouble with the server (seconds).
_PAUSE: Final = 0.5

#: How a request ends that brought less than it asked for: its time was up.
TIME_IS_UP: Final = "408"

_log = structlog.get_logger("pulling")


def in_batches(size: int) -> PullSub:
    """What a FastStream subscriber has to be declared with that ``pull_from`` or ``feed_into`` feeds."""
    # With a time, FastStream looks at the clock before it fetches, and where that takes longer it never does.
    return PullSub(batch_size=size, timeout=None, batch=True)


class _WholeBatches:
    """A feed for a subscriber of FastStream, which fetches on until a batch is full; a feed knows best when it is."""

    def __init__(self, feed: Any, subscriber: Any) -> None:
        self._feed = feed
        self._subscriber = subscriber
        self._size = subscriber.pull_sub.batch_size

    async def fetch(self, batch: int, timeout: float | None = None) -> list[Msg]:
        """A batch as it comes.

        Raises nats.errors.TimeoutError for the rest of one: then FastStream hands out what there is.
        """
        if batch < self._size:
            raise nats.errors.TimeoutError
        messages: list[Msg] = await self._feed.fetch(batch, timeout)
        if self._subscriber.running:
            return messages
        for message in messages:  # it was stopped meanwhile, and would let them fall
            self._feed.put_back(message)
        return []

    async def unsubscribe(self) -> None:
        await self._feed.unsubscribe()


class Feed:
    """Messages of one durable consumer. It stands in for the subscription of a FastStream batch subscriber."""

    def __init__(self, connection: Client, stream: str, durable: str) -> None:
        self._connection = connection
        self._stream, self._durable = stream, durable
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = connection.new_inbox()
        self._messages: deque[Msg] = deque()
        self._came = asyncio.Event()
        self._requests = 0
        self._due = 0  # what the request under way may still bring
        self._over = 0.0  # when it has ended, told or not
        self._last: Msg | None = None
        self._reconnects = 0
        self._troubled = False
        self._closed = False
        self._clock = asyncio.get_running_loop().time

    async def start(self) -> None:
        """Listen for what is asked for."""
        self._subscription = await self._connection.subscribe(
            f"{self._inbox}.*", cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0
        )
        self._saying = asyncio.create_task(say_so(lambda: list(self._messages)))

    async def fetch(self, batch: int, timeout: float | None = None) -> list[Msg]:
        """Up to ``batch`` messages; none if nothing came for a while. For FastStream, whose ``timeout`` is not ours."""
        try:
            await self._ask(batch)
            if not self._messages:
                await self._wait()
            await self._collect(batch)
        except nats.errors.Error as error:
            _log.debug("cannot ask for more", error=repr(error))
            self._troubled = True
        if self._troubled or self._closed:
            self._troubled = False
            await asyncio.sleep(_PAUSE)  # FastStream asks again at once
        if self._closed:
            return []
        return [self._messages.popleft() for _ in range(min(batch, len(self._messages)))]

    def close(self) -> None:
        """Hand out nothing more."""
        self._closed = True
        self._came.set()

    def put_back(self, message: Msg) -> None:
        """It was handed out and not begun: after ``close`` it is given back with the rest.

        What is given back while the server has a request of ours may come again in any order (seen with nats-server
        2.15.1).
        """
        self._messages.append(message)

    async def unsubscribe(self) -> None:
        """Take nothing more; what was asked for ahead comes again to whoever asks next, in its order."""
        self.close()
        await end(self._saying)
        request = UnderWay(self._stream, self._durable, lambda: self._is_over, lambda: self._last)
        await hear_the_last(self._connection, self._subscription, [request])
        await give_back(self._connection, self._messages)
        self._messages.clear()

    async def _collect(self, batch: int) -> None:
        """Let more come while it comes quickly; ask ahead for what follows."""
        until = self._clock() + _COLLECT
        seen = 0
        while seen < len(self._messages) < batch and self._clock() < until:
            seen = len(self._messages)
            await asyncio.sleep(_GAP)
            await self._ask(batch)

    async def _wait(self) -> None:
        self._came.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), _LINGER)

    @property
    def _is_over(self) -> bool:
        """Whether no request is under way, so far as can be known."""
        lost = self._connection.stats["reconnects"] != self._reconnects
        return self._due <= 0 or self._clock() >= self._over or lost

    async def _ask(self, batch: int) -> None:
        """Have a request under way, unless more than a batch is at hand, or one is on its way."""
        if not self._is_over:
            return
        self._due = 0
        if self._closed or len(self._messages) > batch:
            return
        self._requests += 1
        self._due, self._over = batch, self._clock() + 2 * _LINGER
        self._reconnects = self._connection.stats["reconnects"]
        request = {"batch": batch, "expires": int(_LINGER * 1e9)}
        await self._connection.publish(self._next, json.dumps(request).encode(), f"{self._inbox}.{self._requests}")

    async def _take(self, message: Msg) -> None:
        if message.reply:
            self._due -= 1
            self._last = message
            self._messages.append(message)
        elif message.subject.endswith(f".{self._requests}"):  # of the request under way
            self._due = 0
            status = (message.headers or {}).get("Status")
            self._troubled = status != TIME_IS_UP
        self._came.set()


async def pull_from(subscriber: Any, app: FastStream, connection: Client, stream: str, durable: str) -> Feed:
    """Start ``app``, whose one ``subscriber`` gets its batches from the feed instead of from nats-py."""
    feed = Feed(connection, stream, durable)
    await feed.start()
    await feed_into(subscriber, app, feed)
    return feed


async def feed_into(subscriber: Any, app: FastStream, feed: Any) -> None:
    """Start ``app``, whose one ``subscriber`` gets its batches from ``feed``, which has been started."""
    # FastStream makes its own only where there is none, and starts to pull from it.
    subscriber.subscription = _WholeBatches(feed, subscriber)
    await app.start()
    subscriber.add_task(subscriber._consume_pull)


async def stop_pulling(app: FastStream, connection: Client, at_hand: Allowance) -> None:
    """Finish the batch at hand, for which ``at_hand`` is left, and disconnect.

    FastStream alone may wait for ever for its connection, and raises when there is no server to disconnect from.
    """
    subscribers: list[Any] = [each for broker in app.brokers for each in broker.subscribers]
    tasks = [task for each in subscribers for task in each.tasks]
    feeds = [each.subscription for each in subscribers if each.subscription is not None]
    try:
        await while_there(connection, at_hand.left(), app.stop())
    except Exception as error:  # noqa: BLE001 - what was not finished comes again at the next start
        _log.debug("stopping", error=repr(error))
    await end(*tasks)  # FastStream does not wait for them
    for feed in feeds:
        await feed.unsubscribe()
    await leave(connection)
