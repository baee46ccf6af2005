"""Forgetting a customer, to the end: what was begun is carried on with, and looked after, whoever is killed meanwhile.

What was rejected long ago is erased beside it, for nobody will mend it and it may hold names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog
from nats.js import JetStreamContext

from events.clock import Clock
from services.answering import Ask, NoAnswerError, QuestionError
from services.desk.asking import TROUBLE, up_to_date
from services.desk.book import Book
from services.desk.record import Customer, customer_of
from services.desk.stories import whole_story
from services.desk.traces import Traces, erase_expired, erase_letters, erase_rejected
from services.desk.unfinished import Begun, Unfinished
from services.ending import end

#: What could not be carried on with is tried again after so long (seconds), and after a fault of ours.
_TRY_AGAIN: Final = 5.0
_AFTER_A_FAULT: Final = 3600.0

#: What was rejected long ago is looked for so often (seconds).
_EXPIRE_EVERY: Final = 3600.0

#: It passes; a question that was answered with an error may be one to read models that are being made anew.
_PASSING: Final = (NoAnswerError, QuestionError, *TROUBLE)

_log = structlog.get_logger("desk")


class Forgetting:
    """``await open()``, ``start()``, then ``forget`` until ``leave()`` and ``await stop()``.

    ``letters`` are folders in which letters lie; after a customer was forgotten they are looked through once more,
    ``look_again`` seconds later.
    """

    def __init__(
        self, js: JetStreamContext, ask: Ask, clock: Clock, book: Book, letters: Sequence[Path], look_again: float
    ) -> None:
        self._js = js
        self._ask = up_to_date(ask, js)
        self._clock = clock
        self._book = book
        self._letters = letters
        self._look_again = look_again
        self._unfinished = Unfinished(js)
        self._beside: set[asyncio.Task[None]] = set()
        self._leaving = asyncio.Event()

    async def open(self) -> None:
        """Find where it is noted who is being forgotten. Raises nats errors if that is not there."""
        await self._unfinished.open()

    def start(self) -> None:
        """Carry on with what others began."""
        self._keep(self._expire())
        self._keep(self._carry_on())

    def leave(self) -> None:
        """Begin nothing more, and wait for nothing."""
        self._leaving.set()

    async def at_rest(self) -> None:
        """Return when nothing is done beside any more, which is soon after ``leave``."""
        await asyncio.gather(*self._beside)

    async def stop(self) -> None:
        """End what is done beside; whoever starts next carries on."""
        await end(*self._beside)

    async def forget(self, customer: Customer, known: bool) -> dict[str, Any]:
        """Erase her name and addresses wherever they lie; ``known``: whether there was anything to erase."""
        begun = await self._unfinished.begin(customer)
        traces = await self.traces_of(customer)
        # Her record tells her traces, so it goes last: after a crash the whole can be done again. Once it is gone,
        # nothing comes to lie there any more, and what came in the meantime goes with the second look.
        rejected, letters = await self._erase(traces)
        await self._book.forget(customer.key, self._clock.now())
        late = await self._erase(traces)
        self._keep(self._erase_again(traces, begun))
        _log.info("a customer was forgotten", opener=customer.opener, orders=len(customer.orders))
        return {
            "opener": customer.opener,
            "customer": customer.reference,
            "forgotten": True,
            "known": known,
            "orders": list(customer.order_ids),
            "rejected": rejected + late[0],
            "letters": letters + late[1],
        }

    async def traces_of(self, customer: Customer) -> Traces:
        """By what things of hers are told."""
        contact = (await self._book.find(customer.key)).contact
        messages = [each for order in customer.order_ids for each in await self._messages_of(order)]
        return Traces.of(customer.opener, customer.reference, contact, customer.order_ids, messages)

    async def _messages_of(self, order: str) -> list[str]:
        """Our messages to her about an order, and the letters that they went in."""
        story = await whole_story(self._ask, order)  # however much was said: it must not keep her from being forgotten
        told = (entry["data"] for entry in story["entries"] if isinstance(entry["data"], dict))
        return [str(data[name]) for data in told for name in ("message", "letter") if data.get(name)]

    async def _erase(self, traces: Traces) -> tuple[int, int]:
        """How many submissions, and how many letters, were hers and are gone."""
        return await erase_rejected(self._js, traces), await asyncio.to_thread(erase_letters, self._letters, traces)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Have ``work`` done beside all else; it ends soon once we leave."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _expire(self) -> None:
        while not self._leaving.is_set():
            try:
                if erased := await erase_expired(self._js, self._clock.now()):
                    _log.info("erased what was rejected long ago", submissions=erased)
            except TROUBLE as error:
                _log.debug("will look for what was rejected long ago later", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - what is rejected later must not lie there for ever
                _tell_of_fault(error)
            await self._leaves_within(_EXPIRE_EVERY)

    async def _erase_again(self, traces: Traces, begun: Begun) -> None:
        """The notifier may have had her address in hand when her record went."""
        early = await self._leaves_within(self._look_again)
        try:
            await self._erase(traces)
            if not early:  # else whoever starts next looks once more
                await self._unfinished.end(begun)
        except Exception as error:  # noqa: BLE001 - whatever it is, she is noted until somebody has looked
            _log.warning("a second look for letters failed: the next start makes it", error=type(error).__name__)

    async def _carry_on(self) -> None:
        """Forget whom somebody began to forget who was killed before the end of it."""
        unfinished: list[tuple[str, str]] | None = None
        while not self._leaving.is_set():
            try:
                if unfinished is None:
                    unfinished = [whom async for whom in self._unfinished.all()]
                while unfinished:
                    unfinished.append(unfinished.pop(0))  # what is wrong with one keeps no other waiting
                    await self.forget(await customer_of(self._ask, *unfinished[-1]), known=True)
                    unfinished.pop()
                return
            except _PASSING as error:
                _log.debug("will go on forgetting later", error=type(error).__name__)
                await self._leaves_within(_TRY_AGAIN)
            except Exception as error:  # noqa: BLE001 - she is to be forgotten all the same
                _tell_of_fault(error)
                await self._leaves_within(_AFTER_A_FAULT)

    async def _leaves_within(self, seconds: float) -> bool:
        """Wait for so long, or until we leave; whether we do."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), seconds)
        return self._leaving.is_set()


def _tell_of_fault(error: Exception) -> None:
    """Not in its own words: they may repeat what is held of her."""
    _log.error("forgetting hit a fault", error=type(error).__name__)
