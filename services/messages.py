"""What the customer hears, as decisions: facts and the present moment come in, a plan or a verdict goes out.

No I/O and no clock in here. Nothing to say is None. A message is decided twice: when its cause is recorded
(``decide_plan``), and again just before it leaves (``decide_delivery``), because the world may have moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.chain import MessageKind
from events.envelope import Event, make_event
from services.notifying.about import news_of
from services.notifying.anew import message_to_write
from services.notifying.apart import answer_to_tell, apart_speaks, left_to_tell
from services.notifying.apart_kinds import APART, APART_KINDS, OUTLIVES_THE_ORDER, apart_kind
from services.notifying.asking import addressed_to_her, may_be_hers
from services.notifying.history import Happened, History, moment
from services.notifying.mistakes import CORRECTION, reopens, taken_back, untrue
from services.notifying.newsworthy import (
    MILESTONES,
    Milestone,
    has_it_back,
    is_done_at_home,
    is_left_in_peace,
    milestone,
    told_as,
)
from services.notifying.overdue import NUDGED, OVERDUE, outlives_the_order, overdue_speaks, speaks_as
from services.notifying.promising import keeps_the_date, missed_visit
from services.notifying.records import (
    Closure,
    MessagePlan,
    MessagePolicy,
    PlannedMessage,
    Send,
    Suppress,
    SuppressReason,
)
from services.notifying.several import left_of_several
from services.notifying.twice import MERGED, is_told_apart, other_numbers

#: The facts that can cause a message.
TRIGGERS = MILESTONES | APART.keys() | {OVERDUE, NUDGED, CORRECTION, MERGED}

#: Who has the last word: these may be told of an order that is closed.
_LAST_WORDS = frozenset({"closed", "corrected", "check"}) | OUTLIVES_THE_ORDER

#: These promise no further news once she has it back: then it is her turn, and the shop's to close.
_MAY_END_IT = frozenset({"update"}) | APART_KINDS


def is_past(trigger: Event, policy: MessagePolicy, now: datetime) -> bool:
    """Whether ``trigger`` happened too long ago to be news; then nobody need look at its order at all."""
    happened = min(trigger.time, trigger.recordedtime or trigger.time)
    return now - happened > policy.stale_after


def concerns_her(trigger: Event | Happened) -> bool:
    """Whether ``trigger`` can be news at all, by what it says itself; else nobody need look at its order."""
    if trigger.name == "question.asked":
        return addressed_to_her(trigger.data) or may_be_hers(trigger.data, trigger.source)
    if trigger.name == NUDGED:
        return trigger.data.get("kind") == "update"
    return trigger.name != "work.paused" or trigger.data.get("waiting_for") == "customer"


def decide_plan(
    trigger: Event,
    timeline: Mapping[str, Any],
    policy: MessagePolicy,
    now: datetime,
    closures: Sequence[Closure] = (),
    promise: datetime | None = None,
    sooner: datetime | None = None,
    away: Sequence[Closure] = (),
) -> MessagePlan | None:
    """The message that ``trigger`` causes, given its order's ``timeline``, or None.

    ``closures`` are those of the accountable party, ``promise`` is the next news that it can promise (without it, that
    of ``policy``), ``sooner`` that while a visit is missed, ``away`` are the closures of whoever has it. The plan may
    be about an earlier fact, where ``trigger`` brought to light what that fact meant (a repair that is reported after
    the item came back).
    """
    if trigger.name not in TRIGGERS or is_past(trigger, policy, now):
        return None
    history, policy = History.of(timeline), policy.under(timeline.get("rules"))
    fact = history.find(trigger.source, trigger.id)
    found = what_to_tell(fact, history, policy, now) if fact is not None else None
    if found is None or history.customer is None:
        return None
    next_news_by = (promise or policy.promise(now, closures)) if found.more_to_come else None
    if next_news_by is not None and sooner is not None and missed_visit(history, now) is not None:
        next_news_by = min(next_news_by, sooner)
    if next_news_by is not None:
        next_news_by = keeps_the_date(found.kind, history.named, next_news_by, now)
    cause, kind = found.cause, found.kind
    return MessagePlan(
        message=found.message,
        order=history.order,
        kind=kind,
        trigger_source=cause.source,
        trigger_id=cause.id,
        accountable=history.accountable,
        opener=history.opener,
        customer=history.customer,
        now=now,
        next_news_by=next_news_by,
        news=news_of(cause, kind, history, now, closures, next_news_by, away),
        parties=history.parties,
        corrects=tuple(told.id for told in taken_back(history)),
    )


@dataclass(frozen=True)
class Found:
    """What is to be told: the ``kind`` of message about ``cause``, its id, and whether she is to hear more after it."""

    cause: Happened
    kind: MessageKind
    message: str
    more_to_come: bool


def what_to_tell(fact: Happened, history: History, policy: MessagePolicy, now: datetime) -> Found | None:
    """The decision of ``decide_plan`` on a fact of TRIGGERS, before it is filled with what the message may say."""
    if history.customer is None:
        return None
    found = _look(fact)(fact, history, policy, now)
    if found is None:
        return None
    cause, kind = found
    message = _message(cause, kind, history, now)
    if message is None:
        return None
    # A closed order owes her no further news, and so promises none; nor does the question whether all is well, unless
    # it is about one of several things and she waits for another.
    is_last = (
        not history.open
        or (kind == "check" and left_of_several(history) is None)
        or (kind in _MAY_END_IT and has_it_back(history))
        or (is_done_at_home(history) and (kind == "update" or (kind in APART_KINDS and is_left_in_peace(history))))
    )
    return Found(cause, kind, message, more_to_come=not is_last)


def _message(cause: Happened, kind: MessageKind, history: History, now: datetime) -> str | None:
    """The id of the message that is to be written about ``cause``; None if it has been."""
    if kind in APART_KINDS:
        return message_to_write(history, cause, now)
    message = told_as(history, Milestone(cause, kind))
    return message if history.status_of(message) is None else None


_Look = Callable[[Happened, History, MessagePolicy, datetime], tuple[Happened, MessageKind] | None]


def _look(fact: Happened) -> _Look:
    if apart_kind(fact) is not None:
        return _for_itself
    if fact.name == MERGED:
        return _entered_twice
    if fact.name == CORRECTION:
        return _put_right
    return _overdue if fact.name in (OVERDUE, NUDGED) else _milestone_to_tell


def _for_itself(
    fact: Happened, history: History, policy: MessagePolicy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    del policy
    kind = apart_kind(fact)
    if kind is None:
        return None
    answer = answer_to_tell(fact, history, now) if kind == "asked" else None
    if answer is not None:
        return answer, "answer"
    return (fact, kind) if apart_speaks(fact, history, now) is None else None


def _put_right(
    fact: Happened, history: History, policy: MessagePolicy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    left = left_to_tell(fact, history, now)
    if left is not None and (kind := apart_kind(left)) is not None:
        return left, kind
    return _milestone_to_tell(fact, history, policy, now)


def _milestone_to_tell(
    fact: Happened, history: History, policy: MessagePolicy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    speaking = milestone(history, now - policy.stale_after)
    if fact.name == CORRECTION:
        owed = taken_back(history, planned=True)
        if not owed and not reopens(fact, history):
            return None  # nobody was told, or she knows by now
        if owed and (speaking is None or history.status_of(told_as(history, speaking)) is not None):
            return fact, "corrected"  # otherwise the news that is still to be told says it, too
    if speaking is None or speaking.fact.position > fact.position:
        return None  # a later one speaks, when its turn comes
    return speaking.fact, speaking.kind


def _entered_twice(
    fact: Happened, history: History, policy: MessagePolicy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    del policy, now
    return (fact, "corrected") if is_told_apart(fact, history) else None


def _overdue(
    fact: Happened, history: History, policy: MessagePolicy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    kind = speaks_as(fact, history, policy)
    if (
        kind is None
        or not (history.open or outlives_the_order(fact, kind, history))
        or overdue_speaks(fact, kind, history, policy, now) is not None
    ):
        return None
    return fact, kind


def decide_delivery(
    message: PlannedMessage, timeline: Mapping[str, Any], policy: MessagePolicy, now: datetime
) -> Send | Suppress:
    """Whether ``message`` is still true and still news, seen against the newest ``timeline`` of its order."""
    history = History.of(timeline).without(message.message)
    reason = objection(message, history, policy, now)
    return Send() if reason is None else Suppress(reason)


def to_tell_anew(
    message: PlannedMessage, timeline: Mapping[str, Any], policy: MessagePolicy, now: datetime
) -> Event | None:
    """The fact that ``message`` tells, if that is still to be told, but the message has waited until the date of
    further news in it passed: then it has to be written anew. None otherwise."""
    history, planned = History.of(timeline), message.planned
    fact = history.find(planned.trigger_source, planned.trigger_id)
    if fact is None or apart_kind(fact) is None or now - fact.at > policy.stale_after:
        return None
    found = what_to_tell(fact, history, policy.under(timeline.get("rules")), now)
    if found is None or found.cause != fact:
        return None
    return make_event(
        fact.name,
        source=fact.source,
        id=fact.id,
        subject=message.order,
        time=fact.at,
        data=dict(fact.data),
    )


def objection(message: PlannedMessage, history: History, policy: MessagePolicy, now: datetime) -> SuppressReason | None:
    """Why ``message`` should not be told any more, given a ``history`` without its plan; or None."""
    planned = message.planned
    fact = history.find(planned.trigger_source, planned.trigger_id)
    if fact is None:
        return "corrected"
    if history.customer is None:
        return "no_customer"
    # That it came back after the close is told, too: such a message was written without a date of further news.
    is_last = message.kind in _LAST_WORDS or (message.kind == "ready" and planned.next_news_by is None)
    if not history.open and not is_last and not outlives_the_order(fact, message.kind, history):
        return "closed"
    if not set(planned.corrects or ()) <= {told.id for told in untrue(history)}:
        return "corrected"  # it takes back what was right after all
    promised = planned.next_news_by
    if now - fact.at > policy.stale_after or (promised is not None and promised <= now):
        return "stale"  # a date of next news that has passed would be a lie on arrival
    if message.kind == "corrected":
        owed = fact.name == MERGED and history.named_by(fact) in other_numbers(history)
        return None if owed or taken_back(history) else "overtaken"
    if message.kind == "quote" and _ran_out(fact, history, message.message, now):
        return "stale"
    if apart_kind(fact) is not None:
        return apart_speaks(fact, history, now)
    if fact.name in (OVERDUE, NUDGED):
        return overdue_speaks(fact, message.kind, history, policy, now)
    speaking = milestone(history, now - policy.stale_after)
    if speaking is None or told_as(history, speaking) != message.message:
        return "overtaken"
    return None


def _ran_out(quote: Happened, history: History, message: str, now: datetime) -> bool:
    """Whether the price held when the message was written, and does not any more."""
    until = moment(quote.data["valid_until"]) if quote.data.get("valid_until") else None
    written = next(
        (fact.at for fact in history.facts if (fact.name, fact.data.get("message")) == ("message.planned", message)),
        None,
    )
    return until is not None and written is not None and written < until <= now
