"""What a message may say about an order: the facts that matter to the customer, without the names of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from events.chain import MessageKind
from events.party import role_of
from services.notifying.apart import is_answered
from services.notifying.asking import WAITING, asked_by_her, open_questions, pause_for_her
from services.notifying.delays import delay_is_over, delivered_at, expected_by
from services.notifying.history import Happened, History, moment
from services.notifying.mistakes import taken_back
from services.notifying.newsworthy import (
    GIVEN_BACK,
    end_is_known,
    has_written_since,
    is_at_home,
    is_done_at_home,
    open_quote,
)
from services.notifying.particulars import (
    answer_of,
    cover_of,
    decision_of,
    her_question,
    is_complaint,
    promised_by,
    quote_before,
    quote_of,
    visit_of,
)
from services.notifying.promising import missed_visit, visit_ahead
from services.notifying.records import Closure, News, Wrong, place_of
from services.notifying.said import last_said, words_of
from services.notifying.same_thing import date_named
from services.notifying.several import still_out
from services.notifying.since import chased, last_fact_at, owned_up, person_announced, silences, steps_since
from services.notifying.subject import SAYS_WHERE_IT_STANDS, Subject, others_of, product_of, subject_of
from services.notifying.twice import other_numbers

#: Between the end of one closure and the beginning of the next on the following morning nobody opens.
_NIGHT = timedelta(hours=9)

#: Messages that may tell of an arrival that is overdue.
_DELAYS: Final = SAYS_WHERE_IT_STANDS | {"overdue"}

#: Messages that tell where it stands, or what comes next: whether anybody works on it belongs to that.
TELLS_OF_WORK = frozenset({"received", "quote", "decision", "update", "person", "overdue"})

_PLACES_THAT_WE_NAME = frozenset({"workshop", "service_centre"})

_DECIDED = frozenset({"quote.accepted", "repair.started"})


def _joined(closures: Sequence[Closure]) -> list[Closure]:
    """Closures in order, those that touch or overlap as one: only after the last of them somebody is there again."""
    joined: list[Closure] = []
    for start, end in sorted(closures):
        if joined and start <= joined[-1][1] + _NIGHT:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _closed_meanwhile(closures: Sequence[Closure], now: datetime, next_news_by: datetime | None) -> Closure | None:
    """The first of the closures before the next news. A message without its date is not the place for opening days."""
    if next_news_by is None:
        return None
    return next(((start, end) for start, end in _joined(closures) if start < next_news_by and end > now), None)


def news_of(
    cause: Happened,
    kind: MessageKind,
    history: History,
    now: datetime,
    closures: Sequence[Closure],
    next_news_by: datetime | None,
    away: Sequence[Closure] = (),
) -> News:
    """Everything that a message of ``kind`` about ``cause`` may draw on.

    ``closures`` are ours, ``away`` those of whoever has it.
    """
    subject = subject_of(cause, kind, history, now)
    news = replace(_as_it_stands(subject), final=next_news_by is None, named_before=history.named)
    news = _with_the_work(news, subject)
    news = _with_what_is_asked(news, subject)
    news = _with_what_is_late(news, subject)
    news = _with_what_is_ahead(news, subject)
    news = _with_what_was_written(news, subject)
    news = _with_its_cause(news, subject)
    shut = _closed_meanwhile(closures, now, next_news_by)
    gone = _closed_meanwhile(away, now, next_news_by) if _waits_elsewhere(news, subject) else None
    return replace(
        news,
        closed_from=shut[0] if shut else None,
        closed_until=shut[1] if shut else None,
        away_from=gone[0] if gone else None,
        away_until=gone[1] if gone else None,
    )


def _as_it_stands(subject: Subject) -> News:
    """What it is, where it is and whether that is over."""
    history, item, where = subject.history, subject.item, subject.where
    product = product_of(item, history)
    pause, questions = pause_for_her(history), open_questions(history)
    return News(
        status=_status(subject.status, pause, questions),
        brand=product.get("brand"),
        model=product.get("model"),
        description=product.get("description"),
        item=product.get("item"),
        others=others_of(subject.cause, item, history),
        other_numbers=other_numbers(history),
        place=place_of(where, history.accountable),
        heading_to_us=_heading_to(history, item) == history.accountable,
        with_her=where == "customer" and not still_out(history),
        outcome=history.outcome if not history.open else None,
        closed_untold=subject.kind == "reopened" and not end_is_known(history, subject.cause),
    )


def _with_the_work(news: News, subject: Subject) -> News:
    """How the work on it goes or has ended, and where."""
    history, failed, completed = subject.history, subject.failed, subject.completed
    is_over = subject.ending is not None or (not history.open and history.outcome in GIVEN_BACK)
    leaves = not history.open and _heading_to(history, subject.item) not in (None, history.accountable)
    comes_back = is_over and subject.where != "customer" and (subject.where != history.accountable or leaves)
    tells_its_end = completed is not None and not _knows_its_end(subject.kind, history)
    return replace(
        news,
        ending=subject.ending,
        tried=subject.tried,
        decided_to_repair=_decided(history),
        chosen=_has_chosen(history),
        options=tuple(str(option) for option in failed.data.get("options", ())) if failed else (),
        why=words_of(failed.data.get("why")) if failed else None,
        summary=words_of(completed.data.get("summary")) if completed and tells_its_end else None,
        never_left=not history.has_travelled and is_at_home(history, completed),
        at_home=is_done_at_home(history),
        done_there=completed is not None and _visited_for(completed, history),
        comes_home=comes_back and history.has_travelled,
    )


def _with_what_is_asked(news: News, subject: Subject) -> News:
    """What we wait for her to answer, and what she waits for us to answer."""
    history, now = subject.history, subject.now
    pause, questions, asked = pause_for_her(history), open_questions(history), open_quote(history)
    answers = _answers_owed(history)
    return replace(
        news,
        quote=quote_of(asked) if asked is not None else None,
        asked=bool(questions) or pause is not None,
        paused=pause is not None and not questions,
        questions=_questions(questions, pause),
        answer_by=_answer_by(questions, now),
        answer_owed=bool(answers),
        answer_owed_by=_owed_by(answers, now),
        asked_anew=subject.kind != "asked" and _asked_anew(history),
        complained=subject.owed is not None and is_complaint(subject.owed, history),
        written_since=has_written_since(history),
        cover_owed=subject.ending is None
        and any(owed.kind == "cover" and owed.state in ("open", "paused") for owed in history.owed),
    )


def _with_what_is_late(news: News, subject: Subject) -> News:
    """What should have come by now, since when, and what we did about it."""
    history, kind, owed = subject.history, subject.kind, subject.owed
    late = owed if kind in _DELAYS else None
    missed = missed_visit(history, subject.now) if kind in SAYS_WHERE_IT_STANDS else None
    reminders = chased(history)
    return replace(
        news,
        handed_at=late.opened_at if late is not None else None,
        delivered_at=delivered_at(history, late) if late is not None else None,
        due=late.due_at if late is not None else None,
        late=owed.kind if owed is not None and kind == "overdue" else None,
        ours=owed is not None and owed.owner == history.accountable,
        stalled_since=_stalled_since(history, subject.now) if kind in ("update", "person") else None,
        delay_over=delay_is_over(history, kind),
        visit_missed=missed.due_at if missed is not None else None,
        chased=len(reminders),
        chased_at=reminders[-1].at if reminders else None,
        uncalled=kind == "update" and person_announced(history),
        uncalled_still=kind == "update" and owned_up(history),
        call_owed=kind == "overdue" and person_announced(history),
    )


def _with_what_is_ahead(news: News, subject: Subject) -> News:
    """The dates that are known: of a part, of the repair, of a visit, of the question whether all is well."""
    history, now = subject.history, subject.now
    repair_by = date_named(history, "repair", now) if subject.ending is None else None
    expected, ahead = expected_by(history), visit_ahead(history, now)
    passed = expected is not None and expected <= now
    return replace(
        news,
        repair_by=repair_by,
        expected_by=None if passed else expected,
        expected_missed=expected if passed and repair_by is None else None,  # what she was told since goes before it
        visit_ahead=(moment(ahead.data["from"]), moment(ahead.data["until"])) if ahead is not None else None,
        check_at=_to_be_asked(history, now),
        sent_home_by=_to_be_sent_home(history, now),
    )


def _with_what_was_written(news: News, subject: Subject) -> News:
    """What she has read of it, what of that was wrong, and what has happened since."""
    history, now = subject.history, subject.now
    return replace(
        news,
        taken_back=tuple(
            Wrong(told.kind, told.at or now, place_of(told.cause[0], history.accountable))
            for told in taken_back(history)
        ),
        since=steps_since(history, now) if subject.kind in ("update", "corrected") else (),
        silent=silences(history),
        last_fact_at=last_fact_at(history),
    )


def _with_its_cause(news: News, subject: Subject) -> News:
    """What the fact itself says, where the message is about just that."""
    cause, kind, history = subject.cause, subject.kind, subject.history
    return replace(
        news,
        quote_before=quote_before(cause, history) if kind == "quote" else None,
        reason=words_of(cause.data.get("reason")) if kind == "reopened" else None,
        answer=answer_of(cause, history) if kind == "answer" else None,
        question=her_question(cause, history, subject.now) if kind == "asked" else None,
        gesture=words_of(cause.data.get("what")) if kind == "gesture" else None,
        promised=promised_by(cause, history) if kind == "promise" else None,
        visit=visit_of(cause, history) if kind == "visit" else None,
        cover=cover_of(cause, history) if kind == "cover" else None,
        decision=decision_of(cause, history) if kind == "decision" else None,
    )


def _waits_elsewhere(news: News, subject: Subject) -> bool:
    """Whether somebody other than us has it to work on, whose closing days would hold that up."""
    is_there = news.place in _PLACES_THAT_WE_NAME and subject.where == subject.history.holder
    to_do = subject.ending is None and subject.status != "in_transit"
    return is_there and to_do and subject.kind in TELLS_OF_WORK


def _stalled_since(history: History, now: datetime) -> datetime | None:
    """When it was to be sent on at the latest, if it has not been, and she has had no letter about that."""
    causes = (history.find(*told.cause) for told in history.sent if told.kind == "overdue")
    told_of = {cause.data.get("commitment") for cause in causes if cause is not None}
    dues = [
        owed.due_at
        for owed in history.owed
        if (owed.kind, owed.state) == ("forward", "open") and owed.due_at is not None and owed.due_at <= now
        if owed.id not in told_of
    ]
    return min(dues, default=None)


def _visited_for(completed: Happened, history: History) -> bool:
    """Whether whoever has mended it visited her within a day of that: it was not taken along and mended elsewhere."""
    return any(
        (fact.name, fact.source) == ("visit.done", completed.source)
        and abs(fact.at - completed.at) <= timedelta(days=1)
        for fact in history.this_round()
    )


def _knows_its_end(kind: MessageKind, history: History) -> bool:
    """Whether the last word need not tell her what was done: she has read it, it was not closed right behind it."""
    return kind == "closed" and any(told.kind in ("repaired", "ready") for told in history.sent)


def _heading_to(history: History, item: str | None) -> str | None:
    """Where the item (None: any) went with the last handover, if nothing has come of that yet."""
    moves = [
        fact
        for fact in history.facts
        if fact.name in ("item.handed_over", "item.received") and (item is None or fact.item in (None, item))
    ]
    return str(moves[-1].data.get("to")) if moves and moves[-1].name == "item.handed_over" else None


def _status(status: str, pause: Happened | None, questions: Sequence[Happened]) -> str:
    """``status``, except that who has answered is not waited for, though nobody said yet that the work goes on."""
    waits = pause is not None or bool(questions)
    return "answered" if status == WAITING and not waits else status


def _decided(history: History) -> bool:
    """Whether it is settled that it will be repaired. A repair that failed has to be settled anew."""
    decided = False
    for fact in history.this_round():
        decided = (decided or fact.name in _DECIDED) and fact.name != "repair.failed"
    return decided


def _questions(questions: Sequence[Happened], pause: Happened | None) -> tuple[str, ...]:
    asked = questions or ((pause,) if pause is not None else ())
    return tuple(text for fact in asked if (text := words_of(fact.data.get("text") or fact.data.get("why"))))


def _answer_by(questions: Sequence[Happened], now: datetime) -> datetime | None:
    """By when her answer is wanted, if that moment is still to come."""
    dues = [due for fact in questions if fact.data.get("due") and (due := moment(fact.data["due"])) > now]
    return min(dues, default=None)


def _to_be_asked(history: History, now: datetime) -> datetime | None:
    """When she is asked whether all is well, if that is still to come."""
    dues = [owed.due_at for owed in history.owed if (owed.kind, owed.state) == ("check", "open") and owed.due_at]
    return next((due for due in dues if due > now), None)


def _to_be_sent_home(history: History, now: datetime) -> datetime | None:
    """By when all that was given up while it was away is to be on its way home, if that is still to come."""
    if history.open:
        return None
    dues = [owed.due_at for owed in history.owed if (owed.kind, owed.state) == ("forward", "open") and owed.due_at]
    return max((due for due in dues if due > now), default=None)


def _owed_by(dues: Sequence[datetime | None], now: datetime) -> datetime | None:
    """When the next of these answers is due, or else the last was: if that was in her quiet hours, she was told that
    she has it after them."""
    known = [due for due in dues if due is not None]
    return min((due for due in known if due > now), default=max(known, default=None))


def _asked_anew(history: History) -> bool:
    """Whether she has asked something since our last letter, and has no answer yet."""
    last = max((told.position for told in history.sent), default=0)
    return any(
        fact.name == "question.asked"
        and fact.position > last
        and asked_by_her(fact, history)
        and not is_answered(fact, history)
        for fact in history.facts
    )


def _has_chosen(history: History) -> bool:
    """Whether she has said something since the last repair that failed: it may have been her choice (see lanes.sql)."""
    failed = last_said(history, "repair.failed", None)
    return failed is not None and any(
        fact.name == "customer.contacted"
        and fact.data.get("direction") == "inbound"
        and fact.place_in_time > failed.place_in_time
        for fact in history.facts
    )


def _answers_owed(history: History) -> list[datetime | None]:
    """When each of the answers is due that somebody of the chain owes her (None: nobody knows)."""
    return [
        owed.due_at
        for owed in history.owed
        if (owed.kind, owed.state) == ("answer", "open")
        and role_of(owed.owed_to) == "customer"
        and role_of(owed.owner) != "customer"
    ]
