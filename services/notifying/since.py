"""What happened since she last heard from us, as far as it is hers to know: for the message that breaks a silence."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.notifying.apart_kinds import APART_KINDS
from services.notifying.asking import addressed_to_her
from services.notifying.history import Happened, History, Told, moment
from services.notifying.records import Step, place_of

#: More than this many lines nobody reads; the latest are told.
_MOST: Final = 8

#: The facts that are told, and the field that holds what a partner wrote about it (none: there is nothing to pass on).
TEXTS: Final[dict[str, str | None]] = {
    "item.handed_over": None,
    "item.received": None,
    "diagnosis.made": "summary",
    "quote.accepted": None,
    "quote.declined": None,
    "part.ordered": None,
    "part.arrived": None,
    "part.rejected": None,
    "repair.started": None,
    "unit.replaced": None,
    "work.paused": None,
    "work.resumed": None,
    "visit.scheduled": "what",
    "visit.done": "result",
    "question.answered": None,
    "cover.decided": None,
}
#: These tell of one thing, and nothing of what happened beside it.
_OF_ONE_THING: Final = APART_KINDS | {"question", "check"}
#: These say nothing of a wrong part either, and it is no step on the way that a later one would imply.
_NOT_OF_PARTS: Final = _OF_ONE_THING | {"overdue", "person", "quote"}

#: These say that there is nothing new.
_WITHOUT_NEWS: Final = frozenset({"update", "person", "overdue"})

#: The steps of others about which reminders go out.
_CHASED: Final = frozenset({"receive", "forward", "diagnose", "repair", "part", "cover"})
_OURS: Final = ("message.", "commitment.", "fact.")


def steps_since(history: History, now: datetime) -> tuple[Step, ...]:
    """What happened and she has not been told: what was recorded after the last message that she got was planned.

    What tells of one thing tells nothing of the rest.
    """
    told = _last_told(history, _OF_ONE_THING)
    told_of_parts = _last_told(history, _NOT_OF_PARTS)
    apart = {each.cause for each in history.sent if each.kind in _OF_ONE_THING}
    new = [
        fact
        for fact in history.this_round()
        if fact.position > (told_of_parts if fact.name == "part.rejected" else told)
        and fact.name in TEXTS
        and fact.at <= now
        and (fact.source, fact.id) not in apart
    ]
    steps = [step for fact in new if (step := _step(fact, history)) is not None]
    return tuple(steps[-_MOST:])


def _last_told(history: History, besides: frozenset[str]) -> int:
    """Position of the last message that she got of a kind that is not in ``besides``."""
    return max((each.position for each in history.sent if each.kind not in besides), default=0)


def silences(history: History) -> int:
    """How many letters in a row she has got that had nothing new to tell: since something happened, of those after the
    first, which tells that, the ones about her repair. That an answer to her is late is another matter."""
    last = last_of_others(history)
    sent = [told for told in history.sent if told.position > last]
    silent = {_letter_of(told) for told in sent[1:] if told.kind in _WITHOUT_NEWS and not _is_of_answer(told, history)}
    return len(silent.difference(map(_letter_of, sent[:1])))


def _letter_of(told: Told) -> str:
    return told.letter or told.id


def _is_of_answer(told: Told, history: History) -> bool:
    cause = history.find(*told.cause)
    return told.kind == "overdue" and cause is not None and cause.data.get("kind") == "answer"


def person_announced(history: History) -> bool:
    """Whether she was told, since something last happened, that a person will be in touch."""
    last = last_of_others(history)
    return any(told.kind == "person" and told.position > last for told in history.sent)


def owned_up(history: History) -> bool:
    """Whether she has read since then that nobody was."""
    last = last_of_others(history)
    since = [told for told in history.sent if told.position > last]
    announced = max((told.position for told in since if told.kind == "person"), default=None)
    return announced is not None and any(told.kind == "update" and told.position > announced for told in since)


def chased(history: History) -> tuple[Happened, ...]:
    """When whoever has it was reminded since something last happened; that we remind ourselves is nothing to tell."""
    last = last_of_others(history)
    return tuple(
        fact
        for fact in history.facts
        if fact.position > last
        and fact.name in ("commitment.nudged", "commitment.overdue")
        and fact.data.get("kind") in _CHASED
        and fact.data.get("owed_by") != history.accountable
        and "owner" in (fact.data.get("tell") or ("owner",))
    )


def last_of_others(history: History) -> int:
    """Position of the last fact that is not of our own making."""
    return max((fact.position for fact in history.facts if not fact.name.startswith(_OURS)), default=0)


def last_fact_at(history: History) -> datetime | None:
    """When something last happened that is news; what she said herself is none."""
    return max((fact.at for fact in history.facts if not (fact.name.startswith(_OURS) or _is_hers(fact))), default=None)


def _is_hers(fact: Happened) -> bool:
    if fact.name == "question.asked":
        return not addressed_to_her(fact.data)
    return fact.name == "feedback.given" or (
        fact.name == "customer.contacted" and fact.data.get("direction") == "inbound"
    )


def _step(fact: Happened, history: History) -> Step | None:
    field, word = TEXTS[fact.name], None
    text = str(fact.data[field]) if field is not None and fact.data.get(field) else None
    match fact.name:
        case "item.handed_over":
            word = "us" if fact.data.get("to") == history.accountable else None
        case "item.received":
            before = history.custody_before(fact)
            if before is None or (before.name, before.source) == ("item.received", fact.source):
                return None  # it has been there all the time
            word = place_of(fact.source, history.accountable)
        case "work.paused":
            word = str(fact.data.get("waiting_for"))
        case "cover.decided":
            word = str(fact.data.get("decision"))
        case "question.answered":
            asked = [other for other in history.facts if other.name == "question.asked" and _answers(fact, other)]
            if not asked or not addressed_to_her(asked[-1].data):
                return None
    return Step(
        name=fact.name,
        at=fact.at,
        word=word,
        text=text,
        item=fact.item,
        begin=_moment(fact, "from") if fact.name == "visit.scheduled" else None,
        end=_moment(fact, "until") or _moment(fact, "expected_by"),
    )


def _answers(answer: Happened, question: Happened) -> bool:
    return answer.data.get("question") == question.data.get("question")


def _moment(fact: Happened, field: str) -> datetime | None:
    return moment(fact.data[field]) if fact.data.get(field) else None
