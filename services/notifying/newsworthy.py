"""Which fact of an order speaks to the customer now. Of many that came at once only the latest does.

A milestone (opened, received, quote, question, repaired, failed, ready, closed, reopened) never gives way to a
commitment that fell overdue (overdue.py), nor to what is told for itself (apart.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.chain import MessageKind
from services.notifying.asking import open_questions, pause_for_her
from services.notifying.history import Happened, History
from services.notifying.records import Ending, message_id
from services.notifying.several import given_back, item_names, still_out

_ENDINGS: Final[dict[str, Ending]] = {
    "repair.completed": "repaired",
    "repair.failed": "failed",
    "unit.replaced": "replaced",
    "quote.declined": "declined",
}
_VISITS: Final = frozenset({"visit.scheduled", "visit.done"})
#: Whoever came once more has done something, whether it is said to be mended or not.
_ENDED_AT_HOME: Final = frozenset(_ENDINGS) | {"visit.done"}
#: After these the work goes on, whatever ended it before.
_WORK_GOES_ON: Final = frozenset({"repair.started", "quote.accepted", "diagnosis.made", "quote.offered"})

#: These ask her something: mere progress does not drown the question.
_ASKING: Final = frozenset({"quote", "question", "failed"})

#: These give way to them.
_GIVE_WAY: Final = frozenset({"received", "ready"})

#: The ends of an order that a message about the item may have told already.
_SAME_END: Final[dict[str, Ending]] = {"repaired": "repaired", "replaced": "replaced", "declined": "declined"}

#: Whoever has read one of these knows that it seemed done.
_TELLS_THE_END: Final = frozenset({"closed", "repaired", "ready", "check"})

#: An order that ends so gives her what she brought, whatever had been done to it.
GIVEN_BACK: Final = frozenset({"cancelled", "declined", "unrepairable"})

MILESTONES: Final = frozenset(
    {
        "order.opened",
        "order.closed",
        "order.reopened",
        "item.received",
        "quote.offered",
        "question.asked",
        "work.paused",
        "repair.completed",
        "repair.failed",
    }
)


@dataclass(frozen=True)
class Milestone:
    """A fact that is news, and the kind of message that tells it."""

    fact: Happened
    kind: MessageKind


def told_as(history: History, milestone: Milestone) -> str:
    """The id of the message that tells ``milestone``: that of the fact it says anew, unless that was taken back."""
    fact, origin = milestone.fact, history.origin(milestone.fact)
    told = message_id(history.named_by(origin), origin.source, origin.id, milestone.kind)
    if any(told in other.corrects and other.status in ("planned", "sent") for other in history.told):
        return message_id(history.named_by(fact), fact.source, fact.id, milestone.kind)
    return told


def ending_before(history: History, moment: Happened | None, item: str | None) -> Ending | None:
    """How the work on ``item`` had ended when ``moment`` happened (None: by now), or None if it was still to do."""
    ending: Ending | None = None
    one_of_several = item is not None and len(item_names(history)) > 1
    for fact in history.this_round():
        if moment is not None and fact.place_in_time >= moment.place_in_time:
            break
        if fact.item is not None and item is not None and fact.item != item:
            continue
        if one_of_several and fact.item is None and ending in ("repaired", "replaced"):
            continue  # a price says not for which of them it is; not for one that is done
        if fact.name in _WORK_GOES_ON:
            ending = None
        ending = _ENDINGS.get(fact.name, ending)
    return ending


def ending_of(history: History, item: str | None) -> Ending | None:
    """How the work on ``item`` has ended by now; of an order of several things (None) only once it has on each.

    That the last of them could not be repaired is so of the order, too: it is hers to say how it goes on.
    """
    names = item_names(history)
    if item is not None or len(names) < 2:
        return ending_before(history, None, item)
    last = ending_before(history, None, None)
    return last if last == "failed" or all(ending_before(history, None, name) for name in names) else None


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
            return _kind_of_opening(fact, history)
        case "order.reopened":
            return "reopened" if _was_closed_before(fact, history) else None
        case "question.asked":
            return "question" if fact in open_questions(history) else None
        case "work.paused":
            return _kind_of_pause(fact, history, asked)
        case "item.received":
            return _kind_of_receipt(fact, history)
        case "quote.offered":
            return "quote" if asked is fact else None
        case "repair.completed":
            return "repaired"
        case "repair.failed":
            return "failed"
    return None


def _kind_of_opening(fact: Happened, history: History) -> MessageKind | None:
    """A welcome, for her who has heard nothing of the order yet: opened once more, it is no other order."""
    own = told_as(history, Milestone(fact, "opened"))
    others = [told for told in history.told if told.id != own]
    welcomed = any(told.status == "sent" or (told.kind, told.status) == ("opened", "planned") for told in others)
    return None if welcomed else "opened"


def _was_closed_before(fact: Happened, history: History) -> bool:
    turns = [
        other.name
        for other in history.facts
        if other.name in ("order.closed", "order.reopened") and other.place_in_time < fact.place_in_time
    ]
    return turns[-1:] == ["order.closed"]


def end_is_known(history: History, reopened: Happened) -> bool:
    """Whether she has read, of what was before ``reopened``, that the work had ended."""
    earlier = [fact for fact in history.facts if fact.place_in_time < reopened.place_in_time]
    begin = max((place for place, fact in enumerate(earlier) if fact.name == "order.reopened"), default=0)
    causes = {(fact.source, fact.id) for fact in earlier[begin:]}
    return any(told.kind in _TELLS_THE_END and told.cause in causes for told in history.sent)


def _kind_of_pause(fact: Happened, history: History, asked: Happened | None) -> MessageKind | None:
    """The work waits for her: that asks her something, unless something more precise does."""
    if fact != pause_for_her(history) or asked is not None or open_questions(history):
        return None
    return None if ending_before(history, None, None) == "failed" else "question"


def _closing(history: History) -> Milestone | None:
    """The last word, unless she has had it: how the order ended is told once, whoever else closes it."""
    closings = [fact for fact in history.this_round() if fact.name == "order.closed"]
    last = closings[-1] if closings else None
    if last is None or _end_is_told(last, history):
        return None
    speaking = Milestone(last, "closed")
    for earlier in closings[:-1]:
        same = earlier.data.get("outcome") == last.data.get("outcome")
        if same and history.status_of(told_as(history, Milestone(earlier, "closed"))) in ("planned", "sent"):
            return Milestone(earlier, "closed")
    return speaking


def _arrival_after_all(history: History) -> Milestone | None:
    """It came back to us after the order was closed, and she has not got it yet: that is still to be told."""
    facts = history.this_round()
    ends = [place for place, fact in enumerate(facts) if fact.name in ("order.closed", "item.returned")]
    if not ends or facts[ends[-1]].name == "item.returned":
        return None
    arrived = [fact for fact in facts[ends[-1] + 1 :] if fact.name == "item.received"]
    return next((Milestone(fact, "ready") for fact in arrived if _is_hers_to_collect(fact, history)), None)


def _is_hers_to_collect(fact: Happened, history: History) -> bool:
    """Whether what came in is for her to collect: the work has ended, or the order did without any."""
    kind = _kind_of_receipt(fact, history)
    is_ours = kind == "received" and fact.source == history.accountable
    return kind == "ready" or (is_ours and history.outcome in GIVEN_BACK)


def _end_is_told(closing: Happened, history: History) -> bool:
    """Whether she was told, of everything in the order, that it is here for her, ended in this very way."""
    ending = _SAME_END.get(str(closing.data.get("outcome")))
    if ending is None:
        return False
    facts = history.this_round()
    here: set[str | None] = set()
    for told in history.sent:
        cause = history.find(*told.cause)
        if cause is None or cause not in facts or ending_before(history, None, cause.item) != ending:
            continue
        if told.kind == "ready" or (told.kind == "repaired" and cause.source == history.accountable):
            here.add(cause.item)
    opening = next((fact for fact in history.facts if fact.name == "order.opened"), None)
    items = {each.get("item") for each in (opening.data.get("items") or ())} if opening is not None else set()
    return None in here or bool(items and items <= here)


def sent_on(history: History, item: str | None) -> bool:
    """Whether it could not be repaired where it was, and went on to somebody who has not had it before.

    Back along the way that it came is home; on to another is another attempt.
    """
    if ending_before(history, None, item) != "failed":
        return False
    seen = {history.accountable, history.opener}
    failed, onward = False, False
    for fact in history.this_round():
        if fact.item is not None and item is not None and fact.item != item:
            continue
        if fact.name == "repair.failed":
            failed, onward = True, False
            seen.add(fact.source)
        elif fact.name in ("item.handed_over", "item.received"):
            where = str(fact.data.get("to")) if fact.name == "item.handed_over" else fact.source
            onward = failed and where not in seen
            if not failed:
                seen.add(where)
    return onward


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

    What happened before ``not_before`` is past news and does not speak. Of a closed order only its end does, and that
    it came back after all.
    """
    if not history.open:
        speaking = _arrival_after_all(history) or _closing(history)
        return speaking if speaking is not None and speaking.fact.at >= not_before else None
    asked = open_quote(history)
    facts = reversed([fact for fact in history.this_round() if fact.name in MILESTONES])
    found = (Milestone(fact, kind) for fact in facts if (kind := _kind_of(fact, history, asked)))
    latest = next(found, None)
    if latest is None or latest.fact.at < not_before:
        return None
    for earlier in found if latest.kind in _GIVE_WAY else ():
        if earlier.fact.at >= not_before and _asks_still(earlier, history) and _gives_way(latest, earlier, history):
            return earlier
    return latest


def _gives_way(latest: Milestone, asking: Milestone, history: History) -> bool:
    """Progress gives way to a question; so does a "ready" that she has got, to a failure that was reported after it."""
    if latest.kind != "ready":
        return latest.kind == "received"
    ready = next((told for told in history.sent if told.id == told_as(history, latest)), None)
    return ready is not None and asking.kind == "failed" and asking.fact.position > ready.position


def _asks_still(asking: Milestone, history: History) -> bool:
    if asking.kind not in _ASKING or history.status_of(told_as(history, asking)) not in (None, "planned"):
        return False
    if asking.kind != "failed":
        return True
    item = asking.fact.item
    return ending_before(history, None, item) == "failed" and not sent_on(history, item)


def is_at_home(history: History, completed: Happened | None) -> bool:
    """Whether what has not gone from hand to hand is mended at her home; by somebody else than us, it was there."""
    return any(
        fact.name == "visit.scheduled" or (fact.name == "order.opened" and fact.data.get("at_home") is True)
        for fact in history.facts
    ) or (completed is not None and completed.source != history.accountable)


def lies_ready(history: History) -> bool:
    """Whether the work on all of it has ended and it is with us: it is hers to collect."""
    if not history.open or history.holder != history.accountable or history.status in ("in_transit", "returned"):
        return False
    if ending_of(history, None) in (None, "failed") or open_quote(history) is not None:
        return False
    completed = (fact for fact in reversed(history.this_round()) if fact.name == "repair.completed")
    return history.has_travelled or not is_at_home(history, next(completed, None))


def has_it_back(history: History) -> bool:
    """Whether all that she gave us is with her again, though nobody has closed the order."""
    several = len(item_names(history)) > 1 and not (given_back(history) and not still_out(history))
    return history.open and history.status == "returned" and not several


def is_done_at_home(history: History) -> bool:
    """Whether the work on all of it has ended where she has it, by somebody who came there: nobody brings it back."""
    return history.open and _has_ended_at_home(history)


def _has_ended_at_home(history: History) -> bool:
    return (
        not history.has_travelled
        and ending_of(history, None) not in (None, "failed")
        and open_quote(history) is None
        and is_at_home(history, None)
        and not _comes_again(history)
    )


def _comes_again(history: History) -> bool:
    """Whether another visit was agreed on since the work ended, and nobody has come yet."""
    last = [fact.name for fact in history.this_round() if fact.name in _ENDINGS or fact.name in _VISITS]
    return last[-1:] == ["visit.scheduled"]


def is_left_in_peace(history: History) -> bool:
    """She has it, and was asked whether all is well: from here on it is her turn, and the shop's to close."""
    if not (has_it_back(history) or is_done_at_home(history)):
        return False
    return _is_asked_since(history, frozenset({"item.returned"}) if has_it_back(history) else _ENDED_AT_HOME)


def was_asked_at_home(history: History) -> bool:
    """Whether she has what was mended at her home, and was asked whether all is well, before the close or after it."""
    return _has_ended_at_home(history) and _is_asked_since(history, _ENDED_AT_HOME)


def _is_asked_since(history: History, ends: frozenset[str]) -> bool:
    done = max((fact.at for fact in history.this_round() if fact.name in ends), default=None)
    asked = (told.at for told in history.sent if told.kind in ("update", "check") and told.at is not None)
    return done is not None and any(at > done for at in asked)


def has_written_since(history: History) -> bool:
    """Whether she has got in touch since the work ended."""
    done = max((fact.place_in_time for fact in history.this_round() if fact.name in _ENDINGS), default=None)
    return done is not None and any(
        fact.name == "customer.contacted" and fact.data.get("direction") == "inbound" and fact.place_in_time > done
        for fact in history.facts
    )


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


def arrived_since(history: History, handed_at: datetime | None) -> bool:
    """Whether somebody has had it in hand since, though whoever it was sent to never said that it came in.

    The receipt is still owed, and its party is reminded; but the customer must not hear of a parcel gone astray.
    """
    if handed_at is None:
        return False
    sent = handover_at(history, handed_at)
    since = [fact for fact in history.facts if fact.name in _AT_HAND and fact.place_in_time[0] > handed_at]
    if sent is None or sent.item is None:
        return bool(since)
    return any(fact.item == sent.item or (fact.item is None and fact.source == sent.data.get("to")) for fact in since)


def handover_at(history: History, handed_at: datetime) -> Happened | None:
    """What was handed over then, the last of several."""
    return next(
        (fact for fact in reversed(history.facts) if fact.name == "item.handed_over" and fact.at == handed_at), None
    )
