"""What a message may say about an order: the facts that matter to the customer, without the names of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from events.chain import MessageKind
from events.party import role_of
from services.notifying.apart import is_answered
from services.notifying.asking import WAITING, asked_by_her, open_questions, pause_for_her
from services.notifying.delays import delay_is_over, delivered_at, expected_by, overdue_arrival
from services.notifying.history import Happened, History, moment
from services.notifying.mistakes import taken_back
from services.notifying.newsworthy import (
    end_is_known,
    ending_before,
    ending_of,
    has_written_since,
    is_at_home,
    is_done_at_home,
    open_quote,
    sent_on,
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
from services.notifying.records import Closure, News, Other, Wrong, place_of
from services.notifying.said import last_said, words_of
from services.notifying.same_thing import date_named
from services.notifying.several import (
    given_back,
    holder_of,
    item_names,
    left_of_several,
    returned_at,
    status_of_item,
    still_out,
)
from services.notifying.since import chased, last_fact_at, owned_up, person_announced, silences, steps_since
from services.notifying.twice import other_numbers

#: Between the end of one closure and the beginning of the next on the following morning nobody opens.
_NIGHT = timedelta(hours=9)

#: Messages that may tell of an arrival that is overdue.
_DELAYS = frozenset({"overdue", "update", "person", "corrected"})

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
    """Everything that a message of ``kind`` about ``cause`` may draw on."""
    item = _item_of(cause, kind, history)
    product = _product(item, history)
    ending = ending_of(history, item)
    tried = sent_on(history, item)
    if tried:
        ending = None  # for whoever has it now, the work is still to do
    failed = last_said(history, "repair.failed", item) if ending == "failed" else None
    completed = last_said(history, "repair.completed", item) if ending == "repaired" else None
    owed = history.commitment(str(cause.data.get("commitment")))
    if kind in ("update", "person", "corrected"):
        owed = overdue_arrival(history, now)
    closure = _closed_meanwhile(closures, now, next_news_by)
    # Whoever received or worked on it has it, also where nobody said that it came in.
    at_work = cause.name in ("item.received", "repair.completed", "repair.failed")
    where = cause.source if at_work else (history.holder or history.accountable)
    status = history.status
    if item is not None and item != cause.item:
        where, status = holder_of(history, item), status_of_item(history, item)
    place = place_of(where, history.accountable)
    is_there = place in _PLACES_THAT_WE_NAME and where == history.holder and status != "in_transit"
    waits_there = is_there and ending is None and kind in TELLS_OF_WORK
    shut = _closed_meanwhile(away, now, next_news_by) if waits_there else None
    asked, pause, questions = open_quote(history), pause_for_her(history), open_questions(history)
    expected, reminders, answers = expected_by(history), chased(history), _answers_owed(history)
    missed, ahead = missed_visit(history, now), visit_ahead(history, now)
    repair_by = date_named(history, "repair", now) if ending is None else None
    if repair_by is not None and expected is not None and expected <= now:
        expected = None  # what she was told since goes before it
    return News(
        status=_status(status, pause, questions),
        brand=product.get("brand"),
        model=product.get("model"),
        description=product.get("description"),
        item=product.get("item"),
        place=place,
        heading_to_us=_heading_to(history, item) == history.accountable,
        ending=ending,
        decided_to_repair=_decided(history),
        quote=quote_of(asked) if asked is not None else None,
        quote_before=quote_before(cause, history) if kind == "quote" else None,
        complained=owed is not None and is_complaint(owed, history),
        options=tuple(str(option) for option in failed.data.get("options", ())) if failed else (),
        why=words_of(failed.data.get("why")) if failed else None,
        summary=words_of(completed.data.get("summary")) if completed and not _knows_its_end(kind, history) else None,
        reason=words_of(cause.data.get("reason")) if kind == "reopened" else None,
        outcome=history.outcome if not history.open else None,
        closed_untold=kind == "reopened" and not end_is_known(history, cause),
        final=next_news_by is None,
        never_left=not history.has_travelled and is_at_home(history, completed),
        with_her=where == "customer" and not still_out(history),
        at_home=is_done_at_home(history),
        written_since=has_written_since(history),
        stalled_since=_stalled_since(history, now) if kind in ("update", "person") else None,
        done_there=completed is not None and _visited_for(completed, history),
        comes_home=ending is not None and where not in (history.accountable, "customer") and history.has_travelled,
        asked=bool(questions) or pause is not None,
        answer_owed=bool(answers),
        answer_owed_by=_owed_by(answers, now),
        asked_anew=kind != "asked" and _asked_anew(history),
        named_before=history.named,
        paused=pause is not None and not questions,
        questions=_questions(questions, pause),
        answer_by=_answer_by(questions, now),
        taken_back=tuple(
            Wrong(told.kind, told.at or now, place_of(told.cause[0], history.accountable))
            for told in taken_back(history)
        ),
        since=steps_since(history, now) if kind in ("update", "corrected") else (),
        silent=silences(history),
        last_fact_at=last_fact_at(history),
        tried=tried,
        delay_over=delay_is_over(history, kind),
        expected_by=expected if expected is not None and expected > now else None,
        expected_missed=expected if expected is not None and expected <= now else None,
        handed_at=owed.opened_at if owed is not None and kind in _DELAYS else None,
        delivered_at=delivered_at(history, owed) if owed is not None and kind in _DELAYS else None,
        due=owed.due_at if owed is not None and kind in _DELAYS else None,
        late=owed.kind if owed is not None and kind == "overdue" else None,
        ours=owed is not None and owed.owner == history.accountable,
        repair_by=repair_by,
        answer=answer_of(cause, history) if kind == "answer" else None,
        question=her_question(cause, history, now) if kind == "asked" else None,
        gesture=words_of(cause.data.get("what")) if kind == "gesture" else None,
        promised=promised_by(cause, history) if kind == "promise" else None,
        visit=visit_of(cause, history) if kind == "visit" else None,
        cover=cover_of(cause) if kind == "cover" else None,
        cover_owed=ending is None
        and any(owed.kind == "cover" and owed.state in ("open", "paused") for owed in history.owed),
        decision=decision_of(cause, history) if kind == "decision" else None,
        others=_others(cause, item, history),
        chosen=_has_chosen(history),
        chased=len(reminders),
        chased_at=reminders[-1].at if reminders else None,
        uncalled=kind == "update" and person_announced(history),
        uncalled_still=kind == "update" and owned_up(history),
        call_owed=kind == "overdue" and person_announced(history),
        other_numbers=other_numbers(history),
        visit_missed=missed.due_at if missed is not None and kind in ("update", "person", "corrected") else None,
        visit_ahead=(moment(ahead.data["from"]), moment(ahead.data["until"])) if ahead is not None else None,
        check_at=_to_be_asked(history, now),
        closed_from=closure[0] if closure else None,
        closed_until=closure[1] if closure else None,
        away_from=shut[0] if shut else None,
        away_until=shut[1] if shut else None,
    )


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


def _product(item: str | None, history: History) -> dict[str, str | None]:
    """Brand, model and description as given when the order was opened; those of one item where it is about that."""
    opened = next((fact for fact in history.facts if fact.name == "order.opened"), None)
    if opened is None:
        return {}
    items = opened.data.get("items") or ()
    one: Mapping[str, Any] = next((each for each in items if each.get("item") == item), {}) if item is not None else {}
    whole = opened.data.get("product") or {}
    return {key: words_of(one.get(key)) or words_of(whole.get(key)) for key in ("brand", "model", "description")} | {
        "item": words_of(item) if len(items) > 1 else None
    }


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


#: About one of several things; any other letter is about all of them.
_OF_ONE_THING: Final = frozenset({"repair.completed", "repair.failed", "unit.replaced"})


def _others(cause: Happened, item: str | None, history: History) -> tuple[Other, ...]:
    names = item_names(history)
    if len(names) < 2 or (item is None and cause.name in _OF_ONE_THING):
        return ()
    return tuple(Other(name, ending_before(history, None, name)) for name in names if name != item)


#: These tell of the order as a whole: where all but one of several things are with her again, of that one.
_OF_WHAT_IS_LEFT: Final = frozenset(
    {"update", "person", "overdue", "corrected", "quote", "decision", "promise", "visit", "cover", "received", "ready"}
)

#: She may have asked after any of them, and it may be any with which not all is well.
_OF_ANY: Final = frozenset({"answer", "check"})


def _item_of(cause: Happened, kind: MessageKind, history: History) -> str | None:
    """Which of several things a message of ``kind`` about ``cause`` is about, if it is one."""
    if cause.item is not None:
        return cause.item
    if kind in _OF_WHAT_IS_LEFT and cause.data.get("kind") not in _OF_ANY:
        return left_of_several(history)
    if kind == "check":
        asked = max((told.at for told in history.sent if told.kind == "check" and told.at is not None), default=None)
        new = [name for name in given_back(history) if asked is None or returned_at(history, name) > asked]
        return new[0] if len(new) == 1 else None
    if kind == "closed":
        failed = [name for name in item_names(history) if ending_before(history, None, name) == "failed"]
        ends_otherwise = history.outcome in ("refunded", "replaced", "unrepairable")
        return failed[0] if ends_otherwise and len(failed) == 1 and len(item_names(history)) > 1 else None
    return None


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
