"""Takes facts that may be news from the log, in batches: those of each order in their turn, and orders side by side.

One durable consumer gives the triggers and our own message.planned, in log order. An old log that is read for the first
time is mostly past news, of which each fact costs a look and no more. Where a letter takes long, since somebody's mail
server hangs, the next batch does not wait for it: that may be for another shop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import nats.errors
import structlog
from nats.aio.msg import Msg
from pydantic import ValidationError

from events.envelope import Event
from services.answering import TooLargeError
from services.in_hand import saying_so
from services.logs import kind_and_place
from services.notifying.coming_up import SIDE_BY_SIDE, ComingUp
from services.notifying.lingering import Lingering
from services.notifying.order_locks import OrderLocks
from services.notifying.records import message_id
from services.notifying.telling import PLANNED, Teller
from services.notifying.waiting import AgainLaterError, NotYetError

#: So many cues wait here for the hour at which news is written; the server has to remember each of them.
_MOST_PUT_OFF: Final = 5_000

#: Of so many batches something may be under way at a time: a letter that hangs holds two, for its plan comes by, too.
_MOST_BATCHES: Final = 32
#: So many orders of all of them are handled at a time, the oldest first.
_MOST_ORDERS: Final = 2 * SIDE_BY_SIDE

#: After a fault the fact comes again (seconds): soon at first, then every few minutes. It is never given up.
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 300.0

_log = structlog.get_logger("notifier")


class Taking:
    """``await take(messages)`` for one batch after the other; ``put_back`` gets what is left of one when we stop."""

    def __init__(self, teller: Teller, coming_up: ComingUp, locks: OrderLocks, put_back: Callable[[Msg], None]) -> None:
        self._teller = teller
        self._coming_up = coming_up
        self._locks = locks
        self._put_back = put_back
        #: Of cues that the server has from us for later: the numbers that it knows them by.
        self._put_off: set[int] = set()
        self._turns = OrderLocks()
        self.under_way = Lingering(_MOST_BATCHES)
        self._places = asyncio.Semaphore(_MOST_ORDERS)
        self.stopping = False

    @property
    def put_off(self) -> int:
        """How many facts the server has from us for later: it counts them as under way."""
        return len(self._put_off)

    async def take(self, messages: list[Msg]) -> None:
        """Handle a batch. One fact that cannot be told now comes again, and holds up no other."""
        await self.under_way.do([self._take_all(messages)])

    async def _take_all(self, messages: list[Msg]) -> None:
        orders: dict[str, list[Msg]] = {}
        for message in messages:
            orders.setdefault(message.subject.split(".")[1], []).append(message)
        waiting = {id(message): message for message in messages}
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def handle(order: str, facts: list[Msg]) -> None:
            async with self._turns.of(order), places, self._places:  # after what batches before had of it
                for message in facts:
                    if self.stopping:
                        self._put_back(message)  # for whoever comes after us
                        continue
                    delay = await self._take(message)
                    del waiting[id(message)]
                    # If the server does not hear it, the fact comes again.
                    with suppress(nats.errors.Error):
                        await (message.ack() if delay is None else message.nak(delay))

        async with saying_so(waiting.values()):
            await asyncio.gather(*(handle(order, facts) for order, facts in orders.items()))

    async def _take(self, raw: Msg) -> float | None:
        """Handle one fact; after how long it must come again, if it must."""
        try:
            event = Event.from_json(raw.data)
        except ValidationError as error:
            # The log only takes what intake has checked; whatever this is, no attempt will ever make it readable.
            _log.error("cannot read a fact, leaving it out", subject=raw.subject, problems=error.error_count())
            return None
        if event.name == PLANNED and (event.subject, str(event.data.get("message"))) in self._coming_up:
            return None  # it was planned a moment ago, and has to wait
        self._put_off.discard(raw.metadata.sequence.stream)
        try:
            async with self._locks.of(event.subject):
                await self._teller.handle(event, patient=len(self._put_off) < _MOST_PUT_OFF)
        except AgainLaterError as later:
            self._coming_up.wait(later.delay, (event.subject, later.message))
        except NotYetError as later:
            # By our clock it comes up here; should we be gone by then, the server brings it to whoever is there.
            self._put_off.add(raw.metadata.sequence.stream)
            self._coming_up.remember(event, later.delay)
            return later.delay
        except TooLargeError:
            await self._give_up(event)
        except Exception as fault:  # noqa: BLE001 - a fault with one order must not keep news from all others
            delay: float = min(_FIRST_DELAY * 2 ** min(raw.metadata.num_delivered - 1, 20), _LONGEST_DELAY)
            _log.warning(
                "will try again", order=event.subject, type=event.type, error=kind_and_place(fault), delay=delay
            )
            return delay
        return None

    async def _give_up(self, event: Event) -> None:
        if event.name == PLANNED:
            message, kind = str(event.data.get("message")), str(event.data.get("kind"))
        else:
            # What it would have told nobody can say, but that she is to hear from somebody.
            kind = "update"
            message = message_id(event.subject, event.source, event.id, kind)
        await self._coming_up.give_up(event.subject, message, kind)
