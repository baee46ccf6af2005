"""The notifier service: takes facts that may be news from the log, one by one, and tells the customer.

One durable consumer gives the triggers and our own message.planned, in log order. What cannot be done now comes again
after a delay and holds nobody up; how that keeps to "once", and to the order of news, stands in telling.py and in
messages.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import nats.errors
import structlog
from faststream import AckPolicy, FastStream
from faststream.exceptions import NackMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as JsAckPolicy
from nats.js.api import ConsumerConfig
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue
from pydantic import ValidationError

from events import log, names
from events.clock import Clock
from events.envelope import Event
from events.log import Appended
from events.streams import DEFAULT_LIMITS, Limits, declare_streams
from projections.calendar import promise_of_next_news
from services.answering import Ask
from services.connecting import leave
from services.delivery import Delivery
from services.intake.deciding import Contact
from services.messages import TRIGGERS
from services.notices import Notice, send_notice
from services.notifying.claims import Claims
from services.notifying.records import Policy
from services.notifying.telling import PLANNED, RETRY_AFTER, AgainLaterError, Teller
from services.parties import PartyCard
from services.pulling import mend_timeouts, stop_pulling
from services.rights import inbox_prefix

#: A fact that got no answer comes again after this long (seconds); while it is worked on we say so more often.
_ACK_WAIT: Final = 10.0
_SAY_SO_EVERY: Final = 3.0

#: After a fault the fact comes again: soon at first, then every few minutes. It is never given up.
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 300.0

_log = structlog.get_logger("notifier")


def filter_subjects() -> list[str]:
    """What the notifier reads of the log: subjects of the form ``repairs.<any order>.<name>``."""
    return sorted(f"{names.LOG_ROOT}.*.{name}" for name in (*TRIGGERS, PLANNED))


def build_notifier(
    broker: NatsBroker,
    clock: Clock,
    ask: Ask,
    delivery: Delivery,
    cards: Callable[[], Mapping[str, PartyCard]],
    *,
    policy: Policy | None = None,
    retry_after: Sequence[float] = RETRY_AFTER,
    limits: Limits = DEFAULT_LIMITS,
) -> Notifier:
    """The notifier on ``broker``. ``cards`` reads the party registry anew each time."""
    return Notifier(
        broker,
        clock,
        ask,
        delivery,
        cards,
        policy or Policy(promise=promise_of_next_news),
        retry_after=retry_after,
        limits=limits,
    )


class Notifier:
    """``await start()``, then it runs by itself until ``await stop()``."""

    def __init__(
        self,
        broker: NatsBroker,
        clock: Clock,
        ask: Ask,
        delivery: Delivery,
        cards: Callable[[], Mapping[str, PartyCard]],
        policy: Policy,
        *,
        retry_after: Sequence[float] = RETRY_AFTER,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._limits = limits
        self.app = FastStream(broker, logger=None)
        self._broker = broker
        self._clock = clock
        self._ask = ask
        self._delivery = delivery
        self._cards = cards
        self._policy = policy
        self._retry_after = retry_after

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect, declare what is needed, and begin where we left off."""
        self._connection = await self._broker.connect()
        try:
            await self._begin(self._connection)
        except BaseException:
            await leave(self._connection)
            raise

    async def _begin(self, connection: Client) -> None:
        self._js: JetStreamContext = connection.jetstream()
        await declare_streams(self._js, self._limits, updating=())
        config = self._consumer()
        # add_consumer also updates: the configuration of an existing durable would otherwise be silently kept.
        await self._js.add_consumer(names.REPAIRS, config)
        self._teller = await self._build_teller(connection)
        subscriber = self._broker.subscriber(
            f"{names.LOG_ROOT}.>",
            durable=names.NOTIFIER_DURABLE,
            stream=JStream(names.REPAIRS, declare=False),
            # More at once would be handled side by side, out of order. A request that was lost with the server is made
            # again when its time is up.
            pull_sub=PullSub(batch_size=1, timeout=1.0),
            config=config,
            inbox_prefix=f"{inbox_prefix('notifier')}.".encode(),  # here with its dot, else without
            decoder=_raw,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            title="notifier",
        )
        subscriber(self.take)
        await self.app.start()
        mend_timeouts(subscriber)

    async def stop(self) -> None:
        """Finish the message at hand and leave."""
        await stop_pulling(self.app, self._connection)

    async def check(self) -> str:
        """For readiness: asks the server for our consumer. Raises nats errors if it is gone."""
        info = await self._js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
        return f"{info.num_pending} waiting, {info.num_ack_pending} under way"

    def _consumer(self) -> ConsumerConfig:
        return ConsumerConfig(
            durable_name=names.NOTIFIER_DURABLE,
            ack_policy=JsAckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT,
            max_deliver=-1,
            max_ack_pending=20_000,  # whoever waits for another attempt counts; the others must not wait for them
            filter_subjects=filter_subjects(),
        )

    async def _build_teller(self, connection: Client) -> Teller:
        async def notify(party: str, notice: Notice) -> None:
            await send_notice(connection, party, notice)

        return Teller(
            ask=self._ask,
            log=JetStreamLog(self._js),
            contacts=ContactBook(await self._js.key_value(names.CUSTOMERS)),
            claims=Claims(await self._js.key_value(names.SENDING)),
            delivery=self._delivery,
            notify=notify,
            cards=self._cards,
            clock=self._clock,
            policy=self._policy,
            retry_after=self._retry_after,
        )

    # -- one fact -----------------------------------------------------------------------------------------------------

    async def take(self, raw: Msg) -> None:
        """Handle one fact. Returning acknowledges it; NackMessage has it come again."""
        try:
            event = Event.from_json(raw.data)
        except ValidationError as error:
            # The log only takes what intake has checked; whatever this is, no attempt will ever make it readable.
            _log.error("cannot read a fact, leaving it out", subject=raw.subject, problems=error.error_count())
            return
        try:
            async with _saying_so(raw):
                await self._teller.handle(event)
        except AgainLaterError as later:
            raise NackMessage(delay=later.delay) from None
        except Exception as fault:  # a fault with one order must not keep news from all others
            delay = min(_FIRST_DELAY * 2 ** min(raw.metadata.num_delivered - 1, 20), _LONGEST_DELAY)
            _log.warning("will try again", order=event.subject, type=event.type, error=repr(fault), delay=delay)
            raise NackMessage(delay=delay) from fault


class JetStreamLog:
    """The log behind a JetStream connection."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def append(self, event: Event) -> Appended:
        return await log.append(self._js, event)

    async def last_position(self) -> int:
        return await log.last_position(self._js)


class ContactBook:
    """The CUSTOMERS bucket."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    async def find(self, key: str) -> Contact | None:
        """Who is behind ``key``; None if nobody is, or asked to be forgotten. Raises nats errors."""
        try:
            entry = await self._bucket.get(key)
        except KeyNotFoundError:
            return None
        return Contact.model_validate_json(entry.value or b"{}")


async def _raw(message: NatsMessage) -> Any:
    return message.raw_message


@asynccontextmanager
async def _saying_so(message: Msg) -> AsyncIterator[None]:
    """Keep the server from handing the message to another instance while this one is still at it."""

    async def say() -> None:
        while True:
            await asyncio.sleep(_SAY_SO_EVERY)
            with suppress(nats.errors.Error):
                await message.in_progress()

    saying = asyncio.create_task(say())
    try:
        yield
    finally:
        saying.cancel()
        with suppress(asyncio.CancelledError):
            await saying
