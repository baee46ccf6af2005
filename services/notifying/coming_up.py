"""What cannot be told now waits here for its moment, and comes up then: it is night, say, or the mail server is down.

Whatever a notifier that stopped or died left without an outcome is found in the read models, and waits here, too.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from events.clock import Clock
from events.envelope import Event
from services.answering import Ask, TooLargeError
from services.logs import kind_and_place
from services.notifying.leftovers import leftovers
from services.notifying.lingering import Lingering
from services.notifying.order_locks import OrderLocks
from services.notifying.sending import Sender
from services.notifying.telling import Teller
from services.notifying.waiting import AgainLaterError, NotYetError, Waiter, Waiting

#: So often we look whether somebody else left a message lying (seconds).
_LOOK_FOR_OTHERS_EVERY: Final = 60.0

#: By less than this a clock is merely put right (it is made to go slower, say).
_SET_BACK: Final = timedelta(minutes=1)

#: After a fault with a message that waits, it comes up again (seconds).
_AFTER_FAULT: Final = 10.0

#: So many orders are handled at a time: the projector brings the read models up to date once for several questions.
SIDE_BY_SIDE: Final = 32

#: Of so many orders something may be under way that came up in earlier rounds.
_MOST_UNDER_WAY: Final = 1_000

_log = structlog.get_logger("notifier")


class ComingUp:
    """Messages that wait, and cues to news that is still to be written. All that it touches is handed in."""

    def __init__(self, ask: Ask, sender: Sender, teller: Teller, clock: Clock, locks: OrderLocks) -> None:
        self._ask = ask
        self._sender = sender
        self._teller = teller
        self._clock = clock
        self._locks = locks
        self._messages = Waiting()
        #: Cues that wait for their hour, by order and id.
        self._early = Waiting()
        self._cues: dict[Waiter, Event] = {}
        self._one_round = asyncio.Lock()
        self.under_way = Lingering(_MOST_UNDER_WAY)
        self._looked_for_others: float | None = None
        self._looked: datetime | None = None
        #: Of what was left by others, what kind of message it is.
        self._kinds: dict[str, str] = {}
        self.stopping = False  # what comes up from then on is for whoever comes after us

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._messages)

    def __contains__(self, waiter: Waiter) -> bool:
        """Whether that message waits."""
        return waiter in self._messages

    def next(self) -> datetime | None:
        """When a message that waits, or news that is still to be written, comes up next."""
        return min((at for at in (self._messages.next(), self._early.next()) if at is not None), default=None)

    def wait(self, delay: float, waiter: Waiter) -> None:
        """Have the message come up in ``delay`` seconds."""
        self._messages.add(self._clock.now() + timedelta(seconds=delay), waiter)

    def remember(self, cue: Event, delay: float) -> None:
        """Have the news that ``cue`` asks for written in ``delay`` seconds."""
        waiter = (cue.subject, cue.id)
        self._cues[waiter] = cue
        self._early.add(self._clock.now() + timedelta(seconds=delay), waiter)

    async def give_up(self, order: str, message: str, kind: str) -> None:
        """An order with a history too long to be read would come up for ever: a person has to tell her."""
        try:
            await self._sender.give_up(order, message, kind, "the history of the order is too long to be read")
        except Exception as fault:  # noqa: BLE001 - what could not be said is said when it comes up again
            _log.warning("cannot give up", order=order, message=message, error=kind_and_place(fault))
            self.wait(_AFTER_FAULT, (order, message))

    async def look(self) -> None:
        """Handle everything whose moment has come; what takes long goes on by itself. Raises what asking and the server
        do."""
        async with self._one_round:
            await self._find_what_was_left()
            self._look_at_clock()
            due = self._messages.due(self._clock.now())
            orders: dict[str, list[str]] = {}
            for order, message in due:
                orders.setdefault(order, []).append(message)
            places = asyncio.Semaphore(SIDE_BY_SIDE)

            async def handle(order: str, messages: list[str]) -> None:
                async with places, self._locks.of(order):
                    for message in messages:
                        await self._look_again(order, message)

            await self.under_way.do(handle(order, messages) for order, messages in orders.items())
            cues = [self._cues.pop(waiter) for waiter in self._early.due(self._clock.now())]
            await self.under_way.do(self._write(cue, places) for cue in cues)

    async def at_rest(self) -> None:
        """Return when nothing that has come up is under way."""
        async with self._one_round:
            await self.under_way.at_rest()

    def _look_at_clock(self) -> None:
        """By a clock that was set back all that waits would wait for that much longer: it comes up now, and then for
        when it is to be told by the clock as it is."""
        now = self._clock.now()
        if self._looked is not None and now < self._looked - _SET_BACK:
            _log.warning("the clock was set back: looking again at all that waits", by=str(self._looked - now))
            self._messages.bring_up(now)
            self._early.bring_up(now)
        self._looked = now

    async def _look_again(self, order: str, message: str) -> None:
        if self.stopping:
            return  # whoever comes after us finds it
        try:
            await self._teller.deliver(order, message)
        except AgainLaterError as later:
            self.wait(later.delay, (order, message))
        except TooLargeError:
            # Whichever kind it is, the next look for what was left knows.
            if (kind := self._kinds.get(message)) is not None:
                await self.give_up(order, message, kind)
        except Exception as fault:  # noqa: BLE001 - a fault with one message must not keep all others
            _log.warning("will look again", order=order, message=message, error=kind_and_place(fault))
            self.wait(_AFTER_FAULT, (order, message))

    async def _write(self, cue: Event, places: asyncio.Semaphore) -> None:
        """The hour of news has come."""
        if self.stopping:
            return  # the server brings it again
        try:
            async with places, self._locks.of(cue.subject):
                await self._teller.handle(cue)
        except AgainLaterError as later:
            self.wait(later.delay, (cue.subject, later.message))
        except NotYetError as later:
            self.remember(cue, later.delay)
        except Exception as fault:  # noqa: BLE001 - a fault with one order must not keep news from all others
            _log.warning("the server brings it again", order=cue.subject, type=cue.type, error=kind_and_place(fault))

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
            if waiter not in self:
                self._kinds[left.message] = left.kind
                self.wait(0.0, waiter)
