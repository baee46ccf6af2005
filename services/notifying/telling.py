"""Plans what the customer is told: a fact that is news becomes a planned message, which sending.py delivers.

Every step may be the last before a crash, and every fact comes again after one: the plan is known by its id in the
order's history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import structlog

from events.chain import MessagePlanned
from events.clock import Clock
from events.envelope import Event, make_event
from events.log import Appended
from events.party import NOTIFIER, PARTNER_ROLES, role_of
from events.subjects import customer_key
from projections.policies.words import is_hurried
from services.answering import Ask
from services.contact import EMAIL, is_for_texts
from services.delivery import Delivery
from services.messages import TRIGGERS, concerns_her, decide_plan, is_past
from services.notifying.about import TELLS_OF_WORK
from services.notifying.decency import Manners, is_by_the_clock, when_awake, zone_of
from services.notifying.gathering import leaves
from services.notifying.history import History, moment
from services.notifying.newsworthy import lies_ready
from services.notifying.promising import by_day
from services.notifying.recording import Log
from services.notifying.records import Closure, MessagePlan, MessagePolicy
from services.notifying.sending import Contacts, ForgottenCustomerError, Sender, UnreadableContactError
from services.notifying.steadying import to_be_written
from services.notifying.texting import text_form
from services.notifying.waiting import LapsedError, NotYetError
from services.notifying.wording import compose
from services.parties import PartyCard

PLANNED: Final = "message.planned"

#: So many messages that have an outcome are remembered.
_REMEMBERED: Final = 10_000

_log = structlog.get_logger("notifier")


@dataclass(frozen=True)
class _Hours:
    """When a party is closed, the next news that it can promise (``sooner``: if a visit is missed; ``ready``: of what
    was urgent, while it lies ready for her), and its zone."""

    closures: list[Closure]
    next_news: datetime | None
    sooner: datetime | None
    ready: datetime | None
    zone: str | None


@dataclass(frozen=True)
class Teller:
    """Plans and delivers. All that it touches is handed in."""

    ask: Ask
    log: Log
    contacts: Contacts
    delivery: Delivery
    cards: Callable[[], Mapping[str, PartyCard]]
    clock: Clock
    policy: MessagePolicy
    sender: Sender
    #: Messages of late that have an outcome: their plans come up, too, and need no look.
    _ended: set[str] = field(default_factory=set)
    _asked: dict[Any, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def handle(self, event: Event, *, patient: bool = True) -> None:
        """Take one fact from the log. Raises AgainLaterError where a planned message has to wait.

        While it is ``patient``: NotYetError where news is to be written later, of what will be known by then.
        """
        if event.name == PLANNED:
            message = str(event.data.get("message"))
            if message not in self._ended:
                await self.deliver(event.subject, message)
        elif event.name in TRIGGERS:
            await self.plan(event, patient=patient)

    async def deliver(self, order: str, message: str) -> None:
        """Deliver what was planned. Where it has waited for too long, it is first written anew: that comes up by
        itself, and this is left out. Raises AgainLaterError where it has to wait."""
        try:
            await self.sender.deliver(order, message, or_anew=True)
        except LapsedError as lapsed:
            await self._write(lapsed.trigger)
            await self.sender.deliver(order, message)

    async def plan(self, trigger: Event, *, patient: bool = True) -> None:
        """Write what ``trigger`` causes, if it causes a message, and deliver it."""
        written = await self._write(trigger, patient=patient)
        if written is not None:
            await self._send_on(*written)

    async def _write(self, trigger: Event, *, patient: bool = True) -> tuple[Event, Appended, Mapping[str, Any]] | None:
        """Append the message.planned that ``trigger`` causes, if it causes one; also the timeline before it."""
        now = self.clock.now()
        if is_past(trigger, self.policy, now) or not concerns_her(trigger):
            return None  # an old log that is read for the first time costs no question
        timeline = await self.sender.timeline(trigger.subject)
        plan = decide_plan(trigger, timeline, self.policy, now)
        if plan is None:
            return None
        try:
            contact = await self.contacts.find(customer_key(plan.opener, plan.customer))
        except ForgottenCustomerError:
            return None  # nobody writes to her, and so nothing is planned
        except UnreadableContactError:
            contact = None  # what becomes of it, whoever sends it says
        hours = await self._hours(plan.accountable, timeline["order"])
        manners = Manners.of(contact, timeline.get("rules"), hours.zone)
        is_ready = hours.ready is not None and lies_ready(History.of(timeline))
        next_news = hours.ready if is_ready else hours.next_news
        promise, sooner = (by_day(each, now, manners) if each else None for each in (next_news, hours.sooner))
        away = await self._away(plan, timeline["order"].get("holder"))
        plan = decide_plan(trigger, timeline, self.policy, now, hours.closures, promise, sooner, away)
        if plan is None:
            return None
        if patient and is_by_the_clock(plan.kind, plan.news.late):
            # What was written at night would in the morning name a date that was made then, and be late for it.
            _await_its_hour(trigger, plan.news.late, timeline, manners, hours.zone, now, ready=is_ready)
        plan = replace(plan, leaves=leaves(plan, timeline, manners))
        urgent = is_hurried(timeline["order"].get("urgency"))
        language = contact.language if contact else None
        routes = self.delivery.routes(contact, plan.accountable) if contact else ()
        told, cards = _by_day(plan, manners), self.cards()
        wording = compose(told, cards, language, zone=manners.zone, urgent=urgent)
        form = None
        if contact and any(is_for_texts(each.kind) for each in contact.channels):
            form = text_form(told, cards, language, zone=manners.zone, urgent=urgent)
        data = MessagePlanned(
            message=plan.message,
            kind=plan.kind,
            trigger_source=plan.trigger_source,
            trigger_id=plan.trigger_id,
            language=wording.language,
            channel=routes[0].kind if routes else EMAIL,
            subject=wording.subject,
            body=wording.body,
            next_news_by=plan.next_news_by,
            corrects=plan.corrects or None,
            story=wording.story,
            text=form.text if form else None,
            gist=form.gist if form else None,
        )
        planned = make_event(
            PLANNED,
            source=NOTIFIER,
            id=f"planned:{plan.message}",
            subject=plan.order,
            time=now,
            recordedtime=now,
            data=data,
            causationid=plan.trigger_id,
        )
        appended = await self.log.append(planned)
        _log.info("planned", order=plan.order, kind=plan.kind, message=plan.message)
        return planned, appended, timeline

    async def _send_on(self, planned: Event, appended: Appended, timeline: Mapping[str, Any]) -> None:
        """Deliver what was just planned. If nothing else was said of the order meanwhile, we know how it stands; else
        the plan comes up by itself, as it does when we stop here."""
        if appended.duplicate or await self.log.last_position_of(planned.subject) != appended.position:
            return
        if timeline["order"].get("merged"):
            return  # something may have been said of it by another of its ids
        message = str(planned.data["message"])
        entry = {
            "position": appended.position,
            "occurred_at": planned.time.isoformat(),
            "type": PLANNED,
            "source": planned.source,
            "id": planned.id,
            "data": planned.data,
            "voided": False,
        }
        row = {"message_id": message, "kind": planned.data["kind"], "status": "planned"}
        known = {
            **timeline,
            "entries": [*timeline["entries"], entry],
            "messages": [*timeline["messages"], row],
        }
        ended = await self.sender.deliver(planned.subject, message, known)
        if len(self._ended) > _REMEMBERED:
            self._ended.clear()
        self._ended.update(ended)

    async def _hours(self, party: str, order: Mapping[str, Any]) -> _Hours:
        about = {name: order[name] for name in ("category", "urgency") if order.get(name)}
        answer = await self._together("closures", {"party": party} | about)
        names = ("next_news_by", "next_news_after_missed_visit_by", "next_news_while_ready_by")
        next_news, sooner, ready = (moment(answer[name]) if answer.get(name) else None for name in names)
        closures = [(moment(row["from"]), moment(row["until"])) for row in answer["closures"]]
        return _Hours(closures, next_news, sooner, ready, answer.get("time_zone"))

    async def _away(self, plan: MessagePlan, holder: str | None) -> list[Closure]:
        """When whoever has it is closed, if that is another link of the chain and the letter may say so."""
        if plan.kind not in TELLS_OF_WORK or holder in (None, plan.accountable) or role_of(holder) not in PARTNER_ROLES:
            return []
        answer = await self._together("closures", {"party": holder})
        return [(moment(row["from"]), moment(row["until"])) for row in answer["closures"]]

    async def _together(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """Ask; whoever asks the same while the answer is on its way shares it."""
        key = (name, *sorted(args.items()))
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(self.ask(name, args, None))
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(asked)


def _by_day(plan: MessagePlan, manners: Manners) -> MessagePlan:
    """``plan`` with no answer named for her quiet hours, nor late before the moment that was named instead."""

    def named(due: datetime | None) -> datetime | None:
        return when_awake(due, manners) if due is not None else None

    news, question, answer = plan.news, plan.news.question, plan.news.answer
    if question is not None:
        question = replace(question, due=named(question.due))
    if answer is not None and answer.due is not None:
        due = when_awake(answer.due, manners)
        answer = replace(answer, due=due if due < plan.now else None)
    late_by = named(news.due) if news.late == "answer" else news.due
    owed_by = named(news.answer_owed_by)
    return replace(plan, news=replace(news, question=question, answer=answer, due=late_by, answer_owed_by=owed_by))


def _await_its_hour(
    cue: Event,
    late: str | None,
    timeline: Mapping[str, Any],
    manners: Manners,
    shop_zone: str | None,
    now: datetime,
    *,
    ready: bool,
) -> None:
    """Raises NotYetError if the news that ``cue`` is about is to be written later."""
    due = cue.data.get("due")
    if not due:
        return
    urgency = timeline["order"].get("urgency")
    then = to_be_written(now, moment(due), zone_of(None, shop_zone), manners, urgency, ready=ready)
    if late == "answer":
        then = max(then, when_awake(moment(due), manners))  # she was told that she has it by then
    if then > now:
        raise NotYetError((then - now).total_seconds())
