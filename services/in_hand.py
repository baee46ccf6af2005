"""What was handed out to us and has no outcome yet: that it is worked on, and giving it back in its order at a stop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext

from events.log import number_of_delivery, position_of
from services.ending import end, within
from services.stopping import LAST_HEARD

#: So often we ask at a stop whether all is here (seconds).
_ASK_AGAIN: Final = 0.01

#: Of the time for what the server has sent, so much may pass until requests have ended; the rest is for giving back.
_HEAR_OUT: Final = 0.6

#: What waits here for its turn is said to be worked on so often (seconds), lest the server hand it out once more.
_SAY_SO_EVERY: Final = 3.0


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A request to a consumer: whether it has ended by now, and the last message that came of it or of one before."""

    stream: str
    durable: str
    is_over: Callable[[], bool]
    last: Callable[[], Msg | None]


async def hear_the_last(connection: Client, subscription: Subscription, requests: Collection[UnderWay]) -> None:
    """Return when nothing of these is on its way here any more; what came is the caller's to give back.

    What is not given back comes again when the time for an answer is up, behind what follows it. So does what the
    server sends just as nobody listens any more, of which it does not always know (seen with nats-server 2.15.1).
    """
    js = connection.jetstream(timeout=LAST_HEARD)

    async def hear() -> None:
        await asyncio.gather(*(_hear_out(js, each) for each in requests), return_exceptions=True)
        await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py is typed in parts
        # It drops requests that nobody listens to when it is asked how many there are.
        asked = (js.consumer_info(each.stream, each.durable) for each in requests)
        await asyncio.gather(*asked, return_exceptions=True)

    if connection.is_connected:
        with suppress(nats.errors.Error, TimeoutError):
            await within(LAST_HEARD, hear())


async def _hear_out(js: JetStreamContext, request: UnderWay) -> None:
    """Return when the request has ended, or waits at the server while all that was sent is here."""
    before = -1
    clock = asyncio.get_running_loop().time
    until = clock() + _HEAR_OUT * LAST_HEARD  # where another instance takes from the same, there may be no such moment
    while not request.is_over() and clock() < until:
        info = await js.consumer_info(request.stream, request.durable)
        sent = info.delivered.consumer_seq if info.delivered else 0
        last = request.last()
        # Where nothing came yet, nobody can tell what was sent to others before: it should not grow.
        here = before if last is None else number_of_delivery(last)
        full = (info.num_ack_pending or 0) >= (info.config.max_ack_pending or math.inf)
        if info.num_waiting and (full or not info.num_pending) and sent <= here:
            return
        before = sent
        await asyncio.sleep(_ASK_AGAIN)


async def give_back(connection: Client, messages: Iterable[Msg]) -> None:
    """Have the server hand these of one consumer out again at once, in the order of their stream."""
    if connection.is_connected:
        with suppress(nats.errors.Error):
            for message in sorted(messages, key=position_of):
                await message.nak()


@asynccontextmanager
async def saying_so(messages: Collection[Msg]) -> AsyncIterator[None]:
    """Keep the server from handing out again what is in ``messages``, which may shrink meanwhile."""
    saying = asyncio.create_task(say_so(lambda: list(messages)))
    try:
        yield
    finally:
        await end(saying)


async def say_so(messages: Callable[[], list[Msg]]) -> None:
    """From time to time, for ever, tell the server that these are worked on, whichever they are by then."""
    while True:
        await asyncio.sleep(_SAY_SO_EVERY)
        with suppress(nats.errors.Error):
            for message in messages():
                await message.in_progress()
