"""Questions either way: what the chain wants to know from her, what she asked, and whether the work waits for her."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from events.party import ROLES, role_of
from services.notifying.history import Happened, History

WAITING: Final = "waiting_for_customer"


def addressed_to_her(question: Mapping[str, Any]) -> bool:
    """Whether a question with these data is one to the customer."""
    to = str(question.get("to") or "")
    return to == "customer" or role_of(to) == "customer"


def asked_by_her(question: Happened, history: History) -> bool:
    """Whether it is a question of hers, as the read models have it (commitments.py).

    She says so herself, or whoever is to answer it does: nobody else puts a question to himself.
    """
    if addressed_to_her(question.data):
        return False
    to = str(question.data.get("to") or "")
    return role_of(question.source) == "customer" or question.source == (
        to if role_of(to) in ROLES else history.accountable
    )


def may_be_hers(question: Mapping[str, Any], source: str) -> bool:
    """Whether a question with these data may be one of hers, by what it says itself: the order's history tells."""
    to = str(question.get("to") or "")
    return not addressed_to_her(question) and (
        role_of(source) == "customer" or source == to or role_of(to) not in ROLES
    )


def question_of(answer: Happened, history: History) -> Happened | None:
    """The question that ``answer`` answers: the last of that name before it, or the first where all came later."""
    asked = [
        fact
        for fact in history.facts
        if fact.name == "question.asked" and fact.data.get("question") == answer.data.get("question")
    ]
    before = [fact for fact in asked if fact.place_in_time <= answer.place_in_time]
    return before[-1] if before else next(iter(asked), None)


def open_questions(history: History) -> tuple[Happened, ...]:
    """The questions to her that nobody has answered, in the order in which they were asked."""
    asked: list[Happened] = []
    for fact in history.this_round():
        if fact.name == "question.asked" and addressed_to_her(fact.data):
            asked.append(fact)
        elif fact.name == "question.answered":
            asked = [question for question in asked if question.data.get("question") != fact.data.get("question")]
    return tuple(asked)


def pause_for_her(history: History) -> Happened | None:
    """The word that the work waits for her, if it still does.

    An answer ends the wait, even if nobody says that the work goes on. Said again, a pause is no other pause.
    """
    if history.status != WAITING:
        return None
    pause: Happened | None = None
    for fact in history.this_round():
        if fact.name == "work.paused":
            waits = fact.data.get("waiting_for") == "customer"
            pause = (pause or fact) if waits else None
        elif fact.name in ("work.resumed", "question.answered", "quote.accepted", "quote.declined"):
            pause = None
    return pause
