"""What a message may say about an order: the facts that matter to the customer, without the names of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from events.chain import MessageKind, commitment_id
from events.party import role_of
from projections.queries.parcels import carried
from services.notifying.apart import date_named, is_answered, step_of, told_before, told_first
from services.notifying.asking import WAITING, asked_by_her, open_questions, pause_for_her, question_of
from services.notifying.history import Happened, History, Owed, moment
from services.notifying.mistakes import taken_back
from services.notifying.newsworthy import (
    arrived_since,
    end_is_known,
    ending_before,
    ending_of,
    is_at_home,
    item_names,
    open_quote,
    sent_on,
)
from services.notifying.promising import missed_visit, visit_ahead
from services.notifying.records import (
    Answer,
    Closure,
    Cover,
    Decision,
    News,
    Other,
    Promised,
    Question,
    Quote,
    Visit,
    Wrong,
    place_of,
)
from services.notifying.since import chased, last_fact_at, owned_up, person_announced, silences, steps_since
from services.notifying.twice import other_numbers

#: What logs write where they know nothing.
_NOTHING = frozenset({"", "?", "-", "--", "0", "empty", "none", "null", "n/a", "na", "unknown", "onbekend"})

#: Between the end of one closure and the beginning of the next on the following morning nobody opens.
_NIGHT = timedelta(hours=9)

#: Messages that show that it is no longer under way.
_AFTER_ARRIVAL = frozenset({"received", "ready", "repaired", "failed", "quote", "question"})

#: Messages that may tell of an arrival that is overdue.
_DELAYS = frozenset({"overdue", "update", "person", "corrected"})

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


def news_of(
    cause: Happened,
    kind: MessageKind,
    history: History,
    now: datetime,
    closures: Sequence[Closure],
    next_news_by: datetime | None,
) -> News:
    """Everything that a message of ``kind`` about ``cause`` may draw on."""
    product = _product(cause.item, history)
    ending = ending_of(history, cause.item)
    tried = sent_on(history, cause.item)
    if tried:
        ending = None  # for whoever has it now, the work is still to do
    failed = _last(history, "repair.failed", cause.item) if ending == "failed" else None
    completed = _last(history, "repair.completed", cause.item) if ending == "repaired" else None
    owed = history.commitment(str(cause.data.get("commitment")))
    if kind in ("update", "person", "corrected"):
        owed = _delay(history, now)
    # A message that names no date is not the place for opening days.
    closure = next(
        ((start, end) for start, end in _joined(closures) if next_news_by and start < next_news_by and end > now), None
    )
    # Whoever received or worked on it has it, also where nobody said that it came in.
    at_work = cause.name in ("item.received", "repair.completed", "repair.failed")
    where = cause.source if at_work else (history.holder or history.accountable)
    asked, pause, questions = open_quote(history), pause_for_her(history), open_questions(history)
    expected, reminders, answers = _expected_by(history), chased(history), _answers_owed(history)
    missed, ahead = missed_visit(history, now), visit_ahead(history, now)
    repair_by = date_named(history, "repair", now) if ending is None else None
    if repair_by is not None and expected is not None and expected <= now:
        expected = None  # what she was told since goes before it
    return News(
        status=_status(history, pause, questions),
        brand=product.get("brand"),
        model=product.get("model"),
        description=product.get("description"),
        item=product.get("item"),
        place=place_of(where, history.accountable),
        heading_to_us=_heading_to(history) == history.accountable,
        ending=ending,
        decided_to_repair=_decided(history),
        quote=_quote(asked) if asked is not None else None,
        options=tuple(str(option) for option in failed.data.get("options", ())) if failed else (),
        why=_text(failed.data.get("why")) if failed else None,
        summary=_text(completed.data.get("summary")) if completed and not _knows_its_end(kind, history) else None,
        reason=_text(cause.data.get("reason")) if kind == "reopened" else None,
        outcome=history.outcome if not history.open else None,
        closed_untold=kind == "reopened" and not end_is_known(history, cause),
        final=next_news_by is None,
        never_left=not history.has_travelled and is_at_home(history, completed),
        with_her=where == "customer" and len(item_names(history)) < 2,
        done_there=completed is not None and _visited_for(completed, history),
        comes_home=ending is not None and where not in (history.accountable, "customer") and history.has_travelled,
        asked=bool(questions) or pause is not None,
        answer_owed=bool(answers),
        answer_owed_by=min((due for due in answers if due is not None and due > now), default=None),
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
        delay_over=_delay_over(history, kind),
        expected_by=expected if expected is not None and expected > now else None,
        expected_missed=expected if expected is not None and expected <= now else None,
        handed_at=owed.opened_at if owed is not None and kind in _DELAYS else None,
        delivered_at=_delivered(history, owed) if owed is not None and kind in _DELAYS else None,
        due=owed.due_at if owed is not None and kind in _DELAYS else None,
        late=owed.kind if owed is not None and kind == "overdue" else None,
        ours=owed is not None and owed.owner == history.accountable,
        repair_by=repair_by,
        answer=_answer(cause, history) if kind == "answer" else None,
        question=_question(cause, history, now) if kind == "asked" else None,
        gesture=_text(cause.data.get("what")) if kind == "gesture" else None,
        promised=_promised(cause, history) if kind == "promise" else None,
        visit=_visit(cause, history) if kind == "visit" else None,
        cover=_cover(cause) if kind == "cover" else None,
        decision=_decision(cause, history) if kind == "decision" else None,
        others=_others(cause, history),
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
    )


def _text(value: object) -> str | None:
    """A value that somebody filled in, or None for the many ways of writing nothing."""
    text = " ".join(str(value).split()) if value is not None else ""
    return None if text.casefold() in _NOTHING else text


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


def _last(history: History, name: str, item: str | None) -> Happened | None:
    found = [
        fact
        for fact in history.this_round()
        if fact.name == name and (item is None or fact.item is None or fact.item == item)
    ]
    return found[-1] if found else None


def _product(item: str | None, history: History) -> dict[str, str | None]:
    """Brand, model and description as given when the order was opened; those of one item where it is about that."""
    opened = next((fact for fact in history.facts if fact.name == "order.opened"), None)
    if opened is None:
        return {}
    items = opened.data.get("items") or ()
    one: Mapping[str, Any] = next((each for each in items if each.get("item") == item), {}) if item is not None else {}
    whole = opened.data.get("product") or {}
    return {key: _text(one.get(key)) or _text(whole.get(key)) for key in ("brand", "model", "description")} | {
        "item": _text(item) if len(items) > 1 else None
    }


def _heading_to(history: History) -> str | None:
    """Where the item went with the last handover, if nothing has come of that yet."""
    moves = [fact for fact in history.facts if fact.name in ("item.handed_over", "item.received")]
    return str(moves[-1].data.get("to")) if moves and moves[-1].name == "item.handed_over" else None


def _status(history: History, pause: Happened | None, questions: Sequence[Happened]) -> str:
    """The status, except that who has answered is not waited for, though nobody said yet that the work goes on."""
    waits = pause is not None or bool(questions)
    return "answered" if history.status == WAITING and not waits else history.status


def _decided(history: History) -> bool:
    """Whether it is settled that it will be repaired. A repair that failed has to be settled anew."""
    decided = False
    for fact in history.this_round():
        decided = (decided or fact.name in _DECIDED) and fact.name != "repair.failed"
    return decided


def _questions(questions: Sequence[Happened], pause: Happened | None) -> tuple[str, ...]:
    asked = questions or ((pause,) if pause is not None else ())
    return tuple(text for fact in asked if (text := _text(fact.data.get("text") or fact.data.get("why"))))


def _answer_by(questions: Sequence[Happened], now: datetime) -> datetime | None:
    """By when her answer is wanted, if that moment is still to come."""
    dues = [due for fact in questions if fact.data.get("due") and (due := moment(fact.data["due"])) > now]
    return min(dues, default=None)


def _delay(history: History, now: datetime) -> Owed | None:
    """The arrival that is overdue still."""
    late = [
        owed
        for owed in history.owed
        if (owed.kind, owed.state) == ("receive", "open")
        and owed.due_at is not None
        and owed.due_at < now
        and not arrived_since(history, owed.opened_at)
    ]
    return late[-1] if late else None


def _delivered(history: History, owed: Owed) -> datetime | None:
    """When the parcel of a handover whose arrival is owed was delivered, if its carrier says so."""
    if owed.kind != "receive":
        return None
    entries = [
        {"position": fact.position, "occurred_at": fact.at, "type": fact.name, "data": fact.data}
        for fact in history.facts
    ]
    parcels, handovers = carried(entries), [fact for fact in history.facts if fact.name == "item.handed_over"]
    sent = next((fact for fact in reversed(handovers) if fact.at == owed.opened_at), None)
    parcel = parcels.get(sent.position) if sent is not None else None
    # A carrier uses its numbers again: what was delivered before it was sent was another parcel.
    if parcel is None or parcel["carrier_status"] != "delivered" or parcel["carrier_at"] < owed.opened_at:
        return None
    return moment(parcel["carrier_at"])


def _to_be_asked(history: History, now: datetime) -> datetime | None:
    """When she is asked whether all is well, if that is still to come."""
    dues = [owed.due_at for owed in history.owed if (owed.kind, owed.state) == ("check", "open") and owed.due_at]
    return next((due for due in dues if due > now), None)


def _delay_over(history: History, kind: MessageKind) -> bool:
    """Whether this is the first word since we wrote of a delay, and it has arrived after all."""
    if kind not in _AFTER_ARRIVAL:
        return False
    for told in reversed(history.sent):
        if told.kind in _AFTER_ARRIVAL:
            return False
        cause = history.find(*told.cause) if told.kind == "overdue" else None
        if cause is not None:
            owed = history.commitment(str(cause.data.get("commitment")))
            return owed is not None and owed.kind == "receive" and arrived_since(history, owed.opened_at)
    return False


def _expected_by(history: History) -> datetime | None:
    """The date that was named for the step at hand."""
    step = {
        "in_repair": "repair.started",
        "waiting_for_part": "part.ordered",
        "in_transit": "item.handed_over",
    }.get(history.status)
    fact = _last(history, step, None) if step is not None else None
    return moment(fact.data["expected_by"]) if fact is not None and fact.data.get("expected_by") else None


def _quote(asked: Happened) -> Quote | None:
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
        description=_text(asked.data.get("description")),
    )


def _answer(answer: Happened, history: History) -> Answer | None:
    """What was answered, if there is anything in it."""
    text, question = _text(answer.data.get("text")), question_of(answer, history)
    asked = _text(question.data.get("text")) if question is not None else None
    return Answer(text, asked, _answer_was_due(question, answer, history)) if text else None


def _answer_was_due(question: Happened | None, answer: Happened, history: History) -> datetime | None:
    """When the answer was due, if it came later than that."""
    if question is None:
        return None
    owed = _answer_owed(question, history)
    return owed.due_at if owed is not None and owed.due_at is not None and owed.due_at < answer.at else None


def _question(asked: Happened, history: History, now: datetime) -> Question:
    """Her question, and by when she has the answer, if that is still to come."""
    owed = _answer_owed(asked, history)
    due = owed.due_at if owed is not None and owed.state == "open" else None
    return Question(_text(asked.data.get("text")), due if due is not None and due > now else None)


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


def _answer_owed(question: Happened, history: History) -> Owed | None:
    return history.commitment(commitment_id("answer", history.named_by(question), question.source, question.id))


def _decision(said: Happened, history: History) -> Decision:
    """Her yes or no, with the price that it is about: the last one before it, if it names none."""
    offers = [
        fact
        for fact in history.facts
        if fact.name == "quote.offered"
        and fact.place_in_time < said.place_in_time
        and said.data.get("quote") in (None, fact.data.get("quote"))
    ]
    quote = _quote(offers[-1]) if offers else None
    lapsed = quote is not None and quote.valid_until is not None and quote.valid_until < said.at
    return Decision(said.name == "quote.accepted", quote, lapsed)


#: About one of several things; any other letter is about all of them.
_OF_ONE_THING: Final = frozenset({"repair.completed", "repair.failed", "unit.replaced"})


def _others(cause: Happened, history: History) -> tuple[Other, ...]:
    names = item_names(history)
    if len(names) < 2 or (cause.item is None and cause.name in _OF_ONE_THING):
        return ()
    return tuple(Other(name, ending_before(history, None, name)) for name in names if name != cause.item)


def _has_chosen(history: History) -> bool:
    """Whether she has said something since the last repair that failed: it may have been her choice (see lanes.sql)."""
    failed = _last(history, "repair.failed", None)
    return failed is not None and any(
        fact.name == "customer.contacted"
        and fact.data.get("direction") == "inbound"
        and fact.place_in_time > failed.place_in_time
        for fact in history.facts
    )


def _promised(promise: Happened, history: History) -> Promised:
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
        what=_text(made.data.get("what")) if made is not None else None,
        reason=_text(promise.data.get("reason")),
    )


def _visit(visit: Happened, history: History) -> Visit:
    before = told_before(visit, history)
    return Visit(
        begin=moment(visit.data["from"]),
        end=moment(visit.data["until"]),
        what=_text(visit.data.get("what")),
        before=moment(before.data["from"]) if before is not None else None,
    )


def _cover(decided: Happened) -> Cover:
    return Cover(
        decision=str(decided.data.get("decision")),
        cause=_text(decided.data.get("cause")),
        appeal=_text(decided.data.get("appeal")),
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
