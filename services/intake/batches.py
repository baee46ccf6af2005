"""Every batch has its outcome, whatever goes wrong: it is tried again, taken apart, or comes again later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg

from services.connecting import while_there
from services.ending import end
from services.in_hand import saying_so
from services.intake.background import Background, Left
from services.intake.deciding import is_found
from services.intake.delivered import party_of, stream_of
from services.intake.following import TRANSIENT
from services.intake.needs import BatchNeeds
from services.intake.problems import Refusal, is_held
from services.intake.reading_ahead import contact_key_of
from services.intake.settling import Rejection, Retried, Taken, together
from services.intake.standstill import Standstill
from services.intake.taking import TRIES, How, Taking, halves
from services.stopping import Allowance

_RETRY_DELAY: Final = 1.0

#: The server's refusal of what a submission would have us write. It will not change its mind.
_REFUSED: Final = (nats.js.errors.BadRequestError, nats.errors.MaxPayloadError)

_log = structlog.get_logger("intake")


def _is_passing(error: Exception) -> bool:
    """Whether it is trouble with the server that may be over a moment later."""
    return isinstance(error, TRANSIENT) and not isinstance(error, _REFUSED)


class _InHand(Collection[Msg]):
    """The messages of all that was taken in hand and not let go."""

    def __init__(self) -> None:
        self._of: dict[int, Sequence[Msg]] = {}

    def take(self, what: Left | Retried, messages: Sequence[Msg]) -> None:
        self._of[id(what)] = messages

    def let_go(self, what: Left | Retried) -> None:
        self._of.pop(id(what), None)

    def __iter__(self) -> Iterator[Msg]:
        return chain.from_iterable(self._of.values())

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def __contains__(self, message: object) -> bool:
        return any(message in messages for messages in self._of.values())


class Batches:
    """``await take(messages)`` for one batch after the other, then ``await settle_the_last()``."""

    def __init__(self, role: str, needs: BatchNeeds) -> None:
        self._role = role
        self._needs = needs
        self._taking = Taking(needs, self._settle_later, self._settle_now)
        self._background = Background(self._settle)
        self._finishing: set[asyncio.Task[None]] = set()
        self._in_hand = _InHand()
        self.standstill = Standstill(needs.clock)

    @property
    def in_hand(self) -> Collection[Msg]:
        """What is worked on in the background, from when it was left for later: it changes all the time."""
        return self._in_hand

    async def take(self, messages: list[Msg]) -> None:
        """Handle one batch. On trouble with the server it is tried again a few times, and then comes again later."""
        began = time.monotonic()
        left = list(messages)
        self._needs.sweeper.came(messages)
        try:
            async with saying_so(left):
                await self._take_in_its_place(left)
                await self._background.room()
        finally:
            self._needs.ahead.forget(messages)
            self._needs.feed.took(len(messages), time.monotonic() - began)

    async def _take_in_its_place(self, messages: list[Msg]) -> None:
        """Trouble with the server passes: what was given back at once would come again behind what follows it."""
        for _ in range(TRIES):
            try:
                return await self._take(messages, How.BACKGROUND)
            except TRANSIENT as error:
                if isinstance(error, _REFUSED) or self._taking.stopping:
                    return await self._after_trouble(messages, error)
                self._taking.unsure = True
                self.standstill.failed(error)
                _log.warning("a batch is tried again", role=self._role, size=len(messages), error=repr(error))
                await asyncio.sleep(_RETRY_DELAY)
            except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
                return await self._after_trouble(messages, error)
        return await self._take_together(messages, how=How.BACKGROUND)

    async def _take(self, messages: list[Msg], how: How) -> None:
        async with self._needs.lock:
            await self._taking.take(messages, how=how)
        self.standstill.went_on()

    async def _take_together(self, messages: list[Msg], *, how: How = How.NOW) -> None:
        try:
            await self._take(messages, how)
        except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
            await self._after_trouble(messages, error)

    async def _after_trouble(self, messages: list[Msg], error: Exception) -> None:
        self._taking.forget_told(messages)
        if _is_passing(error):
            await self._try_later(messages, error)
        else:
            # What the server refuses to write for one submission, or a fault of ours that one brings to light, must not
            # stop its neighbours: find it, keep it, go on.
            await self._take_apart(messages)

    async def _try_later(self, messages: list[Msg], error: Exception) -> None:
        self._taking.unsure = True
        self.standstill.failed(error)
        _log.warning("a batch will be tried again", role=self._role, size=len(messages), error=repr(error))
        await _give_back(messages)

    async def _take_apart(self, messages: list[Msg]) -> None:
        """Find what hits a fault, by halves: its neighbours have their receipts after a few tries, not one each."""
        if len(messages) == 1:
            return await self._take_alone(messages[0])
        _log.warning("a batch hit a fault in intake: taking it by halves", role=self._role, size=len(messages))
        for half in halves(messages):
            await self._take_together(half)
        return None

    async def _take_alone(self, message: Msg) -> None:
        try:
            await self._take([message], How.NOW)
        except Exception as error:  # noqa: BLE001 - whatever it is, the partner gets an answer and the others go on
            if _is_passing(error):
                return await self._after_trouble([message], error)
            _log.exception("a submission hit a fault in intake: it is kept", role=self._role)
            await self._keep_alone(message, error)
        return None

    async def _keep_alone(self, message: Msg, error: Exception) -> None:
        party = party_of(message)
        refusal = Refusal("internal", f"intake failed on this submission ({type(error).__name__}); it is kept")
        rejection = Rejection(message, party, "", refusal.problem(None), contact_key_of(message, party))
        try:
            await self._settle_now(Taken([message], [rejection]))
        except Exception:  # noqa: BLE001 - its neighbours go on, whatever it is
            _log.exception("a submission cannot be kept: it comes again", role=self._role)
            await _give_back([message])

    def _settle_later(self, left: Left) -> None:
        """Settle in the background, while the next batches are decided on: nobody waits for another's disk work."""
        self._needs.feed.unsettled(_rejected_of(left))
        self._needs.feed.stop(_waiting_of(left))
        self._in_hand.take(left, left.taken.messages)
        self._background.add(left)

    async def _settle_now(self, taken: Taken) -> None:
        await self._finish(await self._needs.settling.settle(taken))

    async def _settle(self, lefts: Sequence[Left]) -> None:
        """What is left of some batches, at once; if one brings a fault to light, each by itself."""
        taken = together(left.taken for left in lefts)
        messages = list(taken.messages)
        retried = None
        apart = False
        try:
            overtaken = await self._overtaken([left.taken for left in lefts if not left.looked])
            retried = await self._needs.settling.settle(taken.without(overtaken))
            if overtaken:
                await self._take_together(overtaken, how=How.LOOKED)
        except Exception as error:  # noqa: BLE001 - whatever it is, see _after_trouble
            apart = len(lefts) > 1 and not _is_passing(error)
            if not apart:
                await self._after_trouble(messages, error)
        finally:
            if not apart:
                self._is_settled(lefts, messages)
        if apart:
            for left in lefts:
                await self._settle([left])
        elif retried is not None and retried.messages:
            finishing = asyncio.create_task(self._finish(retried))
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)

    def _is_settled(self, lefts: Sequence[Left], messages: Sequence[Msg]) -> None:
        feed = self._needs.feed
        for left in lefts:
            self._in_hand.let_go(left)
            feed.settled(_rejected_of(left))
            feed.go_on(_waiting_of(left))
        self._needs.sweeper.settled(map(stream_of, messages))

    async def _overtaken(self, takens: Sequence[Taken]) -> list[Msg]:
        """What would be held, but was decided on before all was read that the log held then: others may have opened
        the order a moment ago."""
        held = [each for taken in takens for each in taken.rejected if is_held(each.problem)]
        if held and not await self._taking.others_spoke():
            index = self._needs.index
            held = [each for each in held if each.event is not None and is_found(each.event, index)]
        return [rejection.message for rejection in held]

    async def _finish(self, retried: Retried) -> None:
        messages = list(retried.messages)
        streams = [stream_of(message) for message in messages]
        self._needs.feed.unsettled(streams)
        self._in_hand.take(retried, messages)
        try:
            await self._needs.settling.finish(retried)
        except Exception as error:  # noqa: BLE001 - they have their outcome, and come again until they are removed
            if not isinstance(error, TRANSIENT):  # else nobody would see where it came from
                _log.exception("what was retried cannot be removed from what was rejected", role=self._role)
            await self._try_later(messages, error)
        finally:
            self._in_hand.let_go(retried)
            self._taking.forget_told(messages)
            self._needs.feed.settled(streams)
            self._needs.sweeper.settled(streams)

    async def settle_the_last(self, at_hand: Allowance) -> None:
        """From now on nothing is left for later: the connection ends with the batch at hand.

        What is not settled while ``at_hand`` lasts comes again.
        """
        self._taking.stopping = True
        try:
            await while_there(self._needs.connection, at_hand.left(), self._until_settled())
        except TimeoutError:
            await self._background.drop()
            await end(*self._finishing)

    async def _until_settled(self) -> None:
        await self._background.ended()
        if self._finishing:
            await asyncio.wait(self._finishing)


async def _give_back(messages: Sequence[Msg]) -> None:
    """They come again a moment later."""
    for message in messages:
        with suppress(*TRANSIENT):
            await message.nak(delay=_RETRY_DELAY)


def _rejected_of(left: Left) -> list[str]:
    """The streams of those that are rejected, named once for each."""
    return [stream_of(rejection.message) for rejection in left.taken.rejected]


def _waiting_of(left: Left) -> list[str]:
    """The same of those that are about to be held and may yet be taken in: what follows from the same sender is not to
    come before them."""
    if left.looked:
        return []
    return [stream_of(each.message) for each in left.taken.rejected if is_held(each.problem)]
