"""What a message of one kind says that no other does: a price, an answer, a decision, a promise, a visit, the cover."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from events.chain import commitment_id
from services.notifying.asking import question_of
from services.notifying.history import Happened, History, Owed, moment
from services.notifying.records import Answer, Cover, Decision, Promised, Question, Quote, Visit
from services.notifying.said import words_of
from services.notifying.same_thing import step_of, told_before, told_first


def quote_of(asked: Happened) -> Quote | None:
    """The price that was named; None where it cannot be read."""
    try:
        amount = Decimal(str(asked.data["amount"]))
    except (KeyError, InvalidOperation):
        return None
    until = asked.data.get("valid_until")
    return Quote(
        id=str(asked.data.get("quote")),
        amount=amount,
        currency=str(asked.data.get("currency") or "EUR"),
        valid_until=moment(until) if until else None,
        description=words_of(asked.data.get("description")),
    )


def quote_before(asked: Happened, history: History) -> Quote | None:
    """The price that she was told last before it, if that was for the same and another one."""
    causes = {told.cause for told in history.sent if told.kind == "quote"}
    before = [
        fact
        for fact in history.this_round()
        if fact.place_in_time < asked.place_in_time and fact.item == asked.item and (fact.source, fact.id) in causes
    ]
    last, now = quote_of(before[-1]) if before else None, quote_of(asked)
    if last is None or now is None or last.currency != now.currency or last.amount == now.amount:
        return None
    return last


def is_complaint(owed: Owed, history: History) -> bool:
    """Whether it is the answer to her word that all is not well."""
    said = (fact.at for fact in history.facts if fact.name == "feedback.given")
    return owed.kind == "answer" and owed.opened_at in said


def answer_of(answer: Happened, history: History) -> Answer | None:
    """What was answered, if there is anything in it."""
    text, question = words_of(answer.data.get("text")), question_of(answer, history)
    asked = words_of(question.data.get("text")) if question is not None else None
    return Answer(text, asked, _answer_was_due(question, answer, history)) if text else None


def _answer_was_due(question: Happened | None, answer: Happened, history: History) -> datetime | None:
    """When the answer was due, if it came later than that."""
    if question is None:
        return None
    owed = _answer_owed(question, history)
    return owed.due_at if owed is not None and owed.due_at is not None and owed.due_at < answer.at else None


def her_question(asked: Happened, history: History, now: datetime) -> Question:
    """Her question, and by when she has the answer, if that is still to come."""
    owed = _answer_owed(asked, history)
    due = owed.due_at if owed is not None and owed.state == "open" else None
    return Question(words_of(asked.data.get("text")), due if due is not None and due > now else None)


def _answer_owed(question: Happened, history: History) -> Owed | None:
    return history.commitment(commitment_id("answer", history.named_by(question), question.source, question.id))


def decision_of(said: Happened, history: History) -> Decision:
    """Her yes or no, with the price that it is about: the last one before it, if it names none."""
    offers = [
        fact
        for fact in history.facts
        if fact.name == "quote.offered"
        and fact.place_in_time < said.place_in_time
        and said.data.get("quote") in (None, fact.data.get("quote"))
    ]
    quote = quote_of(offers[-1]) if offers else None
    lapsed = quote is not None and quote.valid_until is not None and quote.valid_until < said.at
    return Decision(said.name == "quote.accepted", quote, lapsed)


def promised_by(promise: Happened, history: History) -> Promised:
    """The date, and the one that she has heard before. What is promised is said when it is made, why when it moves."""
    before, first = told_before(promise, history), told_first(promise, history)
    made = next(
        (
            fact
            for fact in reversed(history.facts)
            if (fact.name, fact.source) == ("promise.made", promise.source)
            and fact.data.get("promise") == promise.data.get("promise")
            and fact.place_in_time <= promise.place_in_time
        ),
        None,
    )
    return Promised(
        by=moment(promise.data["by_when"]),
        before=moment(before.data["by_when"]) if before is not None else None,
        first=moment(first.data["by_when"]) if first is not None and first != before else None,
        kind=step_of(promise, history),
        what=words_of(made.data.get("what")) if made is not None else None,
        reason=words_of(promise.data.get("reason")),
    )


def visit_of(visit: Happened, history: History) -> Visit:
    """The window, and the beginning of the one that she has heard before."""
    before = told_before(visit, history)
    return Visit(
        begin=moment(visit.data["from"]),
        end=moment(visit.data["until"]),
        what=words_of(visit.data.get("what")),
        before=moment(before.data["from"]) if before is not None else None,
    )


def cover_of(decided: Happened, history: History) -> Cover:
    """Who pays, why, and how to appeal; and whether she was told last that it was otherwise."""
    causes = {told.cause for told in history.sent if told.kind == "cover"}
    before = [
        fact
        for fact in history.this_round()
        if fact.place_in_time < decided.place_in_time and (fact.source, fact.id) in causes
    ]
    return Cover(
        decision=str(decided.data.get("decision")),
        cause=words_of(decided.data.get("cause")),
        appeal=words_of(decided.data.get("appeal")),
        changed=bool(before) and before[-1].data.get("decision") != decided.data.get("decision"),
    )
