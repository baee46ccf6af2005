"""Whether what is told for itself, beside the milestone that speaks, is worth a message now.

It waits for no milestone and gives way to none: none of these says what another does. One of them is overtaken only by
what says the same thing anew, and by what makes an end of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.notifying.anew import told_apart
from services.notifying.apart_kinds import OUTLIVES_THE_ORDER, apart_kind, kind_of
from services.notifying.asking import addressed_to_her, asked_by_her, question_of
from services.notifying.history import Happened, History, moment
from services.notifying.records import SuppressReason
from services.notifying.same_thing import content_of, is_named, said_of_promise, step_of, thread_of

#: These leave at once: what is in them she knows when the next fact is weighed.
_AT_ONCE: Final = frozenset({"opened", "reopened"})

#: The steps that all of the repair waits for. When it goes on from one link to the next is theirs to know.
_STEPS_OF_HERS: Final = frozenset({"diagnose", "repair", "return", "cover"})

_WORK_ENDS: Final = frozenset({"repair.completed", "repair.failed", "unit.replaced", "item.returned"})

#: What ends a promise about a step, whoever does it.
_ENDS_STEP: Final[dict[str, frozenset[str]]] = {
    "forward": frozenset({"item.handed_over", "item.returned"}),
    "diagnose": _WORK_ENDS | {"diagnosis.made", "quote.offered", "part.ordered", "repair.started"},
    "repair": _WORK_ENDS,
    "return": frozenset({"item.returned"}),
    "cover": frozenset({"cover.decided"}),
}

#: What keeps a promise about no step in particular, if it is done by whoever made it (as in lanes.sql).
_KEEPS: Final = _WORK_ENDS | {
    "item.handed_over",
    "diagnosis.made",
    "quote.offered",
    "part.arrived",
    "cover.decided",
    "question.answered",
    "visit.done",
    "gesture.given",
}


def apart_speaks(fact: Happened, history: History, now: datetime) -> SuppressReason | None:
    """None if ``fact``, one that has an ``apart_kind``, is worth a message of its own now, otherwise why it is not."""
    kind = kind_of(fact)
    if not is_hers(fact, history):
        return "not_hers"
    if kind not in OUTLIVES_THE_ORDER and not history.open:
        return "closed"
    thread = thread_of(fact, history)
    if fact not in thread or _is_over(fact, kind, history, now):
        return "overtaken"
    place, content = thread.index(fact), content_of(fact)
    if any(content_of(other) != content for other in thread[place + 1 :]):
        return "overtaken"
    for other in reversed(thread[:place]):
        if content_of(other) != content:
            break
        if history.status_of(told_apart(history, other)) in ("planned", "sent"):
            return "overtaken"  # said again
    return "overtaken" if _was_read_before(fact, history) else None


def answer_to_tell(question: Happened, history: History, now: datetime) -> Happened | None:
    """The answer to ``question`` that came before it did, when nobody could know whose question that was; None if there
    is none, or she has it."""
    for fact in history.facts:
        if fact.name == "question.answered" and fact.position < question.position:
            untold = history.status_of(told_apart(history, fact)) is None
            if question_of(fact, history) == question and untold and apart_speaks(fact, history, now) is None:
                return fact
    return None


def still_said(wrong: Happened, history: History) -> bool:
    """Whether what ``wrong`` said, which was taken back, somebody has said besides, and that stands."""
    return apart_kind(wrong) is not None and any(
        content_of(fact) == content_of(wrong) for fact in thread_of(wrong, history)
    )


def left_to_tell(correction: Happened, history: History, now: datetime) -> Happened | None:
    """What was not told because of what ``correction`` took back, and is to be told now; None if there is nothing."""
    taken_back = (correction.data.get("fact_source") or correction.source, correction.data.get("fact_id"))
    wrong = next((fact for fact in history.voided if (fact.source, fact.id) == taken_back), None)
    if wrong is None or apart_kind(wrong) is None:
        return None
    for fact in thread_of(wrong, history):
        untold = fact.position < correction.position and history.status_of(told_apart(history, fact)) is None
        if untold and apart_speaks(fact, history, now) is None:
            return fact
    return None


def will_be_told(history: History, after: Happened, now: datetime) -> bool:
    """Whether one of these, recorded ``after`` that fact and so not weighed yet, is sure to speak."""
    return any(
        apart_kind(fact) is not None
        and fact.position > after.position
        and history.status_of(told_apart(history, fact)) is None
        and apart_speaks(fact, history, now) is None
        for fact in history.facts
    )


def is_hers(fact: Happened, history: History) -> bool:
    """Whether it is said to her, or of what is hers."""
    match kind_of(fact):
        case "answer":
            question = question_of(fact, history)
            return question is not None and asked_by_her(question, history)
        case "asked":
            return asked_by_her(fact, history)
        case "promise":
            kind, to = step_of(fact, history), said_of_promise(fact, "to", history)
            if kind in _STEPS_OF_HERS or addressed_to_her({"to": to}):
                return True
            return kind is None and to in (None, history.accountable) and fact.source == history.holder
    return True


def is_answered(question: Happened, history: History) -> bool:
    """Whether there is an answer to ``question``."""
    return any(other.name == "question.answered" and question_of(other, history) == question for other in history.facts)


def _was_read_before(fact: Happened, history: History) -> bool:
    """Whether she has read the same of somebody who took it back, and has not been told so: for it stands."""
    wrong = (
        each for each in history.voided if apart_kind(each) == apart_kind(fact) and content_of(each) == content_of(fact)
    )
    read = {told_apart(history, each) for each in wrong if fact in thread_of(each, history)}
    return any(told.id in read and told.status == "sent" for told in history.told) and not any(
        read & set(told.corrects) for told in history.told
    )


def _is_over(fact: Happened, kind: str, history: History, now: datetime) -> bool:
    if kind == "asked":
        return is_answered(fact, history) or _has_read_of(fact, history)
    if kind == "gesture":
        given = (other for other in history.facts if other.name == "gesture.given")
        return any(_offer_of(other, history) == fact for other in given)
    later = [other for other in history.this_round() if other.place_in_time > fact.place_in_time]
    if kind == "promise":
        if moment(fact.data["by_when"]) <= now:
            return True
        step = step_of(fact, history)
        if step is not None:
            return any(other.name in _ENDS_STEP.get(step, ()) for other in later)
        return any(other.name in _KEEPS and other.source == fact.source for other in later)
    if kind == "decision":
        return any(other.name in _WORK_ENDS for other in later)
    if kind == "visit":
        # Whoever was to come and says that it is repaired has been there.
        return moment(fact.data["until"]) <= now or any(
            (other.name, other.data.get("visit")) == ("visit.done", fact.data.get("visit"))
            or (other.name == "repair.completed" and other.source == fact.source)
            for other in later
        )
    return False


def _offer_of(given: Happened, history: History) -> Happened | None:
    """What ``given`` had been offered as: a name may be used again for the next gesture."""
    offered = [fact for fact in history.facts if apart_kind(fact) == "gesture" and is_named(fact, "gesture", given)]
    before = [fact for fact in offered if fact.place_in_time <= given.place_in_time]
    return before[-1] if before else next(iter(offered), None)


def _has_read_of(question: Happened, history: History) -> bool:
    """Whether a letter that was written after her question came says by when she has the answer, as nearly all do."""
    return any(
        told.position > question.position
        and told.kind not in ("answer", "asked")
        and (told.status == "sent" or (told.status == "planned" and told.kind in _AT_ONCE))
        and not _crossed(told.id, question, history)
        for told in history.told
    )


def _crossed(message: str, question: Happened, history: History) -> bool:
    """Whether the ``message`` was being written when her question came: then it says nothing of it."""
    plans = (fact for fact in history.facts if fact.name == "message.planned" and fact.data.get("message") == message)
    return any(plan.at < question.at for plan in plans)
