"""What the customer hears, as decisions: facts and the present moment come in, a plan or a verdict goes out.

No I/O and no clock in here. Nothing to say is None. A message is decided twice: when its cause is recorded
(``decide_plan``), and again just before it leaves (``decide_delivery``), because the world may have moved on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from events.chain import MessageKind
from events.envelope import Event
from services.notifying.about import news_of
from services.notifying.history import Happened, History
from services.notifying.newsworthy import (
    MILESTONES,
    OVERDUE,
    milestone,
    overdue_kind,
    overdue_speaks,
    told_as,
)
from services.notifying.records import (
    Closure,
    MessagePlan,
    PlannedMessage,
    Policy,
    Send,
    Suppress,
    SuppressReason,
    message_id,
)

#: The facts that can cause a message.
TRIGGERS = MILESTONES | {OVERDUE}


def is_past(trigger: Event, policy: Policy, now: datetime) -> bool:
    """Whether ``trigger`` happened too long ago to be news; then nobody need look at its order at all."""
    happened = min(trigger.time, trigger.recordedtime or trigger.time)
    return now - happened > policy.stale_after


def decide_plan(
    trigger: Event, timeline: Mapping[str, Any], policy: Policy, now: datetime, closures: Sequence[Closure] = ()
) -> MessagePlan | None:
    """The message that ``trigger`` causes, given its order's ``timeline``, or None.

    ``closures`` are those of the accountable party. The plan may be about an earlier fact, where ``trigger`` brought
    to light what that fact meant (a repair that is reported after the item came back).
    """
    if trigger.name not in TRIGGERS or is_past(trigger, policy, now):
        return None
    history = History.of(timeline)
    fact = history.find(trigger.source, trigger.id)
    if fact is None or history.customer is None or not history.open:
        return None
    look = _overdue if fact.name == OVERDUE else _milestone_to_tell
    found = look(fact, history, policy, now)
    if found is None:
        return None
    cause, kind = found
    message = message_id(history.order, cause.source, cause.id, kind)
    if history.status_of(message) is not None:
        return None
    next_news_by = policy.promise(now, closures)
    return MessagePlan(
        message=message,
        order=history.order,
        kind=kind,
        trigger_source=cause.source,
        trigger_id=cause.id,
        accountable=history.accountable,
        opener=history.opener,
        customer=history.customer,
        now=now,
        next_news_by=next_news_by,
        news=news_of(cause, kind, history, now, closures, next_news_by),
        parties=history.parties,
    )


def _milestone_to_tell(
    fact: Happened, history: History, policy: Policy, now: datetime
) -> tuple[Happened, MessageKind] | None:
    speaking = milestone(history, now - policy.stale_after)
    if speaking is None or speaking.fact.position > fact.position:
        return None  # a later one speaks, when its turn comes
    return speaking.fact, speaking.kind


def _overdue(fact: Happened, history: History, policy: Policy, now: datetime) -> tuple[Happened, MessageKind] | None:
    kind = overdue_kind(fact)
    if kind is None or overdue_speaks(fact, kind, history, policy, now) is not None:
        return None
    return fact, kind


def decide_delivery(
    message: PlannedMessage, timeline: Mapping[str, Any], policy: Policy, now: datetime
) -> Send | Suppress:
    """Whether ``message`` is still true and still news, seen against the newest ``timeline`` of its order."""
    history = History.of(timeline).without(message.message)
    reason = _against(message, history, policy, now)
    return Send() if reason is None else Suppress(reason)


def _against(message: PlannedMessage, history: History, policy: Policy, now: datetime) -> SuppressReason | None:
    planned = message.planned
    fact = history.find(planned.trigger_source, planned.trigger_id)
    if fact is None:
        return "corrected"
    if history.customer is None:
        return "no_customer"
    if not history.open:
        return "closed"
    promised = planned.next_news_by
    if now - fact.at > policy.stale_after or (promised is not None and promised <= now):
        return "stale"  # a date of next news that has passed would be a lie on arrival
    if fact.name == OVERDUE:
        return overdue_speaks(fact, message.kind, history, policy, now)
    speaking = milestone(history, now - policy.stale_after)
    if speaking is None or told_as(history, speaking) != message.message:
        return "overtaken"
    return None
