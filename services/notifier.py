"""The notifier service: takes facts that may be news from the log, one after the other, and tells the customer.

One durable consumer gives the triggers and our own message.planned, in log order and in batches: an old log that is
read for the first time is mostly past news, of which each fact costs a look and no more. What cannot be told now (it
is night, the mail server is down) waits here for its moment; whatever a notifier that died left without an outcome is
found in the read models. How that keeps to "once", and to the order of news, stands in sending.py and in messages.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import nats.errors
import structlog
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.message import NatsBatchMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as JsAckPolicy
from nats.js.api import ConsumerConfig
from pydantic import ValidationError

from events import log, names
from events.clock import Clock
from events.envelope import Event
from events.log import Appended
from events.streams import DEFAULT_LIMITS, Limits, declare_streams
from services.answering import Ask, TooLargeError
from services.connecting import leave, while_there
from services.delivery import Delivery
from services.desk.book import Book
from services.ending import end
from services.messages import TRIGGERS
from services.notices import DailyList, Notice, send_notice
from services.notifying.asking_together import Histories
from services.notifying.briefing import Briefer
from services.notifying.claims import LEASE, Claims
from services.notifying.connected import ContactBook, JetStreamLog
from services.notifying.leftovers import leftovers
from services.notifying.places import Places
from services.notifying.records import Policy, message_id
from services.notifying.sending import RETRY_AFTER, Sender
from services.notifying.telling import PLANNED, Teller
from services.notifying.waiting import AgainLaterError, NotYetError, Waiter, Waiting
from services.parties import PartyCard
from services.pulling import in_batches, pull_from, saying_so, stop_pulling
from services.rights import inbox_prefix
from services.starting import Starting

#: A fact that got no answer comes again after this long (seconds); while it waits here for its turn we say so.
_ACK_WAIT: Final = 10.0

#: So often we look whose moment has come (seconds), and whether somebody else left a message lying.
_LOOK_EVERY: Final = 1.0
_LOOK_FOR_OTHERS_EVERY: Final = 60.0

#: Whatever the clock says (it may have been set back by hours), we look at least once in so long (seconds).
_LOOK_ANYWAY: Final = 60.0

#: After a fault with a message that waits, it comes up again (seconds).
_AFTER_FAULT: Final = 10.0

#: So long a message at hand may take when we stop (seconds).
_FINISH: Final = 4.0

#: Of two notifiers, one may run ahead of the other by about so many facts.
_BATCH: Final = 200

#: So many orders are handled at a time: the projector brings the read models up to date once for several questions.
_SIDE_BY_SIDE: Final = 32

#: So many cues wait here for the hour at which news is written; the server has to remember each of them.
_MOST_PUT_OFF: Final = 5_000

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
    lease: float = LEASE,
    daily_list: bool = False,
) -> Notifier:
    """The notifier on ``broker``. ``cards`` reads the party registry anew each time.

    With ``daily_list`` parties get their lists, too.
    """
    return Notifier(
        broker,
        clock,
        ask,
        delivery,
        cards,
        policy or Policy(),
        retry_after=retry_after,
        limits=limits,
        lease=lease,
        daily_list=daily_list,
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
        self._policy = policy
        self._retry_after = retry_after
        self._stopping = False
        self._waiting = Waiting()
        #: Cues that wait for their hour, by order and id, and the numbers that the server knows them by.
        self._early = Waiting()
        self._cues: dict[Waiter, Event] = {}
        self._put_off: set[int] = set()
        self._order_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._one_round = asyncio.Lock()
        self._looked_for_others: float | None = None
        #: Of what was left by others, what kind of message it is.
        self._kinds: dict[str, str] = {}
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
        self._teller = await self._build_teller(connection)
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
        subscriber(self.take)
        self._feed = await pull_from(subscriber, self.app, connection, names.REPAIRS, names.NOTIFIER_DURABLE)
        self._rounds.append(asyncio.create_task(self._go_round(self._look_at_messages)))
        if self._daily_list:
            # Beside the messages: lists for hundreds of parties must not hold up a customer's.
            self._briefer = self._build_briefer(connection)
            self._rounds.append(asyncio.create_task(self._go_round(self._brief)))

    async def stop(self) -> None:
        """Finish the messages at hand and leave."""
        self._stopping = True
        self._feed.close()
        with suppress(TimeoutError):
            await while_there(self._connection, _FINISH, self._finish())
        await end(*self._rounds)
        await stop_pulling(self.app, self._connection)

    async def _finish(self) -> None:
        async with self._one_round:
            if self._briefer is not None:
                await self._briefer.stop()

    async def check(self) -> str:
        """For readiness: asks the server for our consumer. Raises nats errors if it is gone."""
        info = await self._js.consumer_info(names.REPAIRS, names.NOTIFIER_DURABLE)
        return f"{info.num_pending} to read, {info.num_ack_pending} under way, {len(self._waiting)} to send later"

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
            places=Places(sending),
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

    # -- one fact after the other -------------------------------------------------------------------------------------

    async def take(self, messages: list[Msg]) -> None:
        """Handle the facts of each order in their turn, and several orders side by side.

        One fact that cannot be told now comes again, and holds up no other.
        """
        orders: dict[str, list[Msg]] = {}
        for message in messages:
            orders.setdefault(message.subject.split(".")[1], []).append(message)
        waiting = {id(message): message for message in messages}
        places = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def handle(facts: list[Msg]) -> None:
            async with places:
                for message in facts:
                    if self._stopping:
                        self._feed.put_back(message)  # for whoever comes after us
                        continue
                    delay = await self._take(message)
                    del waiting[id(message)]
                    # If the server does not hear it, the fact comes again.
                    with suppress(nats.errors.Error):
                        await (message.ack() if delay is None else message.nak(delay))

        async with saying_so(waiting.values()):
            await asyncio.gather(*(handle(facts) for facts in orders.values()))

    async def _take(self, raw: Msg) -> float | None:
        """Handle one fact; after how long it must come again, if it must."""
        try:
            event = Event.from_json(raw.data)
        except ValidationError as error:
            # The log only takes what intake has checked; whatever this is, no attempt will ever make it readable.
            _log.error("cannot read a fact, leaving it out", subject=raw.subject, problems=error.error_count())
            return None
        if event.name == PLANNED and (event.subject, str(event.data.get("message"))) in self._waiting:
            return None  # it was planned a moment ago, and has to wait
        self._put_off.discard(raw.metadata.sequence.stream)
        try:
            async with self._order(event.subject):
                await self._teller.handle(event, patient=len(self._put_off) < _MOST_PUT_OFF)
        except AgainLaterError as later:
            self._wait(later.delay, (event.subject, later.message))
        except NotYetError as later:
            # By our clock it comes up here; should we be gone by then, the server brings it to whoever is there.
            self._put_off.add(raw.metadata.sequence.stream)
            self._remember(event, later.delay)
            return later.delay
        except TooLargeError:
            if event.name == PLANNED:
                await self._give_up(event.subject, str(event.data.get("message")), str(event.data.get("kind")))
            else:
                # What it would have told nobody can say, but that she is to hear from somebody.
                kind = "update"
                await self._give_up(event.subject, message_id(event.subject, event.source, event.id, kind), kind)
        except Exception as fault:  # noqa: BLE001 - a fault with one order must not keep news from all others
            delay: float = min(_FIRST_DELAY * 2 ** min(raw.metadata.num_delivered - 1, 20), _LONGEST_DELAY)
            _log.warning("will try again", order=event.subject, type=event.type, error=repr(fault), delay=delay)
            return delay
        return None

    # -- what waits for its moment ------------------------------------------------------------------------------------

    def next_round(self) -> datetime | None:
        """When a message that waits, or news that is still to be written, comes up next."""
        return min((at for at in (self._waiting.next(), self._early.next()) if at is not None), default=None)

    @property
    def put_off(self) -> int:
        """How many facts the server has from us for later: it counts them as under way."""
        return len(self._put_off)

    async def round(self) -> None:
        """Look again at every message whose moment has come, and give what lists are due; return when that is done."""
        await self._look_at_messages()
        await self._brief()

    async def _brief(self) -> None:
        if self._briefer is not None:
            await self._briefer.look(self._clock.now())

    async def _look_at_messages(self) -> None:
        async with self._one_round:
            await self._find_what_was_left()
            due = self._waiting.due(self._clock.now())
            orders: dict[str, list[str]] = {}
            for order, message in due:
                orders.setdefault(order, []).append(message)
            places = asyncio.Semaphore(_SIDE_BY_SIDE)

            async def handle(order: str, messages: list[str]) -> None:
                async with places, self._order(order):
                    for message in messages:
                        await self._look_again(order, message)

            await asyncio.gather(*(handle(order, messages) for order, messages in orders.items()))
            cues = [self._cues.pop(waiter) for waiter in self._early.due(self._clock.now())]
            await asyncio.gather(*(self._write(cue, places) for cue in cues))

    async def _write(self, cue: Event, places: asyncio.Semaphore) -> None:
        """The hour of news has come."""
        if self._stopping:
            return  # the server brings it again
        try:
            async with places, self._order(cue.subject):
                await self._teller.handle(cue)
        except AgainLaterError as later:
            self._wait(later.delay, (cue.subject, later.message))
        except NotYetError as later:
            self._remember(cue, later.delay)
        except Exception as fault:  # noqa: BLE001 - a fault with one order must not keep news from all others
            _log.warning("the server brings it again", order=cue.subject, type=cue.type, error=repr(fault))

    def _remember(self, cue: Event, delay: float) -> None:
        waiter = (cue.subject, cue.id)
        self._cues[waiter] = cue
        self._early.add(self._clock.now() + timedelta(seconds=delay), waiter)

    async def _look_again(self, order: str, message: str) -> None:
        if self._stopping:
            return  # whoever comes after us finds it
        try:
            await self._sender.deliver(order, message)
        except AgainLaterError as later:
            self._wait(later.delay, (order, message))
        except TooLargeError:
            # Whichever kind it is, the next look for what was left knows.
            if (kind := self._kinds.get(message)) is not None:
                await self._give_up(order, message, kind)
        except Exception as fault:  # noqa: BLE001 - a fault with one message must not keep all others
            _log.warning("will look again", order=order, message=message, error=repr(fault))
            self._wait(_AFTER_FAULT, (order, message))

    async def _give_up(self, order: str, message: str, kind: str) -> None:
        """An order with a history too long to be read would come up for ever: a person has to tell her."""
        try:
            await self._sender.give_up(order, message, kind, "the history of the order is too long to be read")
        except Exception as fault:  # noqa: BLE001 - what could not be said is said when it comes up again
            _log.warning("cannot give up", order=order, message=message, error=repr(fault))
            self._wait(_AFTER_FAULT, (order, message))

    def _wait(self, delay: float, waiter: Waiter) -> None:
        self._waiting.add(self._clock.now() + timedelta(seconds=delay), waiter)

    async def _find_what_was_left(self) -> None:
        """Messages without an outcome that nobody here waits for: a notifier stopped, or died."""
        now = asyncio.get_running_loop().time()
        if self._looked_for_others is not None and now - self._looked_for_others < _LOOK_FOR_OTHERS_EVERY:
            return
        position = await self._sender.log.last_position()
        self._looked_for_others = now
        self._kinds.clear()
        async for left in leftovers(self._ask, position):
            waiter = (left.order, left.message)
            if waiter not in self._waiting:
                self._kinds[left.message] = left.kind
                self._wait(0.0, waiter)

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

    def _order(self, order: str) -> asyncio.Lock:
        """One at a time of each order: what waits must not run into what comes in."""
        lock = self._order_locks.get(order)
        if lock is None:
            lock = self._order_locks[order] = asyncio.Lock()
        return lock


async def _raw(message: NatsBatchMessage) -> Any:
    return message.raw_message
