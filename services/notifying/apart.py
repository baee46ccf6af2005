"""What is told each for itself, beside the milestone that speaks: an answer to her, a date, a visit, who pays, a
gesture, and that her yes or no to a price, or a question of hers, has come.

These wait for no milestone and give way to none: none of them says what another does. One of them is overtaken only by
what says the same thing anew, and by what makes an end of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from events.chain import MessageKind
from services.notifying.asking import addressed_to_her, asked_by_her, question_of
from services.notifying.history import Happened, History, moment
from services.notifying.records import SuppressReason, message_id

APART: Final[dict[str, MessageKind]] = {
    "question.answered": "answer",
    "promise.made": "promise",
    "promise.moved": "promise",
    "visit.scheduled": "visit",
    "cover.decided": "cover",
    "quote.accepted": "decision",
    "quote.declined": "decision",
    "gesture.offered": "gesture",
}
APART_KINDS: Final = frozenset({*APART.values(), "asked"})

#: What she asked, who pays, and what is offered to make up for it, is hers to know also when the order is closed.
OUTLIVES_THE_ORDER: Final = frozenset({"answer", "asked", "cover", "gesture"})

#: Of these it makes no difference in which round they were said.
_IN_ANY_ROUND: Final = frozenset({"answer", "asked", "gesture"})

#: No letter about something else says what is in these.
_TOLD_NOWHERE_ELSE: Final = frozenset({"answer", "gesture"})

#: By what field one of them is known, where there may be several.
_NAMED_BY: Final = {
    "answer": "question",
    "asked": "question",
    "visit": "visit",
    "decision": "quote",
    "gesture": "gesture",
}

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


def apart_kind(fact: Happened) -> MessageKind | None:
    """The kind of message that tells ``fact`` for itself, or None: a question to her, for one, is a milestone."""
    if fact.name == "question.asked":
        return None if addressed_to_her(fact.data) else "asked"
    return APART.get(fact.name)


def apart_speaks(fact: Happened, history: History, now: datetime) -> SuppressReason | None:
    """None if ``fact``, one that has an ``apart_kind``, is worth a message of its own now, otherwise why it is not."""
    kind = _kind(fact)
    if not is_hers(fact, history):
        return "not_hers"
    if kind not in OUTLIVES_THE_ORDER and not history.open:
        return "closed"
    thread = thread_of(fact, history)
    if fact not in thread or _is_over(fact, kind, history, now):
        return "overtaken"
    place, content = thread.index(fact), _content(fact)
    if any(_content(other) != content for other in thread[place + 1 :]):
        return "overtaken"
    for other in reversed(thread[:place]):
        if _content(other) != content:
            break
        if history.status_of(told_apart(history, other)) in ("planned", "sent"):
            return "overtaken"  # said again
    return "overtaken" if _was_read_before(fact, history) else None


def _was_read_before(fact: Happened, history: History) -> bool:
    """Whether she has read the same of somebody who took it back, and has not been told so: for it stands."""
    wrong = (
        each for each in history.voided if apart_kind(each) == apart_kind(fact) and _content(each) == _content(fact)
    )
    read = {told_apart(history, each) for each in wrong if fact in thread_of(each, history)}
    return any(told.id in read and told.status == "sent" for told in history.told) and not any(
        read & set(told.corrects) for told in history.told
    )


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
        _content(fact) == _content(wrong) for fact in thread_of(wrong, history)
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


def told_apart(history: History, fact: Happened) -> str:
    """The id of the message that tells ``fact``: that of the fact that it says anew, unless that was taken back; where
    it had to be written anew, the last one."""
    kind, origin = _kind(fact), history.origin(fact)
    told = message_id(history.named_by(origin), origin.source, origin.id, kind)
    if any(told in other.corrects and other.status in ("planned", "sent") for other in history.told):
        told = message_id(history.named_by(fact), fact.source, fact.id, kind)
    while kind in _TOLD_NOWHERE_ELSE and history.status_of(anew := _written_anew(told, kind)) is not None:
        told = anew
    return told


def message_to_write(history: History, fact: Happened, now: datetime) -> str | None:
    """The id of the message that is to tell ``fact``; None if there is one already whose words can still be true."""
    told, kind = told_apart(history, fact), _kind(fact)
    if history.status_of(told) is None:
        return told
    return _written_anew(told, kind) if kind in _TOLD_NOWHERE_ELSE and _has_lapsed(history, told, now) else None


def _written_anew(message: str, kind: str) -> str:
    """The id of what takes the place of ``message``, which waited for too long."""
    return message_id(message, "", "anew", kind)


def _has_lapsed(history: History, message: str, now: datetime) -> bool:
    """Whether ``message`` still waits, and the date of further news that it names has passed."""
    return any(
        fact.name == "message.planned"
        and fact.data.get("message") == message
        and fact.data.get("next_news_by") is not None
        and moment(fact.data["next_news_by"]) <= now
        for fact in (history.facts if history.status_of(message) == "planned" else ())
    )


def told_before(fact: Happened, history: History) -> Happened | None:
    """What she was told last of the same thing, if that was something else."""
    thread = thread_of(fact, history)
    for other in reversed(thread[: thread.index(fact)] if fact in thread else ()):
        if history.status_of(told_apart(history, other)) == "sent":
            return other if _content(other) != _content(fact) else None
    return None


def told_first(fact: Happened, history: History) -> Happened | None:
    """What she was told first of the same thing, before ``fact``."""
    thread = thread_of(fact, history)
    earlier = thread[: thread.index(fact)] if fact in thread else []
    return next((other for other in earlier if history.status_of(told_apart(history, other)) == "sent"), None)


def thread_of(fact: Happened, history: History) -> list[Happened]:
    """What was said of the same thing, in the order in which it happened: of those the last holds.

    Promises about a step are one thing however they are called; a question may be answered in a later round.
    """
    kind = _kind(fact)
    facts = history.facts if kind in _IN_ANY_ROUND else history.this_round()
    same = [other for other in facts if apart_kind(other) == kind]
    if kind == "promise":
        key = _promise_key(fact, history)
        return [other for other in same if _promise_key(other, history) == key]
    if kind == "asked":
        same = [other for other in same if asked_by_her(other, history)]
    name = _NAMED_BY.get(kind)
    same = [other for other in same if name is None or _is_named(other, name, fact)]
    # Asked once more after the answer, it is another question, whatever it is called.
    if kind == "asked":
        return [other for other in same if _answers_before(other, history) == _answers_before(fact, history)]
    if kind == "answer":
        return [other for other in same if question_of(other, history) == question_of(fact, history)]
    return same


def _answers_before(question: Happened, history: History) -> int:
    return sum(
        other.name == "question.answered"
        and _is_named(other, "question", question)
        and other.place_in_time < question.place_in_time
        for other in history.facts
    )


def is_hers(fact: Happened, history: History) -> bool:
    """Whether it is said to her, or of what is hers."""
    match _kind(fact):
        case "answer":
            question = question_of(fact, history)
            return question is not None and asked_by_her(question, history)
        case "asked":
            return asked_by_her(fact, history)
        case "promise":
            kind, to = step_of(fact, history), _said(fact, "to", history)
            if kind in _STEPS_OF_HERS or addressed_to_her({"to": to}):
                return True
            return kind is None and to in (None, history.accountable) and fact.source == history.holder
    return True


def step_of(promise: Happened, history: History) -> str | None:
    """The step that a promise is about: as it says itself, or as was said when it was made."""
    return _said(promise, "kind", history)


def date_named(history: History, step: str, now: datetime) -> datetime | None:
    """The date that she was told last for ``step``, if it is still to come."""
    named = [
        fact
        for fact in history.this_round()
        if APART.get(fact.name) == "promise"
        and step_of(fact, history) == step
        and history.status_of(told_apart(history, fact)) == "sent"
    ]
    by = moment(named[-1].data["by_when"]) if named else None
    return by if by is not None and by > now else None


def _said(promise: Happened, field: str, history: History) -> str | None:
    """A field of ``promise``, or of what was said of the same promise before."""
    if promise.data.get(field):
        return str(promise.data[field])
    for other in reversed(history.facts):
        earlier = APART.get(other.name) == "promise" and other.place_in_time < promise.place_in_time
        same = (other.source, other.data.get("promise")) == (promise.source, promise.data.get("promise"))
        if earlier and same and other.data.get(field):
            return str(other.data[field])
    return None


def _promise_key(promise: Happened, history: History) -> tuple[str, str, str]:
    step = step_of(promise, history)
    return (promise.source, "step", step) if step else (promise.source, "promise", str(promise.data.get("promise")))


def _content(fact: Happened) -> tuple[Any, ...]:
    """What it says, apart from when and how it was said."""
    data = fact.data
    match _kind(fact):
        case "answer" | "asked":
            return (" ".join(str(data.get("text") or "").split()),)
        case "gesture":
            return (" ".join(str(data.get("what") or "").split()),)
        case "promise":
            return (moment(data["by_when"]),)
        case "visit":
            return moment(data["from"]), moment(data["until"])
        case "decision":
            return (fact.name,)
    return tuple(data.get(field) for field in ("decision", "cause", "appeal"))


def _kind(fact: Happened) -> MessageKind:
    kind = apart_kind(fact)
    assert kind is not None
    return kind


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
    offered = [fact for fact in history.facts if apart_kind(fact) == "gesture" and _is_named(fact, "gesture", given)]
    before = [fact for fact in offered if fact.place_in_time <= given.place_in_time]
    return before[-1] if before else next(iter(offered), None)


def _is_named(fact: Happened, field: str, like: Happened) -> bool:
    return bool(fact.data.get(field) == like.data.get(field))


def is_answered(question: Happened, history: History) -> bool:
    """Whether there is an answer to ``question``."""
    return any(other.name == "question.answered" and question_of(other, history) == question for other in history.facts)


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
