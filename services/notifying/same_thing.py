"""What was said of the same thing one after the other, where each is told for itself, and what she was told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from services.notifying.anew import told_apart
from services.notifying.apart_kinds import APART, apart_kind, kind_of
from services.notifying.asking import asked_by_her, question_of
from services.notifying.history import Happened, History, moment

#: Of these it makes no difference in which round they were said.
_IN_ANY_ROUND: Final = frozenset({"answer", "asked", "gesture"})

#: By what field one of them is known, where there may be several.
_NAMED_BY: Final = {
    "answer": "question",
    "asked": "question",
    "visit": "visit",
    "decision": "quote",
    "gesture": "gesture",
}


def thread_of(fact: Happened, history: History) -> list[Happened]:
    """What was said of the same thing, in the order in which it happened: of those the last holds.

    Promises about a step are one thing however they are called; a question may be answered in a later round.
    """
    kind = kind_of(fact)
    facts = history.facts if kind in _IN_ANY_ROUND else history.this_round()
    same = [other for other in facts if apart_kind(other) == kind]
    if kind == "promise":
        key = _promise_key(fact, history)
        return [other for other in same if _promise_key(other, history) == key]
    if kind == "asked":
        same = [other for other in same if asked_by_her(other, history)]
    name = _NAMED_BY.get(kind)
    same = [other for other in same if name is None or is_named(other, name, fact)]
    # Asked once more after the answer, it is another question, whatever it is called.
    if kind == "asked":
        return [other for other in same if _answers_before(other, history) == _answers_before(fact, history)]
    if kind == "answer":
        return [other for other in same if question_of(other, history) == question_of(fact, history)]
    return same


def told_before(fact: Happened, history: History) -> Happened | None:
    """What she was told last of the same thing, if that was something else."""
    thread = thread_of(fact, history)
    for other in reversed(thread[: thread.index(fact)] if fact in thread else ()):
        if history.status_of(told_apart(history, other)) == "sent":
            return other if content_of(other) != content_of(fact) else None
    return None


def told_first(fact: Happened, history: History) -> Happened | None:
    """What she was told first of the same thing, before ``fact``."""
    thread = thread_of(fact, history)
    earlier = thread[: thread.index(fact)] if fact in thread else []
    return next((other for other in earlier if history.status_of(told_apart(history, other)) == "sent"), None)


def step_of(promise: Happened, history: History) -> str | None:
    """The step that a promise is about: as it says itself, or as was said when it was made."""
    return said_of_promise(promise, "kind", history)


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


def _answers_before(question: Happened, history: History) -> int:
    return sum(
        other.name == "question.answered"
        and is_named(other, "question", question)
        and other.place_in_time < question.place_in_time
        for other in history.facts
    )


def said_of_promise(promise: Happened, field: str, history: History) -> str | None:
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


def content_of(fact: Happened) -> tuple[Any, ...]:
    """What it says, apart from when and how it was said."""
    data = fact.data
    match kind_of(fact):
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


def is_named(fact: Happened, field: str, like: Happened) -> bool:
    return bool(fact.data.get(field) == like.data.get(field))
