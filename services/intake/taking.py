"""One batch: decided on, appended to the log in parts, and answered as far as nothing else is left to do for it.

While the log takes one part in, the next is decided on. What goes wrong is raised, and what of the batch was taken by
then is known; batches.py sees to the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import nats.js.errors
from nats.aio.msg import Msg

from events import names
from events.envelope import Event
from events.log import Appended, NotFirstError, append_batch, last_position
from events.outgoing import frame, write
from services.ending import look_at_its_end
from services.intake.background import Left
from services.intake.contacts import keep_contacts
from services.intake.delivered import comes_again, retry_of, stream_of
from services.intake.judging import Decided, answers_to, judge
from services.intake.limbo import is_lapsed
from services.intake.needs import BatchNeeds
from services.intake.problems import is_held
from services.intake.settling import Answers, Rejection, Taken, kept_as

APPEND_TIMEOUT: Final = 5.0
TRIES: Final = 5

#: Batches are as large as this where nobody else is at work. So may parts of one be: what is left to do for one is done
#: while the server is busy with the next.
_MANY: Final = 400

#: So many of those whose order never came are looked up at a time.
_LOOKED_UP: Final = 64


class How(Enum):
    """When what is left to do for a batch is done, and how well the log is known."""

    NOW = "settled before anything else"
    BACKGROUND = "settled in the background"
    LOOKED = "settled in the background, and decided on with all that the log held"


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A part of a batch whose ``events`` are on their way into the log, which answers with their places there."""

    messages: list[Msg]
    decided: Decided
    events: list[Event]
    places: asyncio.Task[list[Appended]]


def halves(messages: list[Msg]) -> tuple[list[Msg], list[Msg]]:
    middle = len(messages) // 2
    return messages[:middle], messages[middle:]


def _parts(messages: list[Msg]) -> list[list[Msg]]:
    """A batch in equal parts, none of fewer than ``_MANY`` unless it is the only one."""
    size = -(-len(messages) // max(1, len(messages) // _MANY))
    return [messages[at : at + size] for at in range(0, len(messages), size)]


class Taking:
    """``await take(messages, how=…)`` for one batch at a time; who calls holds the lock.

    ``settle_later`` hears of what is left to do, ``settle_now`` does it.
    """

    def __init__(
        self,
        needs: BatchNeeds,
        settle_later: Callable[[Left], None],
        settle_now: Callable[[Taken], Awaitable[None]],
    ) -> None:
        self._needs = needs
        self._settle_later = settle_later
        self._settle_now = settle_now
        self._under_way: _UnderWay | None = None
        # Whose order never came: party, and number in REJECTED; and the one of its copies that is told so.
        self._told: dict[tuple[str, int], Msg] = {}
        self.unsure = False  # an append went unanswered: the log may have it or not
        self.stopping = False

    async def take(self, messages: list[Msg], *, how: How = How.NOW) -> None:
        """Take the batch; decide anew if another role's service opened one of its orders in the meantime.

        By halves then: where two roles go on opening each other's orders, a large batch would come too late each time.
        """
        try:
            return await self._take(messages, how=how)
        except NotFirstError:
            await self._needs.follower.read_to_the_end()
        if len(messages) > 1:
            for half in halves(messages):
                left = list(half)
                try:
                    await self.take(left, how=how)
                finally:  # what of it was taken is not taken once more
                    del messages[: len(half) - len(left)]
            return None
        for _ in range(TRIES):
            try:
                return await self._take(messages, how=how)
            except NotFirstError:
                await self._needs.follower.read_to_the_end()
        raise NotFirstError("the log holds an opening of this order that cannot be read")

    async def _take(self, messages: list[Msg], *, how: How) -> None:
        """Take the batch in parts. ``messages`` loses those of each part that was taken: where the next one fails, they
        are not taken once more."""
        follower = self._needs.follower
        if self.unsure or follower.is_in_doubt or any(comes_again(message) for message in messages):
            # An attempt that we know nothing of may have appended them, or the server came back with a log from before
            # them. It would tell most repeats apart, but only for a while.
            await follower.read_to_the_end()
            self.unsure = False
        self._needs.index.forget()
        parts = _parts(messages)
        at_once = how is not How.BACKGROUND or self.stopping or len(parts) > 1 or self._needs.feed.is_alone
        if how is How.BACKGROUND and at_once:
            how = How.LOOKED
        try:
            for part in parts:
                decided = await self._decide_up_to_date(part, messages, how=how)
                decided.rejected = await self._untold(decided.rejected)
                await keep_contacts(self._needs.customers, (accept for _, accept in decided.accepted))
                if self._under_way is not None:
                    await self._under_way.places
                before, self._under_way = self._under_way, await self._begin(part, decided)
                if before is not None:
                    await self._end(before, messages, how=how)
            await self._end_last(messages, how=how)
        finally:
            self._needs.index.forget()
            if self._under_way is not None:  # it may have come to the log or not
                self.unsure = True
                self._under_way.places.add_done_callback(look_at_its_end)
                self._under_way.places.cancel()
                self._under_way = None

    async def _decide_up_to_date(self, part: list[Msg], messages: list[Msg], *, how: How) -> Decided:
        """Another role's service may have taken in the order a moment ago: look as far as the log reaches now.

        Where others wait, what would be held does so when it is settled.
        """
        decided = self._decide(part)
        held = how is not How.BACKGROUND and any(is_held(rejection.problem) for rejection in decided.rejected)
        if not (held or decided.by_number) or not await self.others_spoke():
            return decided
        await self._end_last(messages, how=how)
        await self._needs.follower.read_to_the_end()
        self._needs.index.forget()
        return self._decide(part)

    async def _end_last(self, messages: list[Msg], *, how: How) -> None:
        if self._under_way is not None:
            await self._under_way.places
            last, self._under_way = self._under_way, None
            await self._end(last, messages, how=how)

    async def others_spoke(self) -> bool:
        """Whether the log holds what neither the index nor what is on its way there tells of."""
        end = await last_position(self._needs.js)
        known, under_way = self._needs.index.position, self._under_way
        if end > known and under_way is not None:
            await asyncio.wait([under_way.places])
            if under_way.places.cancelled() or under_way.places.exception() is not None:
                return True
            for place in under_way.places.result():
                known += place.position == known + 1
        return end > known

    def _may_wait(self, how: How) -> bool:
        """Whether what is left to do for a batch may be done in the background."""
        return how is not How.NOW and not self.stopping

    def _leave(self, taken: Taken, how: How) -> None:
        self._settle_later(Left(taken, looked=how is How.LOOKED))

    async def _begin(self, part: list[Msg], decided: Decided) -> _UnderWay:
        """Hand the facts of a part in to the log; return when all is sent."""
        events = [accept.event for _, accept in decided.accepted]
        opens = {number for number, (_, accept) in enumerate(decided.accepted) if accept.opens}
        sent = asyncio.Event()
        places = asyncio.create_task(
            append_batch(self._needs.js, events, first_of_subject=opens, timeout=APPEND_TIMEOUT, handed_in=sent)
        )
        places.add_done_callback(lambda _: sent.set())
        try:
            await sent.wait()
        except BaseException:
            places.cancel()
            raise
        return _UnderWay(part, decided, events, places)

    async def _end(self, part: _UnderWay, messages: list[Msg], *, how: How) -> None:
        """The facts of a part are in the log: note that, and answer."""
        decided, events, places = part.decided, part.events, part.places.result()
        self._needs.index.appended(events, [place.position for place in places])
        self._needs.follower.appended(events)
        answers = answers_to(decided, places, self._needs.index)
        if self._may_wait(how) and len(part.messages) >= _MANY:
            self._leave(Taken(part.messages, decided.rejected, answers), how)
        else:
            await self._answer(part, answers, how=how)
        del messages[: len(part.messages)]

    async def _answer(self, part: _UnderWay, answers: Answers, *, how: How) -> None:
        decided = part.decided
        # Whose facts are in the log need not wait until what is wrong with others' is kept.
        fine = [message for message, _ in (*decided.accepted, *decided.duplicates) if retry_of(message) is None]
        await answers.of_new.send(self._needs.connection)
        await write(self._needs.connection, (frame(message.reply) for message in fine))  # acknowledged
        self._needs.sweeper.settled(map(stream_of, fine))
        others = [rejection.message for rejection in decided.rejected if retry_of(rejection.message) is None]
        taken = Taken([*others, *filter(retry_of, part.messages)], decided.rejected, answers)
        if taken.messages and self._may_wait(how):
            self._leave(taken, how)
        elif taken.messages:
            await self._settle_now(taken)

    def _decide(self, messages: Sequence[Msg]) -> Decided:
        submission_of = self._needs.ahead.of
        batch = [(message, submission_of(message)) for message in messages]
        return judge(batch, self._needs.index, self._needs.limbo, self._needs.clock.now())

    def forget_told(self, messages: Sequence[Msg]) -> None:
        """They are told, or will be decided on once more."""
        for message in messages:
            if self._told.get(kept_as(message)) is message:
                del self._told[kept_as(message)]

    async def _untold(self, rejections: Sequence[Rejection]) -> list[Rejection]:
        """Without those whose order never came and that were told so: a service that died may have handed them in.

        What was held for one partner may lapse by the hundred, and all others wait for the lock meanwhile: so they are
        looked up side by side.
        """
        asked = [each for each in rejections if is_lapsed(each.problem) and not comes_again(each.message)]
        places = asyncio.Semaphore(_LOOKED_UP)
        ends = await asyncio.gather(*(self._was_told(each, places) for each in asked), return_exceptions=True)
        for each in ends:  # all have ended: none notes anything once the batch is given up
            if isinstance(each, BaseException):
                raise each
        told = {id(rejection) for rejection, was_told in zip(asked, ends, strict=True) if was_told}
        return [rejection for rejection in rejections if id(rejection) not in told]

    async def _was_told(self, rejection: Rejection, places: asyncio.Semaphore) -> bool:
        message, number = rejection.message, retry_of(rejection.message)
        if number is None:
            return False
        async with places:
            try:
                await self._needs.js.get_msg(names.REJECTED, seq=number)
            except nats.js.errors.NotFoundError:
                return True
            # At once, before anybody hears that it was removed since: then nothing would tell of it any more.
            # After trouble it is decided on once more, and is no copy of itself.
            teller = self._told.setdefault(kept_as(message), message)
            return teller is not message or self._needs.settling.is_leaving(rejection.party, number)
