"""One order: finding it, where it stands, its whole story."""

from __future__ import annotations

from typing import Any

import orjson

from events.party import ROLES, role_of
from projections.queries.arguments import Arguments, QueryError
from projections.queries.reading import Reading, Row
from projections.queries.travel import travel


def find(reading: Reading, arguments: Arguments) -> Row:
    """Orders with that id; if there is none, with that reference or serial number; or else of that customer."""
    return {"orders": [row["order_id"] for row in _find(reading, arguments.required_text("order"))]}


def status(reading: Reading, arguments: Arguments) -> Row:
    """Where one order stands."""
    subject = find_one(reading, arguments.required_text("order"))
    travel(reading, subject["first_position"])
    order = _status(reading, subject)
    if order is None:
        raise QueryError(f"there is no order '{subject['order_id']}'{_moment(reading)}")
    return order


def timeline(reading: Reading, arguments: Arguments) -> Row:
    """One order's story in facts, with what was owed and what the customer was told.

    With ``raw``, also what does not count: duplicates and facts that were taken back.
    """
    subject = find_one(reading, arguments.required_text("order"))
    raw = arguments.flag("raw") or False
    first = subject["first_position"]
    travel(reading, first)
    entries = reading.rows(
        "entries",
        first=first,
        last=subject["last_position"],
        raw=raw,
        as_of=reading.as_of,
        known_at=reading.known_at,
    )
    if not entries and reading.travels:
        raise QueryError(f"there is no order '{subject['order_id']}'{_moment(reading)}")
    order = _status(reading, subject)
    if order is None and role_of(subject["order_id"]) in ROLES:
        raise QueryError(f"'{subject['order_id']}' is a party, not an order{_moment(reading)}")
    return {
        "order": order,
        "entries": [{**entry, "data": _json(entry["data"])} for entry in entries],
        "handoffs": reading.rows("order_handoffs", first=first),
        "commitments": reading.rows("order_commitments", first=first, last=subject["last_position"]),
        "messages": reading.rows("order_messages", first=first, last=subject["last_position"]),
        "contacts": reading.rows("order_contacts", first=first, last=subject["last_position"]),
    }


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


def _find(reading: Reading, name: str) -> list[Row]:
    for query in ("find_id", "find_name", "find_customer"):
        if found := reading.rows(query, name=name):
            return found
    return []


def _status(reading: Reading, subject: Row) -> Row | None:
    rows = reading.rows("status", first=subject["first_position"])
    if not rows:
        return None
    return {**rows[0], "references": reading.rows("references", first=subject["first_position"])}


def _moment(reading: Reading) -> str:
    return " at that moment" if reading.travels else ""


def _json(text: str | None) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {"payload": text}
