"""What the customer of one order would have been told, and when: its facts go by once more, and at each moment the
notifier's own decisions are asked (services/messages.py). Pure, no I/O.

Moments are microseconds since 1970 UTC. What falls on one moment is known as a whole before any of it is weighed, as
where a partner hands in several things at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from events.chain import MessageKind, MessagePlanned, commitment_id
from events.party import NOTIFIER, WATCHDOG
from projections.book import Terms
from projections.clock import WorkClock, micros_of, moment_of, promise_of_next_news
from projections.policies.next_news import after_missed_visit, while_it_lies_ready
from projections.policies.words import is_hurried
from projections.terms import before_news, level_at, nudge_at
from services.backtest.records import NEVER, Fact, Late, Message, Story, is_word_to_her
from services.messages import TRIGGERS, Found, concerns_her, objection, what_to_tell
from services.notifying.asking import WAITING
from services.notifying.decency import Manners, is_beside_the_others, not_before, waits_for_more
from services.notifying.history import Happened, History, Owed, Told
from services.notifying.newsworthy import lies_ready
from services.notifying.overdue import NUDGED, OVERDUE
from services.notifying.promising import PUT_OFF_NOTHING, by_day, is_always_by_day, keeps_the_date, missed_visit
from services.notifying.records import MessagePolicy, PlannedMessage
from services.notifying.steadying import to_be_written

#: More updates than this for one stretch of one order are no news but noise, and would never come to an end.
MOST_UPDATES: Final = 100_000

#: Something is overdue when its moment is past, not when it comes.
_PAST: Final = 1

#: Stands for a date of further news that nobody looks at.
_SOME_DAY: Final = datetime.max.replace(tzinfo=UTC)


class TooManyMessagesError(ValueError):
    """The policy's rule for news is so short that messages could not be counted."""


def predict(
    story: Story, news: Terms, manners: Manners, policy: MessagePolicy | None = None, shop: WorkClock | None = None
) -> list[Message]:
    """The messages that the customer would have got, in order; ``news`` has the rule for updates.

    ``shop`` is when whoever answers to her is open: for an urgent order that counts once it lies ready.

    Raises TooManyMessagesError.
    """
    for begin, end in story.open_spans():
        if news.allowed <= 0 or (end - begin) // news.allowed <= MOST_UPDATES:
            continue  # nobody is open for longer than that
        count = int(news.clock.between(begin, end)) // news.allowed
        if count > MOST_UPDATES:
            raise TooManyMessagesError(
                f"the policy's time for update is so short that an order would get {count:,} updates"
            )
    return _Replay(story, news, manners, policy or MessagePolicy(), shop).run()


@dataclass
class _News:
    """The news that she is owed: since when, the ``level`` that comes next (0: the nudge), and at which moment."""

    since: int
    number: int
    level: int = 0
    due: int | None = None
    at: int | None = None
    #: The date that the last letter named for it, where that is sooner than by the rule, or goes before it.
    promised: int | None = None
    #: What was urgent lies ready.
    ready: bool = False


class _Waiting(NamedTuple):
    """A message that has no outcome yet; ``planned`` is when it was, ``happened`` when its cause did."""

    message: PlannedMessage
    cause: str
    happened: datetime
    planned: int


class _Replay:
    def __init__(
        self, story: Story, news: Terms, manners: Manners, policy: MessagePolicy, shop: WorkClock | None
    ) -> None:
        self.story, self.terms, self.manners, self.policy, self.shop = story, news, manners, policy, shop
        self.late = sorted(story.late)
        self.position = 0
        self.facts: list[Happened] = []
        self.planned: Happened | None = None
        self.told: list[Told] = []
        self.waiting: list[_Waiting] = []
        self.wake: int | None = None
        #: When letters left; of those that are beside the others, apart.
        self.letters: dict[bool, list[int]] = {False: [], True: []}
        self.said: dict[str, Late] = {}
        self.asked: set[str] = set()
        self.messages: list[Message] = []
        self.open, self.holder, self.step = False, story.opener, "taken_in"
        self.paused: str | None = None
        self.news: _News | None = None
        #: When the last letter left, and the date that it named, if that is not by the rule.
        self.last: tuple[int, int | None] | None = None
        #: What waits for more at the end is told.
        self.end = story.until + manners.patience // timedelta(microseconds=1)
        share = news.rule.nudge if news.rule.nudge is not None else 1.0
        #: News is not due sooner than this after the last.
        self.soonest = int(news.allowed * share) - 1

    def run(self) -> list[Message]:
        fact, late = 0, 0
        facts, lates = self.story.facts, self.late
        while True:
            at_fact = facts[fact].at if fact < len(facts) else NEVER
            at_late = lates[late].at + _PAST if late < len(lates) else NEVER
            first = min(at_fact, at_late, self.wake if self.wake is not None else NEVER)
            at_news = self._news_before(min(first, self.story.until + 1))
            if at_news is not None:
                self._news_is_due(at_news)
            elif first == self.wake and first <= self.end:
                self._deliver(first)
            elif first > self.story.until:
                return self.messages
            elif first == at_fact:
                begin = fact
                while fact < len(facts) and facts[fact].at == first:
                    fact += 1
                happened = [self._happens(each) for each in facts[begin:fact]]
                self._weigh(happened, first)
            else:
                begin = late
                while late < len(lates) and lates[late].at == first - _PAST:
                    late += 1
                noted = [self._note(each, first) for each in lates[begin:late]]
                self._weigh([cue for cue in noted if cue is not None], first)

    # -- what happens -------------------------------------------------------------------------------------------------

    def _happens(self, fact: Fact) -> Happened:
        happened = self._record(fact.at, fact.source, fact.id, fact.name, fact.data)
        name = fact.name
        if name in ("order.opened", "order.reopened"):
            if not self.open or name == "order.reopened":
                self.news = _News(fact.at, self.position)
            self.open = True
        elif name == "order.closed":
            self.open, self.news, self.last = False, None, None
        elif self.open and is_word_to_her(fact):
            self.news = _News(fact.at, self.position)
        if name == "work.paused":
            waits = fact.data.get("waiting_for") == "customer"
            self.paused = WAITING if waits else "waiting"
        elif name == "work.resumed":
            self.paused = None
        elif name in self.story.statuses:
            self.step, self.paused = self.story.statuses[name], None
        if name in ("order.opened", "item.handed_over", "item.received"):
            self.holder = fact.source
        elif name == "item.returned":
            self.holder = "customer"
        return happened

    def _note(self, late: Late, now: int) -> Happened | None:
        """Record that it is late, unless we have done ourselves what was late."""
        commitment = commitment_id(late.kind, self.story.order, *late.opened_by)
        if commitment in self.asked:
            return None
        self.said[commitment] = late
        data = {"commitment": commitment, "kind": late.kind, "owed_by": late.owner, "due": moment_of(late.due)}
        return self._record(now, WATCHDOG, f"overdue:{commitment}:{late.at}", OVERDUE, data)

    def _record(self, at: int, source: str, id: str, name: str, data: Mapping[str, Any]) -> Happened:
        self.position += 1
        happened = Happened(self.position, moment_of(at), source, id, name, data)
        self.facts.append(happened)
        return happened

    # -- the news that she is owed ------------------------------------------------------------------------------------

    def _news_before(self, limit: int) -> int | None:
        """When news is due, if that is before (or at) ``limit``."""
        news = self.news
        if news is None or self.terms.allowed <= 0:
            return None
        if news.since + (self.soonest if news.promised is None else 0) >= limit:
            return None
        if news.at is None:
            self._next_level(news)
        return news.at if news.at is not None and news.at <= limit else None

    def _next_level(self, news: _News) -> None:
        levels = self.terms.rule.levels
        since = np.array([news.since], np.int64)
        due = self.terms.clock.add(since, self.terms.allowed)
        if news.promised is not None:
            due = before_news(self.terms, due, np.array([news.promised], np.int64))
        news.due, news.at = int(due[0]), NEVER
        if news.level == 0 and self.terms.rule.nudge is not None:
            nudge = int(nudge_at(self.terms, since, due)[0])
            if nudge < news.due:
                news.at = self._written(nudge, news.due) + _PAST
                return
        news.level = max(news.level, 1)
        while news.level <= len(levels):
            if "customer" in levels[news.level - 1].tell:
                news.at = self._written(int(level_at(self.terms, due, news.level)[0]), news.due) + _PAST
                return
            news.level += 1

    def _written(self, cue: int, due: int) -> int:
        """When the notifier writes the news for which there is a ``cue``."""
        zone, urgency = self.terms.own.calendar.zone, self.story.urgency
        ready = self.news is not None and self.news.ready
        return micros_of(to_be_written(moment_of(cue), moment_of(due), zone, self.manners, urgency, ready=ready))

    def _news_is_due(self, now: int) -> None:
        news = self.news
        assert news is not None
        assert news.due is not None
        name = OVERDUE if news.level else NUDGED
        commitment = f"update/{news.number}"
        data = {
            "commitment": commitment,
            "kind": "update",
            "owed_by": self.story.accountable,
            "due": moment_of(news.due),
        }
        cue = self._record(now, WATCHDOG, f"{name}:{commitment}:{news.level}", name, data)
        news.level, news.at = news.level + 1, None
        self._weigh([cue], now)
        if all(told.cause != (cue.source, cue.id) or told.status == "sent" for told in self.told):
            self.facts.remove(cue)  # said a hundred times, it would be in the way of every look at the order

    # -- what is told of it -------------------------------------------------------------------------------------------

    def _weigh(self, facts: Sequence[Happened], now: int) -> None:
        """Plan what each of the ``facts`` of one moment causes, and then send what may go out."""
        triggers = [fact for fact in facts if fact.name in TRIGGERS and concerns_her(fact)]
        for trigger in triggers:
            found = what_to_tell(trigger, self._history(now), self.policy, moment_of(now))
            if found is not None:
                self._plan(found, now, alone=len(triggers) == 1)
        if self.wake == now:
            self._deliver(now)

    def _plan(self, found: Found, now: int, *, alone: bool) -> None:
        """Plan a message, and send it at once if it is ``alone`` and may go out: nothing can have overtaken it, and
        nothing goes with it."""
        self.position += 1
        at = moment_of(now)
        data = {"message": found.message}
        self.planned = Happened(self.position, at, NOTIFIER, f"planned:{found.message}", "message.planned", data)
        self.told.append(
            Told(found.message, found.kind, "planned", self.position, (found.cause.source, found.cause.id))
        )
        cause = str(found.cause.data.get("kind")) if found.cause.name in (OVERDUE, NUDGED) else found.cause.name
        waiting = _Waiting(self._as_planned(found), cause, found.cause.at, now)
        until = max(self._not_before(waiting, now), self._waits_for_more(waiting, now))
        if until <= now and alone and not self.waiting:
            self._sent([(found.message, found.kind, cause)], now)
        else:
            self.waiting.append(waiting)
            self.wake = min(max(until, now), self.wake if self.wake is not None else NEVER)

    def _as_planned(self, found: Found) -> PlannedMessage:
        """The message as far as the decision to send it asks."""
        planned = MessagePlanned.model_construct(
            message=found.message,
            kind=found.kind,
            trigger_source=found.cause.source,
            trigger_id=found.cause.id,
            language="",
            channel="",
            subject="",
            body="",
            next_news_by=_SOME_DAY if found.more_to_come else None,
        )
        return PlannedMessage(self.story.order, planned)

    def _not_before(self, waiting: _Waiting, now: int) -> int:
        """The moment from which a message may go out: not at night, and not too many a day."""
        at, most, letters = moment_of(now), self.manners.most_a_day, 0
        before = self.letters[is_beside_the_others(waiting.message.kind)]
        if most and len(before) >= most:
            today = micros_of(self.manners.day_of(at))
            letters = sum(sent >= today for sent in before[-most:])
        kind, late = waiting.message.kind, waiting.cause if waiting.message.kind == "overdue" else None
        until = not_before(
            self.manners,
            at,
            kind=kind,
            happened=waiting.happened,
            urgency=self.story.urgency,
            letters=letters,
            late=late,
        )
        return micros_of(until)

    def _waits_for_more(self, waiting: _Waiting, now: int) -> int:
        """The moment until which a message that may go out waits for what else there may be to tell."""
        until = waits_for_more(
            self.manners,
            moment_of(now),
            kind=waiting.message.kind,
            planned=moment_of(waiting.planned),
            happened=waiting.happened,
            urgency=self.story.urgency,
        )
        return micros_of(until)

    def _deliver(self, now: int) -> None:
        """What has waited for this moment goes out in one letter, as far as it is news still; with it goes what only
        waits for more."""
        self.wake = None
        due: list[_Waiting] = []
        going = False
        for waiting in [*self.waiting]:
            message = waiting.message
            history = self._history(now).without(message.message)
            reason = objection(message, history, self.policy, moment_of(now))
            if reason is not None:
                self.waiting.remove(waiting)
                self._ends(message.message, "suppressed", None)
                continue
            until, more = self._not_before(waiting, now), self._waits_for_more(waiting, now)
            if until <= now:
                due.append(waiting)
            if max(until, more) <= now:
                going = True
            else:
                self.wake = min(max(until, more), self.wake if self.wake is not None else NEVER)
        if going:
            self.waiting = [waiting for waiting in self.waiting if waiting not in due]
            self._sent([(each.message.message, each.message.kind, each.cause) for each in due], now)

    def _sent(self, letter: Sequence[tuple[str, MessageKind, str]], now: int) -> None:
        """All of ``letter`` (id, kind and cause of each message) reaches her at once."""
        self.letters[all(is_beside_the_others(kind) for _, kind, _ in letter)].append(now)
        ready = self._named_while_ready(now) if self.open else None
        named = None
        if self.open:
            _, lead, _ = letter[-1]
            promised = self._kept(lead, ready if ready is not None else self._promised(now), now)
            named = promised if ready is not None else None
            self.news = _News(now, self.position, promised=promised, ready=ready is not None)
            self.last = now, promised
        for message, kind, cause in letter:
            self._ends(message, "sent", moment_of(now), named)
            self.messages.append(Message(now, cause, kind))
            if kind == "check":
                self.asked |= {name for name, late in self.said.items() if late.kind == "check"}

    def _promised(self, now: int) -> int | None:
        """The date of the next news that a letter names which leaves ``now``, if that and not the rule counts."""
        terms, at = self.terms, moment_of(now)
        visits = any(late.kind == "visit" for late in self.said.values())
        if not visits and is_always_by_day(terms.clock.calendar, self.manners):
            return None
        usual = promise_of_next_news(terms.clock, at, timedelta(microseconds=terms.allowed))
        promise = by_day(usual, at, self.manners)
        if visits and missed_visit(self._history(now), at) is not None:
            promise = min(promise, by_day(self._after_missed_visit(at), at, self.manners))
        return micros_of(promise) if promise < usual or (terms.hurried and promise != usual) else None

    def _kept(self, kind: str, date: int | None, now: int) -> int | None:
        """``date`` (None: by the rule), or that of the letter before, where one of ``kind`` must not put that off."""
        if kind not in PUT_OFF_NOTHING or self.last is None:
            return date
        sent, before = self.last
        named = before if before is not None else self._usual(sent)
        promise = date if date is not None else self._usual(now)
        kept = micros_of(keeps_the_date(kind, moment_of(named), moment_of(promise), moment_of(now)))
        return kept if kept < promise else date

    def _usual(self, now: int) -> int:
        """The date of the next news in a letter that leaves ``now``, by the rule."""
        at, terms = moment_of(now), self.terms
        usual = promise_of_next_news(terms.clock, at, timedelta(microseconds=terms.allowed))
        return micros_of(by_day(usual, at, self.manners))

    def _named_while_ready(self, now: int) -> int | None:
        """The date that a letter names which leaves ``now``, if what was urgent lies ready for her."""
        # The history is made anew each time: most orders are routine, and cost none here.
        if self.shop is None or not is_hurried(self.story.urgency) or not lies_ready(self._history(now)):
            return None
        at = moment_of(now)
        ready = while_it_lies_ready(self.shop, at)
        return micros_of(by_day(ready, at, self.manners)) if ready is not None else None

    def _after_missed_visit(self, at: datetime) -> datetime:
        """The next news that the policy allows while a visit is missed."""
        return after_missed_visit(self.policy.after_missed_visit, self.terms.own, self.terms.day_length, at)

    def _ends(self, message: str, status: str, at: datetime | None, named: int | None = None) -> None:
        kept = []
        is_update = any(told.id == message and told.kind == "update" for told in self.told)
        for told in self.told:
            if told.id == message:
                next_news_by = moment_of(named) if named is not None else None
                told = Told(told.id, told.kind, status, told.position, told.cause, at=at, next_news_by=next_news_by)
            elif is_update and told.kind == "update" and told.status != "planned" and status == "sent":
                continue  # of updates the last will do
            kept.append(told)
        self.told = kept

    # -- what is known at a moment ------------------------------------------------------------------------------------

    def _history(self, now: int) -> History:
        story = self.story
        facts = (*self.facts, self.planned) if self.planned is not None else tuple(self.facts)
        status = "closed" if not self.open else self.paused or self.step
        owed = [self._owed(name, late, now) for name, late in self.said.items()]
        if self.news is not None and self.news.due is not None:
            news, due = self.news, moment_of(self.news.due)
            since = moment_of(news.since)
            owed.append(Owed(f"update/{news.number}", "update", story.accountable, story.customer, "open", since, due))
        return History(
            order=story.order,
            open=self.open,
            status=status,
            holder=self.holder,
            accountable=story.accountable,
            opener=story.opener,
            customer=story.customer,
            facts=facts,
            owed=tuple(owed),
            told=tuple(self.told),
            urgency=story.urgency,
        )

    def _owed(self, name: str, late: Late, now: int) -> Owed:
        state = "met" if late.ended <= now or name in self.asked else "open"
        since, due = moment_of(late.opened), moment_of(late.due)
        return Owed(name, late.kind, late.owner, late.owed_to, state, since, due)
