"""One order: finding it, where it stands, its whole story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from events.party import ROLES, role_of
from projections.parcels import carried, last_parcel, with_parcels
from projections.queries import telling
from projections.queries.arguments import Arguments, QueryError
from projections.queries.next_step import ball_of, with_ball, with_next_due
from projections.queries.past import look_back
from projections.queries.product_and_place import product_and_place
from projections.queries.reading import Reading, Row
from projections.queries.single import SingleOrder, without_notes
from projections.queries.spending import spent_on


def find(reading: Reading, arguments: Arguments) -> Row:
    """Orders with that id; if there is none, with that reference or serial number; or else of that customer."""
    return {"orders": [row["order_id"] for row in _find(reading, arguments.required_text("order"))]}


def status(reading: Reading, arguments: Arguments) -> Row:
    """Where one order stands."""
    reading, subject = find_then(reading, arguments.required_text("order"))
    single = SingleOrder(reading, subject)
    now = reading.moment_or_none(arguments)
    owed = single.owed(now)
    order = _status(single, owed)
    if order is None:
        raise QueryError(f"there is no order '{single.subject['order_id']}'{_moment(reading)}")
    order |= {"parcel": last_parcel(single.handoffs, carried(single.counted))}
    if now is None:
        return {**order, "ball": None, "time_spent": []}
    return {**with_ball(order, ball_of(order, owed)), "time_spent": spent_on(reading, single, now)}


def timeline(reading: Reading, arguments: Arguments) -> Row:
    """One order's story in facts, with what was owed and what the customer was told.

    With ``raw``, also what does not count: duplicates and facts that were taken back. With ``limit`` (0: all), so many
    of each from ``offset`` on, for whom the whole does not fit into an answer.
    """
    reading, subject = find_then(reading, arguments.required_text("order"))
    single = SingleOrder(reading, subject)
    raw, limit, offset = arguments.flag("raw") or False, arguments.number("limit", 0), arguments.number("offset", 0)
    piece = slice(offset, offset + limit if limit else None)
    entries = single.entries
    if reading.travels and not any(raw or not entry["voided"] for entry in entries.values()):
        raise QueryError(f"there is no order '{subject['order_id']}'{_moment(reading)}")
    now = reading.moment_or_none(arguments)
    owed = single.owed(now)
    order = _status(single, owed)
    if order is None and role_of(subject["order_id"]) in ROLES:
        raise QueryError(f"'{subject['order_id']}' is a party, not an order{_moment(reading)}")
    if order is not None and now is not None:
        order = with_ball(order, ball_of(order, owed))
        order |= {"time_spent": spent_on(reading, single, now)}
    found = carried(single.counted)
    handoffs = with_parcels(single.handoffs, found)
    if order is not None:
        order |= {"parcel": last_parcel(handoffs, found)}
    return {
        "order": order,
        "entries": [without_notes(entry) for entry in entries.values() if raw or not entry["voided"]][piece],
        "handoffs": handoffs[piece],
        "commitments": [telling.commitment(row, subject["order_id"], entries) for row in single.commitments[piece]],
        "messages": _messages(single)[piece] if single.says("message.") else [],
        "contacts": telling.contacts(entries)[piece],
    }


def messages_of(reading: Reading, name: str) -> list[Row]:
    """The messages of the order that ``name`` means, with their texts, as they came."""
    return _messages(SingleOrder(reading, find_one(reading, name)))


def find_one(reading: Reading, name: str) -> Row:
    """The one order that ``name`` means, with its positions. Raises QueryError for none and for several."""
    found = _find(reading, name)
    if not found:
        raise QueryError(f"no order, reference or serial number '{name}' is known")
    if len(found) > 1:
        ids = [row["order_id"] for row in found]
        more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
        raise QueryError(f"'{name}' means {len(ids)} orders: {', '.join(ids[:5])}{more}; say which")
    return found[0]


def find_then(reading: Reading, name: str) -> tuple[Reading, Row]:
    """The same, of the moment that the question is about, with a reading of then. Raises QueryError.

    What is one order now may have been several, and the other way about.
    """
    found = find_one(reading, name)
    if not reading.travels:
        return reading, found
    past, regrouped = look_back(reading, found["first_position"])
    return replace(reading, past=past), find_one(reading, name) if regrouped else found


def _find(reading: Reading, name: str) -> list[Row]:
    if found := reading.rows("find_subject", name=name):  # nearly always: a short statement is planned soonest
        return found
    for query in ("find_id", "find_name", "find_customer"):
        if found := reading.rows(query, name=name):
            return found
    return []


def _status(single: SingleOrder, owed: Sequence[Row]) -> Row | None:
    if single.row is None:
        return None
    order = with_next_due(single.row, owed) | product_and_place(single.row, single.counted)
    return {**order, "references": single.references, "merged": single.merged}


def _messages(single: SingleOrder) -> list[Row]:
    return [telling.message(row, single.subject["order_id"], single.entries) for row in single.messages]


def _moment(reading: Reading) -> str:
    return " at that moment" if reading.travels else ""
