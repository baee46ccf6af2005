"""Which fact of an order speaks to the customer now. Of many that came at once only the latest does.

Two rules keep us from saying nothing at all where each of two messages waits for the other: a milestone (opened,
received, quote, repaired, failed, ready) never gives way to a commitment that fell overdue, and an overdue one gives
way only to a milestone that is sure to speak. In doubt we rather speak twice than not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.chain import MessageKind
from services.notifying.history import Happened, History
from services.notifying.records import Ending, Policy, SuppressReason, message_id

_ENDINGS: Final[dict[str, Ending]] = {
    "repair.completed": "repaired",
    "repair.failed": "failed",
    "unit.replaced": "replaced",
    "quote.declined": "declined",
}
#: After these the work goes on, whatever ended it before.
_WORK_GOES_ON: Final = frozenset({"repair.started", "quote.accepted", "diagnosis.made", "quote.offered"})

#: These ask her something: mere progress does not drown the question.
_ASKING: Final = frozenset({"quote", "failed"})

MILESTONES: Final = frozenset({"order.opened", "item.received", "quote.offered", "repair.completed", "repair.failed"})
OVERDUE: Final = "commitment.overdue"


@dataclass(frozen=True)
class Milestone:
    """A fact that is news, and the kind of message that tells it."""

    fact: Happened
    kind: MessageKind


def told_as(history: History, milestone: Milestone) -> str:
    """The id of the message that tells ``milestone``."""
    return message_id(history.order, milestone.fact.source, milestone.fact.id, milestone.kind)


def ending_before(history: History, moment: Happened | None, item: str | None) -> Ending | None:
    """How the work on ``item`` had ended when ``moment`` happened (None: by now), or None if it was still to do."""
    ending: Ending | None = None
    for fact in history.this_round():
        if moment is not None and fact.place_in_time >= moment.place_in_time:
            break
        if fact.item is not None and item is not None and fact.item != item:
            continue
        if fact.name in _WORK_GOES_ON:
            ending = None
        ending = _ENDINGS.get(fact.name, ending)
    return ending


def open_quote(history: History) -> Happened | None:
    """The latest price that she was asked about and has not answered."""
    asked: Happened | None = None
    for fact in history.this_round():
        if fact.name == "quote.offered":
            asked = fact
        elif asked is not None and fact.name in ("quote.accepted", "quote.declined"):
            if fact.data.get("quote") in (None, asked.data.get("quote")):
                asked = None
        elif fact.name in ("repair.started", "repair.completed", "repair.failed", "unit.replaced"):
            asked = None  # whoever began the work was told yes
    return asked


def _kind_of(fact: Happened, history: History, asked: Happened | None) -> MessageKind | None:
    match fact.name:
        case "order.opened":
            return "opened"
        case "item.received":
            return _kind_of_receipt(fact, history)
        case "quote.offered":
            return "quote" if asked is fact else None
        case "repair.completed":
            return "repaired"
        case "repair.failed":
            return "failed"
    return None


def _kind_of_receipt(fact: Happened, history: History) -> MessageKind | None:
    before = history.custody_before(fact)
    if before is None and fact.source in (history.opener, history.accountable):
        return None  # taking it in is part of opening the order
    if before is not None and before.name == "item.received" and before.source == fact.source:
        return None  # said again
    if fact.source == history.accountable and ending_before(history, fact, fact.item) is not None:
        return "ready"
    return "received"


def milestone(history: History, not_before: datetime) -> Milestone | None:
    """The milestone that speaks for the order: the latest, unless it is progress and a question is not told yet.

    What happened before ``not_before`` is past news and does not speak.
    """
    asked = open_quote(history)
    found = [Milestone(fact, kind) for fact in history.this_round() if (kind := _kind_of(fact, history, asked))]
    if not found or found[-1].fact.at < not_before:
        return None
    latest = found[-1]
    if latest.kind == "received":
        for earlier in reversed(found[:-1]):
            if earlier.fact.at >= not_before and _asks_still(earlier, history):
                return earlier
    return latest


def _asks_still(asking: Milestone, history: History) -> bool:
    if asking.kind not in _ASKING or history.status_of(told_as(history, asking)) not in (None, "planned"):
        return False
    return asking.kind == "quote" or ending_before(history, None, asking.fact.item) == "failed"


def overdue_speaks(
    trigger: Happened, kind: MessageKind, history: History, policy: Policy, now: datetime
) -> SuppressReason | None:
    """None if the overdue commitment is worth a message now, otherwise why it is not."""
    owed = history.commitment(str(trigger.data.get("commitment")))
    if owed is None or owed.state != "open":
        return "met"
    if kind == "overdue" and _arrived_somewhere(history, owed.since):
        return "met"
    speaking = milestone(history, now - policy.stale_after)
    if speaking is not None:
        status = history.status_of(told_as(history, speaking))
        will_speak = status == "planned" or (status is None and speaking.fact.position > history.last_planned)
        if will_speak or (status is not None and speaking.fact.place_in_time > trigger.place_in_time):
            return "overtaken"
    if kind == "update" and history.pending:
        return "overtaken"
    for other in history.facts:
        if other.name != OVERDUE or other == trigger or overdue_kind(other) != "overdue":
            continue
        if kind == "overdue" and other.place_in_time < trigger.place_in_time:
            continue
        owed = history.commitment(str(other.data.get("commitment")))
        told = history.status_of(message_id(history.order, other.source, other.id, "overdue"))
        will_speak = told == "planned" or (told is None and other.position > history.last_planned)
        if owed is not None and owed.state == "open" and will_speak:
            return "overtaken"
    return None


#: What nobody can say of a thing that is still under way.
_AT_HAND: Final = frozenset(
    {
        "item.received",
        "diagnosis.made",
        "quote.offered",
        "repair.started",
        "repair.completed",
        "repair.failed",
        "unit.replaced",
    }
)


def _arrived_somewhere(history: History, handed_at: datetime | None) -> bool:
    """Whether somebody has had it in hand since, though whoever it was sent to never said that it came in.

    The receipt is still owed, and its party is reminded; but the customer must not hear of a parcel gone astray.
    """
    return handed_at is not None and any(
        fact.name in _AT_HAND and fact.place_in_time[0] > handed_at for fact in history.facts
    )


def overdue_kind(trigger: Happened) -> MessageKind | None:
    """``overdue`` for an item that did not arrive, ``update`` where she should have heard from us."""
    match trigger.data.get("kind"):
        case "receipt":
            return "overdue"
        case "news":
            return "update"
    return None
