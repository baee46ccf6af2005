"""Tells the customer: a fact becomes a planned message, a planned message a letter, and each step a fact in the log.

Every step may be the last before a crash, and every input comes again after one. So each step first looks whether it
was done: the plan by its id in the history, the sending by its claim, the outcome by the message's status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import structlog
from pydantic import BaseModel

from events.chain import MessageFailed, MessagePlanned, MessageSent, MessageSuppressed
from events.clock import Clock
from events.envelope import Event, make_event
from events.log import Appended
from events.party import NOTIFIER
from events.subjects import customer_key
from services.answering import Ask
from services.contact import EMAIL, Channel, Contact
from services.delivery import Delivery
from services.messages import TRIGGERS, concerns_her, decide_delivery, decide_plan, is_past
from services.notices import Notice
from services.notifying.claims import Claim, Claims
from services.notifying.history import moment
from services.notifying.letter import AddressError, Letter, check_address
from services.notifying.outcomes import Delivered, Failed, Unknown
from services.notifying.records import Closure, PlannedMessage, Policy, Suppress, SuppressReason
from services.notifying.wording import card_of, compose, salutation
from services.parties import PartyCard

PLANNED: Final = "message.planned"

#: How long we wait before each further attempt when the channel is down (seconds): about half a day in all.
RETRY_AFTER: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0)

_log = structlog.get_logger("notifier")


class AgainLaterError(Exception):
    """The message did not leave; try again after ``delay`` seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"again in {delay:g} s")
        self.delay = delay


class Log(Protocol):
    """The log as the teller needs it."""

    async def append(self, event: Event) -> Appended: ...
    async def last_position(self) -> int: ...


class Contacts(Protocol):
    """Where names and addresses are kept."""

    async def find(self, key: str) -> Contact | None: ...


class Notify(Protocol):
    """Tells a party something, now or never."""

    async def __call__(self, party: str, notice: Notice) -> None: ...


@dataclass(frozen=True)
class Teller:
    """Plans and delivers. All that it touches is handed in."""

    ask: Ask
    log: Log
    contacts: Contacts
    claims: Claims
    delivery: Delivery
    notify: Notify
    cards: Callable[[], Mapping[str, PartyCard]]
    clock: Clock
    policy: Policy
    retry_after: Sequence[float] = RETRY_AFTER

    async def handle(self, event: Event) -> None:
        """Take one fact from the log. Raises AgainLaterError where a later attempt may succeed."""
        if event.name == PLANNED:
            await self.deliver(event)
        elif event.name in TRIGGERS:
            await self.plan(event)

    # -- planning -----------------------------------------------------------------------------------------------------

    async def plan(self, trigger: Event) -> None:
        """Append the message.planned that ``trigger`` causes, if it causes one."""
        now = self.clock.now()
        if is_past(trigger, self.policy, now) or not concerns_her(trigger):
            return  # an old log that is read for the first time costs no question
        timeline = await self._timeline(trigger.subject)
        plan = decide_plan(trigger, timeline, self.policy, now)
        if plan is None:
            return
        closures, promise = await self._hours(plan.accountable, timeline["order"])
        plan = decide_plan(trigger, timeline, self.policy, now, closures, promise)
        if plan is None:
            return
        contact = await self._contact(plan.opener, plan.customer)
        wording = compose(plan, self.cards(), contact.language if contact else None)
        data = MessagePlanned(
            message=plan.message,
            kind=plan.kind,
            trigger_source=plan.trigger_source,
            trigger_id=plan.trigger_id,
            language=wording.language,
            channel=self._kind_of_channel(contact, plan.accountable),
            subject=wording.subject,
            body=wording.body,
            next_news_by=plan.next_news_by,
            corrects=plan.corrects or None,
        )
        await self._append(PLANNED, f"planned:{plan.message}", plan.order, data, plan.trigger_id)
        _log.info("planned", order=plan.order, kind=plan.kind, message=plan.message)

    def _kind_of_channel(self, contact: Contact | None, accountable: str) -> str:
        routes = self.delivery.routes(contact, accountable) if contact else ()
        return routes[0].kind if routes else EMAIL

    # -- delivering ---------------------------------------------------------------------------------------------------

    async def deliver(self, event: Event) -> None:
        """Send the message that ``event`` (a message.planned) announces, once, or say why not."""
        message = PlannedMessage.of(event)
        timeline = await self._timeline(message.order)
        if _status(timeline, message.message) != "planned":
            return
        order = timeline["order"]
        opener, customer = order.get("opened_by"), order.get("customer")
        contact = await self._contact(opener, customer) if opener and customer else None
        accountable = order.get("accountable") or opener
        channel = self._channel(contact, accountable)
        verdict = decide_delivery(message, timeline, self.policy, self.clock.now())
        if isinstance(verdict, Suppress):
            await self._suppress(message, verdict.reason)
        elif contact is None or not contact.channels:
            await self._suppress(message, "no_contact")
        elif channel is None:
            await self._suppress(message, "no_channel")
        else:
            await self._send(message, contact, channel, accountable)

    def _channel(self, contact: Contact | None, accountable: str) -> Channel | None:
        routes = self.delivery.routes(contact, accountable) if contact else ()
        return routes[0] if routes else None

    async def _send(self, message: PlannedMessage, contact: Contact, channel: Channel, accountable: str) -> None:
        claim = await self.claims.take(message.message)
        if claim.state == "sent":
            await self._sent(message, channel.kind)
            return
        if not claim.mine and not self.delivery.repeats_harmlessly(channel.kind):
            # An attempt died between the claim and its outcome. We rather fail to tell her once than tell her twice;
            # the promise of news stays open, so she still hears from us.
            await self._fail(message, accountable, "outcome_unknown")
            return
        outcome = await self.delivery.send(self._letter(message, contact, channel, accountable))
        match outcome:
            case Delivered():
                await self.claims.settle(claim, "sent")
                await self._sent(message, channel.kind)
            case Unknown(reason):
                await self._fail(message, accountable, f"outcome_unknown: {reason}")
            case Failed(reason, again):
                await self._not_sent(message, accountable, claim, reason, again)

    async def _not_sent(
        self, message: PlannedMessage, accountable: str, claim: Claim, reason: str, again: bool
    ) -> None:
        await self.claims.settle(claim, "released")
        if not again or claim.attempt > len(self.retry_after):
            await self._fail(message, accountable, reason)
            return
        delay = self.retry_after[claim.attempt - 1]
        _log.warning("not sent, will try again", message=message.message, reason=reason, delay=delay)
        raise AgainLaterError(delay)

    def _letter(self, message: PlannedMessage, contact: Contact, channel: Channel, accountable: str) -> Letter:
        planned, card = message.planned, card_of(accountable, self.cards())
        try:
            reply_to = check_address(card.email) if card.email else None
        except AddressError:
            reply_to = None  # answers go to the sender's address then
        return Letter(
            message=message.message,
            kind=channel.kind,
            to_name=contact.name,
            to_address=channel.address,
            from_name=card.display_name,
            reply_to=reply_to,
            language=planned.language,
            subject=planned.subject,
            text=f"{salutation(contact.name, planned.language)}\n\n{planned.body}\n",
            date=self.clock.now(),
            order=message.order,
            accountable=accountable,
            news=message.kind,
            next_news_by=planned.next_news_by,
        )

    # -- outcomes -----------------------------------------------------------------------------------------------------

    async def _sent(self, message: PlannedMessage, channel: str) -> None:
        planned = message.planned
        data = MessageSent(
            message=planned.message,
            kind=planned.kind,
            channel=channel,
            language=planned.language,
            subject=planned.subject,
            body=planned.body,
            next_news_by=planned.next_news_by,
        )
        await self._outcome("sent", message, data)

    async def _suppress(self, message: PlannedMessage, reason: SuppressReason) -> None:
        data = MessageSuppressed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("suppressed", message, data)

    async def _fail(self, message: PlannedMessage, accountable: str, reason: str) -> None:
        data = MessageFailed(message=message.message, kind=message.kind, reason=reason)
        await self._outcome("failed", message, data)
        # The machine is at its end: a person has to tell her.
        notice = Notice(
            notice="message.failed",
            order=message.order,
            kind=message.kind,
            message=message.message,
            reason=reason,
            at=self.clock.now(),
        )
        await self.notify(accountable, notice)

    async def _outcome(self, name: str, message: PlannedMessage, data: BaseModel) -> None:
        # One id for whatever the outcome is: should two instances ever disagree, the first word in the log stands.
        await self._append(
            f"message.{name}", f"outcome:{message.message}", message.order, data, f"planned:{message.message}"
        )
        _log.info(name, order=message.order, kind=message.kind, message=message.message)

    # -- asking and appending -----------------------------------------------------------------------------------------

    async def _append(self, name: str, id: str, order: str, data: BaseModel, cause: str) -> None:
        now = self.clock.now()
        await self.log.append(
            make_event(
                name, source=NOTIFIER, id=id, subject=order, time=now, recordedtime=now, data=data, causationid=cause
            )
        )

    async def _timeline(self, order: str) -> dict[str, Any]:
        return await self.ask("timeline", {"order": order, "raw": True}, await self.log.last_position())

    async def _hours(self, party: str, order: Mapping[str, Any]) -> tuple[list[Closure], datetime | None]:
        """When ``party`` is closed, and the next news that it can promise about ``order``."""
        about = {name: order[name] for name in ("category", "urgency") if order.get(name)}
        answer = await self.ask("closures", {"party": party} | about, None)
        promise = answer.get("next_news_by")
        closures = [(moment(row["from"]), moment(row["until"])) for row in answer["closures"]]
        return closures, moment(promise) if promise else None

    async def _contact(self, opener: str, customer: str) -> Contact | None:
        return await self.contacts.find(customer_key(opener, customer))


def _status(timeline: Mapping[str, Any], message: str) -> str | None:
    return next((row["status"] for row in timeline["messages"] if row["message_id"] == message), None)
