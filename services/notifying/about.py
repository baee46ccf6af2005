"""What a message may say about an order: the facts that matter to the customer, without the names of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from events.chain import MessageKind
from events.party import role_of
from services.notifying.history import Happened, History, moment
from services.notifying.newsworthy import ending_before, open_quote
from services.notifying.records import Closure, News, Place, Quote

_PLACES: dict[str, Place] = {"importer": "service_centre", "repairer": "workshop"}

#: What logs write where they know nothing.
_NOTHING = frozenset({"", "?", "-", "--", "0", "empty", "none", "null", "n/a", "na", "unknown", "onbekend"})

#: Between the end of one closure and the beginning of the next on the following morning nobody opens.
_NIGHT = timedelta(hours=9)

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
    next_news_by: datetime,
) -> News:
    """Everything that a message of ``kind`` about ``cause`` may draw on."""
    product = _product(cause.item, history)
    ending = ending_before(history, None, cause.item)
    failed = _last(history, "repair.failed", cause.item) if ending == "failed" else None
    completed = _last(history, "repair.completed", cause.item) if ending == "repaired" else None
    owed = history.commitment(str(cause.data.get("commitment")))
    closure = next(((start, end) for start, end in _joined(closures) if start < next_news_by and end > now), None)
    # Whoever received or worked on it has it, also where nobody said that it came in.
    at_work = cause.name in ("item.received", "repair.completed", "repair.failed")
    where = cause.source if at_work else (history.holder or history.accountable)
    asked = open_quote(history)
    return News(
        status=history.status,
        brand=product.get("brand"),
        model=product.get("model"),
        description=product.get("description"),
        item=product.get("item"),
        place="us" if where == history.accountable else _PLACES.get(role_of(where), "elsewhere"),
        heading_to_us=_heading_to(history) == history.accountable,
        ending=ending,
        decided_to_repair=any(fact.name in _DECIDED for fact in history.this_round()),
        quote=_quote(asked) if asked is not None else None,
        options=tuple(str(option) for option in failed.data.get("options", ())) if failed else (),
        why=_text(failed.data.get("why")) if failed else None,
        summary=_text(completed.data.get("summary")) if completed else None,
        expected_by=_expected_by(history, now),
        handed_at=owed.since if owed is not None and kind == "overdue" else None,
        due=owed.due if owed is not None and kind == "overdue" else None,
        closed_from=closure[0] if closure else None,
        closed_until=closure[1] if closure else None,
    )


def _text(value: object) -> str | None:
    """A value that somebody filled in, or None for the many ways of writing nothing."""
    text = " ".join(str(value).split()) if value is not None else ""
    return None if text.casefold() in _NOTHING else text


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


def _expected_by(history: History, now: datetime) -> datetime | None:
    """The date that was named for the step at hand; one that has passed is no help to anybody."""
    step = {
        "in_repair": "repair.started",
        "waiting_for_part": "part.ordered",
        "in_transit": "item.handed_over",
    }.get(history.status)
    fact = _last(history, step, None) if step is not None else None
    named = moment(fact.data["expected_by"]) if fact is not None and fact.data.get("expected_by") else None
    return named if named is not None and named > now else None


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
