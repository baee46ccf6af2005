"""Sends what was planned: a letter leaves once, and whatever becomes of it is a fact in the log.

Every step may be the last before a crash, and every message comes up again after one. So each step first looks whether
it was done: the outcome by the message's status, the call of the channel by its claim. The order is: the attempt is a
fact, the claim is taken, the channel is called, the outcome is a fact.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeVar

import nats.errors
import structlog
from pydantic import BaseModel

from events.chain import MessageAttempted, MessageFailed, MessageSent, MessageSuppressed, MessageUnknown
from events.clock import Clock
from events.envelope import Event, make_event
from events.log import Appended
from events.party import NOTIFIER
from events.subjects import customer_key
from services.contact import Channel, Contact
from services.delivery import Delivery
from services.notices import Notice
from services.notifying import gathering
from services.notifying.asking_together import Histories
from services.notifying.claims import Claim, Claims
from services.notifying.gathering import Hold
from services.notifying.html import html_of
from services.notifying.letter import AddressError, Letter, check_address
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.records import PlannedMessage, Policy, Suppress, SuppressReason
from services.notifying.wording import card_of, salutation, together
from services.parties import PartyCard

#: How long we wait before each further attempt when the channel is down (seconds): about half a day in all.
RETRY_AFTER: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0)

#: Nothing waits for longer than this for its next attempt (seconds): what says otherwise was written by a clock that
#: was wrong.
_LONGEST_PAUSE: Final = 130_000.0

#: What a channel has answered is worth some patience with a server that is away just then (seconds between attempts).
_INSIST: Final = (0.2, 0.5, 1.0, 2.0, 4.0)

_AWAY: Final = (nats.errors.Error, TimeoutError)

T = TypeVar("T")

_log = structlog.get_logger("notifier")


class AgainLaterError(Exception):
    """The message did not leave; look at ``message`` again after ``delay`` seconds."""

    def __init__(self, delay: float, message: str = "") -> None:
        super().__init__(f"again in {delay:g} s")
        self.delay = delay
        self.message = message


class Log(Protocol):
    """The log as the notifier needs it."""

    async def append(self, event: Event) -> Appended: ...
    async def last_position(self) -> int: ...
    async def last_position_of(self, order: str) -> int: ...


class ForgottenCustomerError(Exception):
    """She asked to be forgotten."""


class Contacts(Protocol):
    """Where names and addresses are kept."""

    async def find(self, key: str) -> Contact | None:
        """Who is behind ``key``; None if nobody is known. Raises ForgottenCustomerError."""


class Notify(Protocol):
    """Tells a party something, now or never."""

    async def __call__(self, party: str, notice: Notice) -> None: ...


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

    @property
    def ways(self) -> str:
        return ways_of(self.routes, self.lead.message)

    @property
    def all(self) -> tuple[PlannedMessage, ...]:
        return (*self.others, self.lead)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.message for each in self.all)


def ways_of(routes: Sequence[Channel], message: str) -> str:
    """By what these channels are told from others: too short to tell whose they are."""
    text = "\0".join(f"{channel.kind} {channel.address}" for channel in routes)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4, key=message.encode()[:64]).hexdigest()


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
    policy: Policy
    retry_after: Sequence[float] = RETRY_AFTER
    jitter: Callable[[], float] = jitter
    insist: Sequence[float] = _INSIST

    async def timeline(self, order: str) -> dict[str, Any]:
        """The order as it is now, with the letters of late and the rules for messages."""
        return await self.histories.of(order, await self.log.last_position_of(order))

    async def deliver(self, order: str, message: str, timeline: Mapping[str, Any] | None = None) -> frozenset[str]:
        """Send the message, once, or say why not; at once, or raise AgainLaterError for when to look again.

        ``timeline`` is that of its order, if somebody has just asked for it. Returns the messages that have an outcome
        now: several may go in one letter.
        """
        try:
            return await self._deliver(order, message, timeline or await self.timeline(order))
        except AgainLaterError as later:
            raise AgainLaterError(later.delay, message) from None

    async def _deliver(self, order: str, message: str, timeline: Mapping[str, Any]) -> frozenset[str]:
        found = timeline["order"] or {}
        opener, customer = found.get("opened_by"), found.get("customer")
        accountable = str(found.get("accountable") or opener)
        reach, routes = await self._reach(opener, customer, accountable)
        waiting = gathering.pending(timeline)
        if message not in waiting:
            return frozenset({message})
        claim = await self.claims.look(message)
        if claim.letter is not None:
            if await self._shares_fate(waiting[message], claim, timeline, accountable):
                return frozenset({message})
            claim = replace(claim, state="released", letter=None, others=())
        if claim.state in ("calling", "parked"):
            return await self._resume(claim, waiting, reach.contact, routes, accountable)
        now = self.clock.now()
        match gathering.gather(message, timeline, reach, self.policy, now):
            case Suppress(reason):
                await self._suppress(waiting[message], reason)
            case Hold(until):
                raise AgainLaterError(max(1.0, (until - now).total_seconds()))
            case gathering.Letter(lead, others):
                if lead.message != message:
                    ended = await self._deliver(order, lead.message, timeline)
                    if message not in ended:
                        raise AgainLaterError(1.0)  # it could not be taken along
                    return ended
                return await self._send(_Going(lead, others, reach.contact, routes, accountable), claim)
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
            await self._fail(each, going.accountable, claim.after or "no_channel")
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
        data = MessageAttempted(
            message=lead.message,
            kind=lead.kind,
            attempt=attempted.attempt,
            channel=channel.kind,
            after=claim.after,
        )
        await self._append("attempted", f"attempted:{lead.message}:{attempted.attempt}", lead, data)
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
            await self._insist(lambda: self._sent(going.lead, channel.kind, others))
            return
        await self._insist(lambda: self.claims.settle(claim, "parked", after=outcome.reason))
        for each in (going.lead, *others):
            await self._park(each, going.accountable, channel.kind, outcome.reason)

    # -- what an earlier attempt left behind --------------------------------------------------------------------------

    async def _resume(
        self,
        claim: Claim,
        waiting: Mapping[str, PlannedMessage],
        contact: Contact,
        routes: tuple[Channel, ...],
        accountable: str,
    ) -> frozenset[str]:
        """An attempt has no outcome: it goes on somewhere, or it died and nobody knows how far it got."""
        if claim.state == "calling" and not claim.abandoned:
            raise AgainLaterError(self.claims.lease)
        lead = waiting[claim.message]
        # It was to take these along; whichever it had not got to was not in its letter.
        claimed = [other for other in claim.others if (await self.claims.look(other)).letter == lead.message]
        others = tuple(waiting[other] for other in claimed if other in waiting)
        # What her record says by now need not be what was called: another channel would tell her twice.
        same = claim.ways in (None, ways_of(routes, lead.message))
        channel = routes[claim.route] if same and claim.route < len(routes) else None
        repeatable = channel is not None and self.delivery.repeats_harmlessly(channel.kind)
        if claim.state == "calling" and repeatable:
            going = _Going(lead, others, contact, routes, accountable)
            return await self._send(going, replace(claim, tries=max(0, claim.tries - 1)))
        reason = claim.after if claim.state == "parked" and claim.after else "stopped_in_the_middle"
        if claim.state == "calling" and await self.claims.settle(claim, "parked", after=reason) is None:
            raise AgainLaterError(self.claims.lease)
        # Rather not told once than told twice; a person looks, and the promise of news stays open.
        for each in (lead, *others):
            await self._park(each, accountable, channel.kind if channel else lead.planned.channel, reason)
        return frozenset({lead.message, *(each.message for each in others)})

    async def _shares_fate(
        self, message: PlannedMessage, claim: Claim, timeline: Mapping[str, Any], accountable: str
    ) -> bool:
        """It was to go in the letter of another message: what became of that became of it. False: it did not go."""
        other = await self.claims.look(claim.letter or "")
        if other.letter is not None or message.message not in other.others:
            return False  # that one was told in yet another letter, or went without it
        rows = {row["message_id"]: row for row in timeline["messages"]}
        letter = rows.get(claim.letter or "", {"status": "suppressed"})
        match letter["status"]:
            case "sent":
                await self._sent_in(message, letter)
            case "failed":
                await self._fail(message, accountable, letter["reason"] or "")
            case "unknown":
                await self._park(message, accountable, letter["channel"] or "", letter["reason"] or "")
            case "planned":
                if other.state in ("free", "released"):
                    return False  # whichever letter is next takes it along
                raise AgainLaterError(self.claims.lease)
            case _:
                return False
        return True

    # -- the letter itself --------------------------------------------------------------------------------------------

    def _letter(self, going: _Going, others: Sequence[PlannedMessage], channel: Channel) -> Letter:
        lead, contact, card = going.lead, going.contact, card_of(going.accountable, self.cards())
        planned = lead.planned
        try:
            reply_to = check_address(card.email) if card.email else None
        except AddressError:
            reply_to = None  # answers go to the sender's address then
        subject, body = _said(lead, others)
        text = f"{salutation(contact.name, planned.language)}\n\n{body}\n"
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
            html=html_of(text, language=planned.language, subject=subject, us=card.display_name),
        )

    # -- outcomes -----------------------------------------------------------------------------------------------------

    async def _sent(self, lead: PlannedMessage, channel: str, others: Sequence[PlannedMessage]) -> None:
        subject, body = _said(lead, others)
        await self._outcome("sent", lead, _sent_data(lead, channel, subject, body, lead.planned.next_news_by))
        row = {"message_id": lead.message, "channel": channel, "next_news_by": lead.planned.next_news_by}
        for each in others:
            await self._sent_in(each, row)

    async def _sent_in(self, message: PlannedMessage, letter: Mapping[str, Any]) -> None:
        planned = message.planned
        channel, next_news_by = letter["channel"] or planned.channel, letter["next_news_by"]
        body = planned.story or planned.body
        data = _sent_data(message, channel, planned.subject, body, next_news_by, letter["message_id"])
        await self._outcome("sent", message, data)

    async def _suppress(self, message: PlannedMessage, reason: SuppressReason) -> None:
        data = MessageSuppressed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("suppressed", message, data)

    async def _fail(self, message: PlannedMessage, accountable: str, reason: str) -> None:
        data = MessageFailed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("failed", message, data)
        await self._for_a_person("message.failed", message, accountable, reason)

    async def _park(self, message: PlannedMessage, accountable: str, channel: str, reason: str) -> None:
        data = MessageUnknown(message=message.message, kind=message.kind, channel=channel, reason=reason)
        await self._outcome("unknown", message, data)
        await self._for_a_person("message.unknown", message, accountable, reason)

    async def _for_a_person(self, name: str, message: PlannedMessage, accountable: str, reason: str) -> None:
        """The machine is at its end: somebody has to tell her, or to find out whether she knows."""
        notice = Notice(
            notice=name,
            order=message.order,
            kind=message.kind,
            message=message.message,
            reason=reason,
            at=self.clock.now(),
        )
        await self.notify(accountable, notice)

    async def _outcome(self, name: str, message: PlannedMessage, data: BaseModel) -> None:
        # One id for whatever the outcome is: should two instances ever disagree, the first word in the log stands.
        await self._append(name, f"outcome:{message.message}", message, data)
        _log.info(name, order=message.order, kind=message.kind, message=message.message)

    async def _append(self, name: str, id: str, message: PlannedMessage, data: BaseModel) -> None:
        now = self.clock.now()
        await self.log.append(
            make_event(
                f"message.{name}",
                source=NOTIFIER,
                id=id,
                subject=message.order,
                time=now,
                recordedtime=now,
                data=data,
                causationid=f"planned:{message.message}",
            )
        )


def _said(lead: PlannedMessage, others: Sequence[PlannedMessage]) -> tuple[str, str]:
    """Subject and body of a letter that tells all of them."""
    planned = lead.planned
    if not others:
        return planned.subject, planned.body
    # What asks her something gives a letter that tells several things its subject.
    asking = [each for each in (lead, *others) if each.kind in gathering.ASKING]
    stories = [each.planned.story or each.planned.body for each in others]
    body = together(stories, planned.body, planned.language)
    return (asking[0] if asking else lead).planned.subject, body


def _sent_data(
    message: PlannedMessage,
    channel: str,
    subject: str,
    body: str,
    next_news_by: datetime | None,
    letter: str | None = None,
) -> MessageSent:
    return MessageSent(
        message=message.message,
        kind=message.kind,
        channel=channel,
        language=message.planned.language,
        subject=subject,
        body=body,
        next_news_by=next_news_by,
        letter=letter,
    )
