"""The notifier service: takes facts that may be news from the log, one after the other, and tells the customer.

One durable consumer gives the facts (notifying/taking.py); what cannot be told now waits here for its moment
(notifying/coming_up.py). How that keeps to "once", and to the order of news, stands in sending.py and in messages.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.message import NatsBatchMessage
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as JsAckPolicy
from nats.js.api import ConsumerConfig

from events import log, names
from events.clock import Clock
from events.envelope import Event
from events.log import Appended
from events.streams import DEFAULT_LIMITS, Limits, declare_streams
from services.answering import Ask
from services.connecting import leave, while_there
from services.delivery import Delivery
from services.desk.book import Book
from services.ending import end
from services.messages import TRIGGERS
from services.notices import DailyList, Notice, send_notice
from services.notifying.asking_together import Histories
from services.notifying.briefing import Briefer
from services.notifying.claims import LEASE, Claims
from services.notifying.coming_up import ComingUp
from services.notifying.connected import ContactBook, JetStreamLog
from services.notifying.order_locks import OrderLocks
from services.notifying.places import DayPlaces
from services.notifying.records import MessagePolicy
from services.notifying.sending import RETRY_AFTER, Sender
from services.notifying.taking import Taking
from services.notifying.telling import PLANNED, Teller
from services.parties import PartyCard
from services.pulling import in_batches, pull_from, stop_pulling
from services.rights import inbox_prefix
from services.starting import Starting
from services.stopping import AT_HAND, Allowance

#: A fact that got no answer comes again after this long (seconds); while it waits here for its turn we say so.
_ACK_WAIT: Final = 10.0

#: So often we look whose moment has come (seconds).
_LOOK_EVERY: Final = 1.0

#: Whatever the clock says (it may have been set back by hours), we look at least once in so long (seconds).
_LOOK_ANYWAY: Final = 60.0

#: Of two notifiers, one may run ahead of the other by about so many facts.
_BATCH: Final = 200

_log = structlog.get_logger("notifier")


def filter_subjects() -> list[str]:
    """What the notifier reads of the log: subjects of the form ``repairs.<any order>.<name>``."""
    return sorted(f"{names.LOG_ROOT}.*.{name}" for name in (*TRIGGERS, PLANNED))


class Notifier:
    """``await start()``, then it runs by itself until ``await stop()``.

    ``cards`` reads the party registry anew each time. With ``daily_list`` parties get their lists, too.
    """

    def __init__(
        self,
        broker: NatsBroker,
        clock: Clock,
        ask: Ask,
        delivery: Delivery,
        cards: Callable[[], Mapping[str, PartyCard]],
        *,
        policy: MessagePolicy | None = None,
        retry_after: Sequence[float] = RETRY_AFTER,
        limits: Limits = DEFAULT_LIMITS,
        lease: float = LEASE,
        daily_list: bool = False,
    ) -> None:
        self._limits = limits
        self._lease = lease
        self.app = FastStream(broker, logger=None)
        self._broker = broker
        self._clock = clock
        self._ask = ask
        self._delivery = delivery
        self._cards = cards
        self._policy = policy or MessagePolicy()
        self._retry_after = retry_after
        self._stopping = False
        self._daily_list = daily_list
        self._briefer: Briefer | None = None
        self._rounds: list[asyncio.Task[None]] = []

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
        teller, locks = await self._build_teller(connection), OrderLocks()
        self._coming_up = ComingUp(self._ask, self._sender, teller, self._clock, locks)
        self._taking = Taking(teller, self._coming_up, locks, lambda message: self._feed.put_back(message))
        subscriber = self._broker.subscriber(
            f"{names.LOG_ROOT}.>",
            durable=names.NOTIFIER_DURABLE,
            stream=JStream(names.REPAIRS, declare=False),
            pull_sub=in_batches(_BATCH),
            config=config,
            inbox_prefix=f"{inbox_prefix('notifier')}.".encode(),  # here with its dot, else without
            decoder=_raw,
            ack_policy=AckPolicy.MANUAL,
            title="notifier",
        )
        subscriber(self._taking.take)
        self._feed = await pull_from(subscriber, self.app, connection, names.REPAIRS, names.NOTIFIER_DURABLE)
        self._rounds.append(asyncio.create_task(self._go_round(self._coming_up.look)))
        if self._daily_list:
            # Beside the messages: lists for hundreds of parties must not hold up a customer's.
            self._briefer = self._build_briefer(connection)
            self._rounds.append(asyncio.create_task(self._go_round(self._brief)))

    async def stop(self) -> None:
        """Finish the messages at hand and leave."""
        self._stopping = self._taking.stopping = self._coming_up.stopping = True
        self._feed.close()
        at_hand = Allowance(AT_HAND)
        with suppress(TimeoutError):
            await while_there(self._connection, at_hand.left(), self._finish())
        await end(*self._rounds, *self._taking.under_way.tasks, *self._coming_up.under_way.tasks)
        await stop_pulling(self.app, self._connection, at_hand)

    async def _finish(self) -> None:
        await self._taking.under_way.at_rest()
        await self._coming_up.at_rest()
        if self._briefer is not None:
            await self._briefer.stop()

    async def check(self) -> str:
        """For readiness: asks the server for our consumer. Raises nats errors if it is gone."""
        info = await self._js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
        return f"{info.num_pending} to read, {info.num_ack_pending} under way, {len(self._coming_up)} to send later"

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

        book = Book(self._js)
        await book.open()
        log, self._contacts = JetStreamLog(self._js), ContactBook(book)
        sending = await self._js.key_value(names.SENDING)
        self._sender = Sender(
            histories=Histories(self._ask, self._clock.now),
            log=log,
            contacts=self._contacts,
            claims=Claims(sending, self._lease),
            delivery=self._delivery,
            notify=notify,
            cards=self._cards,
            clock=self._clock,
            policy=self._policy,
            retry_after=self._retry_after,
            places=DayPlaces(sending),
        )
        return Teller(
            ask=self._ask,
            log=log,
            contacts=self._contacts,
            delivery=self._delivery,
            cards=self._cards,
            clock=self._clock,
            policy=self._policy,
            sender=self._sender,
        )

    def _build_briefer(self, connection: Client) -> Briefer:
        async def append(event: Event, after: int) -> Appended:
            return await log.append(self._js, event, after=after)

        async def notify(party: str, notice: DailyList) -> None:
            await send_notice(connection, party, notice)

        last_position = self._sender.log.last_position
        is_forgotten = self._contacts.is_forgotten
        return Briefer(self._ask, append, last_position, notify, self._delivery, self._cards, is_forgotten)

    # -- rounds -------------------------------------------------------------------------------------------------------

    def next_round(self) -> datetime | None:
        """When a message that waits, or news that is still to be written, comes up next."""
        return self._coming_up.next()

    @property
    def put_off(self) -> int:
        """How many facts the server has from us for later: it counts them as under way."""
        return self._taking.put_off

    async def round(self) -> None:
        """Look again at every message whose moment has come, and give what lists are due; return when that is done."""
        await self._coming_up.look()
        await self._coming_up.at_rest()
        await self._brief()

    async def _brief(self) -> None:
        if self._briefer is not None:
            await self._briefer.look(self._clock.now())

    async def _go_round(self, look: Callable[[], Awaitable[None]]) -> None:
        starting = Starting()
        while not self._stopping:
            try:
                await look()
                starting.over()
            except Exception as error:  # noqa: BLE001 - the server or the projector is away; the next round sees it all
                # One that fails again and again holds back what waits: somebody has to see that.
                starting.say(error, _log.debug, _log.warning)("no round", error=repr(error))
            with suppress(TimeoutError):
                next_look = self._clock.now() + timedelta(seconds=_LOOK_EVERY)
                await asyncio.wait_for(self._clock.wait_until(next_look), _LOOK_ANYWAY)


async def _raw(message: NatsBatchMessage) -> Any:
    return message.raw_message
