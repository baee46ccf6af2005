"""Sends what was planned: a letter leaves once, and whatever becomes of it is a fact in the log.

Every step may be the last before a crash, and every message comes up again after one. So each step first looks whether
it was done: the outcome by the message's status, the call of the channel by its claim. The order is: the attempt is a
fact, the claim is taken, the channel is called, the outcome is a fact. What comes of an attempt that was cut off is in
resuming.py, what the log is told in recording.py.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar

import nats.errors
import structlog

from events.clock import Clock
from events.subjects import customer_key
from services.contact import Channel, Contact, is_for_texts
from services.delivery import Delivery
from services.messages import to_tell_anew
from services.notifying import gathering
from services.notifying.asking_together import Histories
from services.notifying.claims import Claim, Claims, ways_of
from services.notifying.gathering import Hold
from services.notifying.html import html_of
from services.notifying.letter import AddressError, Letter, check_address
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.places import DayPlace, DayPlaces
from services.notifying.recording import Log, Notify, Recorder, said, said_in_short
from services.notifying.records import MessagePolicy, PlannedMessage, Suppress, SuppressReason
from services.notifying.resuming import Again, Resumer
from services.notifying.turns import Customer, Turns
from services.notifying.waiting import AgainLaterError, LapsedError
from services.notifying.wording import card_of, salutation
from services.parties import PartyCard

#: How long we wait before each further attempt when the channel is down (seconds): about half a day in all.
RETRY_AFTER: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0)

#: Nothing waits for longer than this for its next attempt (seconds): what says otherwise was written by a clock that
#: was wrong.
_LONGEST_PAUSE: Final = 130_000.0

#: What a channel has answered is worth some patience with a server that is away just then (seconds between attempts).
_INSIST: Final = (0.2, 0.5, 1.0, 2.0, 4.0)

_AWAY: Final = (nats.errors.Error, TimeoutError)

#: Where there is no way to her that anybody serves, these must not be left unsaid: we wait for her word, or she is to
#: be there. A person tells her.
_FOR_A_PERSON: Final = frozenset({"quote", "question", "failed", "visit"})
_NO_WAY_TO_HER: Final = frozenset({"no_contact", "no_channel"})

T = TypeVar("T")

_log = structlog.get_logger("notifier")


class ForgottenCustomerError(Exception):
    """She asked to be forgotten."""


class UnreadableContactError(Exception):
    """There is a record of her that cannot be read."""


class Contacts(Protocol):
    """Where names and addresses are kept."""

    async def find(self, key: str) -> Contact | None:
        """Who is behind ``key``; None if nobody is known. Raises ForgottenCustomerError, and
        UnreadableContactError."""


def jitter() -> float:
    """Retries of many messages must not come as one wave: each waits a little more or less than the others."""
    return random.uniform(0.8, 1.2)  # noqa: S311 - nothing secret


@dataclass(frozen=True)
class _Going:
    """What one letter needs: who is written to, by whom, along which ways."""

    lead: PlannedMessage
    others: tuple[PlannedMessage, ...]
    contact: Contact
    routes: tuple[Channel, ...]
    accountable: str
    customer: Customer

    @property
    def ways(self) -> str:
        return ways_of(self.routes, self.lead.message)

    @property
    def all(self) -> tuple[PlannedMessage, ...]:
        return (*self.others, self.lead)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.message for each in self.all)


@dataclass(frozen=True)
class Sender:
    """Delivers planned messages. All that it touches is handed in."""

    histories: Histories
    log: Log
    contacts: Contacts
    claims: Claims
    delivery: Delivery
    notify: Notify
    cards: Callable[[], Mapping[str, PartyCard]]
    clock: Clock
    policy: MessagePolicy
    retry_after: Sequence[float] = RETRY_AFTER
    jitter: Callable[[], float] = jitter
    #: Where other notifiers write to her, too.
    places: DayPlaces | None = None
    insist: Sequence[float] = _INSIST
    _turns: Turns = field(default_factory=Turns)

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self.log, self.notify, self.clock)

    @cached_property
    def _resumer(self) -> Resumer:
        return Resumer(self.claims, self.delivery, self._recorder)

    async def timeline(self, order: str, at_least: int = 0) -> dict[str, Any]:
        """The order as it is now, with the letters of late and the rules for messages; with all that was said up to
        position ``at_least``, of other orders, too."""
        position = max(at_least, await self.log.last_position_of(order))
        history = await self.histories.of(order, position)
        # Of orders that are one, the last word may have named another of them.
        others = {history["order"]["order_id"], *history["order"].get("merged", ())} - {order}
        last = max([await self.log.last_position_of(other) for other in others], default=0)
        return history if last <= position else await self.histories.of(order, last)

    async def give_up(self, order: str, message: str, kind: str, reason: str) -> None:
        """Say of a message that no attempt will ever bring it to her, so that a person does."""
        await self._recorder.give_up(order, message, kind, reason)

    async def deliver(
        self, order: str, message: str, timeline: Mapping[str, Any] | None = None, *, or_anew: bool = False
    ) -> frozenset[str]:
        """Send the message, once, or say why not; at once, or raise AgainLaterError for when to look again.

        ``timeline`` is that of its order, if somebody has just asked for it. Returns the messages that have an outcome
        now: several may go in one letter. With ``or_anew`` raises LapsedError for one that has to be written anew
        before it is left out.
        """
        timeline = timeline or await self.timeline(order)
        found = timeline["order"] or {}
        customer = (found.get("opened_by"), found.get("customer"))
        try:
            # Letters about several orders of one customer go one after the other: each has to count those before it.
            async with self._turns.of(customer):
                if not self._turns.knows(customer, timeline):
                    timeline = await self.timeline(order, self._turns.last(customer))
                return await self._deliver(order, message, timeline, or_anew=or_anew)
        except AgainLaterError as later:
            raise AgainLaterError(later.delay, message) from None

    async def _deliver(
        self, order: str, message: str, timeline: Mapping[str, Any], *, or_anew: bool = False
    ) -> frozenset[str]:
        found = timeline["order"] or {}
        opener, customer = found.get("opened_by"), found.get("customer")
        accountable = str(found.get("accountable") or opener)
        waiting = gathering.pending(timeline)
        if message not in waiting:
            return frozenset({message})
        try:
            reach, routes = await self._reach(opener, customer, accountable)
        except UnreadableContactError:
            await self._recorder.fail(waiting[message], accountable, "her record in the book cannot be read")
            return frozenset({message})
        claim = await self.claims.look(message)
        if claim.letter is not None:
            if await self._resumer.shares_fate(waiting[message], claim, timeline, accountable):
                return frozenset({message})
            claim = replace(claim, state="released", letter=None, others=())
        if claim.state in ("calling", "parked"):
            left = await self._resumer.resume(claim, waiting, routes, accountable)
            if not isinstance(left, Again):
                return left
            return await self._send(
                _Going(left.lead, left.others, reach.contact, routes, accountable, (opener, customer)), left.claim
            )
        now = self.clock.now()
        match gathering.gather(message, timeline, reach, self.policy, now):
            case Suppress(reason):
                anew = to_tell_anew(waiting[message], timeline, self.policy, now) if or_anew else None
                if anew is not None:
                    raise LapsedError(anew)
                if reason in _NO_WAY_TO_HER and waiting[message].kind in _FOR_A_PERSON:
                    await self._recorder.fail(waiting[message], accountable, reason)
                else:
                    await self._recorder.suppress(waiting[message], reason)
            case Hold(until):
                raise AgainLaterError(max(1.0, (until - now).total_seconds()))
            case gathering.Gathered(lead, others, place):
                if lead.message != message:
                    ended = await self._deliver(order, lead.message, timeline)
                    if message not in ended:
                        raise AgainLaterError(1.0)  # it could not be taken along
                    return ended
                if place is not None and not await self._finds_room(place, (opener, customer), message):
                    raise AgainLaterError(max(1.0, (place.again - now).total_seconds()))
                return await self._send(
                    _Going(lead, others, reach.contact, routes, accountable, (opener, customer)), claim
                )
        return frozenset({message})

    async def _reach(
        self, opener: str | None, customer: str | None, accountable: str
    ) -> tuple[gathering.Reach, tuple[Channel, ...]]:
        """How she can be reached; a party that writes to its customers itself needs no address from us."""
        unable: SuppressReason = "no_contact"
        contact = None
        try:
            contact = await self.contacts.find(customer_key(opener, customer)) if opener and customer else None
        except ForgottenCustomerError:
            unable = "forgotten"
        if contact is not None and contact.channels:
            unable = "no_channel"
        known = contact or Contact()
        routes = () if unable == "forgotten" else self.delivery.routes(known, accountable)
        return gathering.Reach(known, None if routes else unable), routes

    async def _finds_room(self, place: DayPlace, customer: Customer, message: str) -> bool:
        """Whether there is room in her day for one more letter, whoever else writes to her just now."""
        return self.places is None or await self.places.take(customer, place, message)

    # -- one letter ---------------------------------------------------------------------------------------------------

    async def _send(self, going: _Going, claim: Claim) -> frozenset[str]:
        if claim.ways not in (None, going.ways):
            # Her record has changed since: what was tried before says nothing of these channels.
            claim = replace(claim, route=0, tries=0, until=None)
        if claim.until is not None and 0 < (left := (claim.until - self.clock.now()).total_seconds()) < _LONGEST_PAUSE:
            raise AgainLaterError(left)
        while claim.route < len(going.routes):
            channel = going.routes[claim.route]
            if (wait := self.delivery.ready_in(channel.kind)) > 0:
                raise AgainLaterError(wait * max(1.0, self.jitter()))
            taken = await self._take(going, claim, channel)
            if taken is None:
                raise AgainLaterError(self.claims.lease)
            mine, others = taken
            outcome, mine = await self._call(mine, self._letter(going, others, channel))
            if not isinstance(outcome, Failed):
                await self._ended(going, others, channel, mine, outcome)
                return frozenset({going.lead.message, *(each.message for each in others)})
            claim = await self._failed(outcome, mine)
        for each in going.all:
            await self._recorder.fail(each, going.accountable, claim.after or "no_channel")
        return going.ids

    async def _take(
        self, going: _Going, claim: Claim, channel: Channel
    ) -> tuple[Claim, tuple[PlannedMessage, ...]] | None:
        """Say that we are about to call, and claim what is told; None if somebody else was quicker."""
        lead = going.lead
        attempted = replace(
            claim,
            attempt=claim.attempt + 1,
            tries=claim.tries + 1,
            letter=None,
            others=tuple(each.message for each in going.others),
            ways=going.ways,
            until=None,
        )
        await self._recorder.attempted(lead, attempted, channel.kind)
        mine = await self.claims.take(attempted)
        if mine is None:
            return None
        others = [each for each in going.others if await self._takes_along(each, lead.message)]
        return mine, tuple(others)

    async def _takes_along(self, other: PlannedMessage, letter: str) -> bool:
        claim = await self.claims.look(other.message)
        if claim.letter is None:
            if claim.state in ("calling", "parked"):
                return False  # it has a fate of its own
        elif claim.letter != letter and not await self._stayed_behind(claim):
            return False
        # Also where it says so already: whoever wants it in another letter finds out.
        return await self.claims.take(replace(claim, letter=letter)) is not None

    async def _stayed_behind(self, claim: Claim) -> bool:
        """Whether it certainly did not leave in the letter of the message that it was to go with.

        A letter that is told in another in its turn has not left by itself.
        """
        letter = await self.claims.look(claim.letter or "")
        return letter.state in ("free", "released") or letter.letter is not None or claim.message not in letter.others

    async def _call(self, claim: Claim, letter: Letter) -> tuple[Outcome, Claim]:
        """Call the channel, and say all the time that we are at it."""
        call = asyncio.ensure_future(self.delivery.send(letter))
        while True:
            done, _ = await asyncio.wait({call}, timeout=self.claims.lease / 3 or None)
            if done:
                return call.result(), claim
            with suppress(*_AWAY):  # the server may be away and back before the channel answers
                claim = await self.claims.renew(claim) or claim

    async def _insist(self, say: Callable[[], Awaitable[T]]) -> T:
        """Say what has become of a call, also to a server that is away for a moment: else nobody would ever know."""
        for pause in self.insist:
            try:
                return await say()
            except _AWAY as error:
                _log.debug("the server is away, insisting", error=repr(error))
                await asyncio.sleep(pause)
        return await say()

    async def _failed(self, outcome: Failed, claim: Claim) -> Claim:
        """Let go of the claim, and turn to her next channel. Raises AgainLaterError if this one may still take it."""
        if outcome.again and claim.tries <= len(self.retry_after):
            delay = self.retry_after[claim.tries - 1] * self.jitter()
            if outcome.retry_after is not None:
                delay = max(delay, outcome.retry_after)
            until = self.clock.now() + timedelta(seconds=delay)
            await self._insist(lambda: self.claims.settle(claim, "released", after=outcome.reason, until=until))
            _log.warning("will try again", message=claim.message, reason=outcome.reason, delay=round(delay, 1))
            raise AgainLaterError(delay)
        _log.warning("a channel failed for good", message=claim.message, reason=outcome.reason)
        turned = await self._insist(
            lambda: self.claims.settle(claim, "released", route=claim.route + 1, tries=0, after=outcome.reason)
        )
        if turned is None:
            raise AgainLaterError(self.claims.lease)
        return turned

    async def _ended(
        self,
        going: _Going,
        others: Sequence[PlannedMessage],
        channel: Channel,
        claim: Claim,
        outcome: Delivered | Unknown,
    ) -> None:
        if isinstance(outcome, Delivered):
            # No word in the claim: the fact is the word, and costs a write already.
            sent_at = self.clock.now()
            sent = await self._insist(lambda: self._recorder.sent(going.lead, channel.kind, others))
            self._turns.took(going.customer, sent.position, sent_at)
            return
        await self._insist(lambda: self.claims.settle(claim, "parked", after=outcome.reason))
        for each in (going.lead, *others):
            await self._recorder.park(each, going.accountable, channel.kind, outcome.reason)

    # -- the letter itself --------------------------------------------------------------------------------------------

    def _letter(self, going: _Going, others: Sequence[PlannedMessage], channel: Channel) -> Letter:
        lead, contact, card = going.lead, going.contact, card_of(going.accountable, self.cards())
        planned = lead.planned
        try:
            reply_to = check_address(card.email) if card.email else None
        except AddressError:
            reply_to = None  # answers go to the sender's address then
        subject, body = said(lead, others)
        text = f"{salutation(contact.name, planned.language)}\n\n{body}\n"
        html: str | None = html_of(text, language=planned.language, subject=subject, us=card.display_name)
        short = said_in_short(lead, others)
        if short is not None and is_for_texts(channel.kind):
            subject, text, html = "", short, None
        return Letter(
            message=lead.message,
            kind=channel.kind,
            to_name=contact.name,
            to_address=channel.address,
            from_name=card.display_name,
            reply_to=reply_to,
            language=planned.language,
            subject=subject,
            text=text,
            date=self.clock.now(),
            order=lead.order,
            accountable=going.accountable,
            news=lead.kind,
            next_news_by=planned.next_news_by,
            contact=contact,
            html=html,
            short=short,
        )
