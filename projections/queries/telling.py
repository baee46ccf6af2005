"""What the tables of one order leave to the log, put beside their rows: texts, and the names of commitments.

The order's events are read once and looked up here; a join for each would cost more than all the rest of a timeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import orjson

from events.chain import commitment_id
from projections.queries.reading import Reading, Row

#: The kinds of channels on which a whole letter goes.
_WITH_LETTERS: Final = (None, "email", "webhook")

#: The events of one order by position.
Entries = Mapping[int, Row]


def by_position(entries: Sequence[Row], said_of: Mapping[int, str] = MappingProxyType({})) -> dict[int, Row]:
    """Rows of entries.sql with their data read; ``said_of`` is the order of those that were said of another one."""
    return {
        entry["position"]: {
            **entry,
            "data": _json(entry["data"]),
            "said_of": said_of.get(entry["position"]),
        }
        for entry in entries
    }


def said_of(reading: Reading, firsts: Sequence[int], begin: int, end: int) -> dict[int, str]:
    """Which facts of the orders at ``firsts`` were said of an id that became part of them: the id, by position."""
    if not firsts:
        return {}
    rows = reading.rows("said_of", firsts=list(firsts), begin=begin, end=end)
    return {row["position"]: row["order_id"] for row in rows}


def message(row: Row, order_id: str, entries: Entries) -> Row:
    """A row of `messages`, with the text as sent (or as planned, until then: the short form for a channel of texts)."""
    text = _data(entries, row["sent_position"] or row["planned_position"])
    if row["sent_position"] is None and text.get("text") and text_of(text.get("channel")) not in _WITH_LETTERS:
        text = {**text, "body": text["text"]}
    return {
        "message_id": row["message_id"],
        "order_id": order_id,
        "kind": row["kind"],
        "status": row["status"],
        **{name: text_of(text.get(name)) for name in ("channel", "language", "subject", "body")},
        "planned_at": row["planned_at"],
        "sent_at": row["sent_at"],
        "next_news_by": row["next_news_by"],
        "reason": text_of(_data(entries, row["reason_position"]).get("reason")),
        "trigger_id": text_of(_data(entries, row["planned_position"]).get("trigger_id")),
    }


def commitment(row: Row, order_id: str, entries: Entries) -> Row:
    """A row of `commitments` with its id."""
    return {
        "commitment_id": commitment_of(row, order_id, entries),
        **{name: value for name, value in row.items() if name != "position"},
    }


def commitment_of(row: Row, order_id: str, entries: Entries) -> str:
    """The name that a commitment has for ever."""
    opening = entries[row["position"]]
    return commitment_id(row["kind"], opening["said_of"] or order_id, opening["source"], opening["id"])


def contacts(entries: Entries) -> list[Row]:
    """The contacts with the customer outside our messages, as they happened."""
    return [
        {
            "contacted_at": entry["occurred_at"],
            "party": entry["source"],
            "channel": text_of(entry["data"].get("channel")),
            "direction": text_of(entry["data"].get("direction")),
            "summary": text_of(entry["data"].get("summary")),
        }
        for entry in entries.values()
        if entry["known"] and not entry["voided"] and entry["type"] == "customer.contacted"
    ]


def _data(entries: Entries, position: int | None) -> dict[str, Any]:
    return fields_of(entries[position]["data"]) if position is not None and position in entries else {}


def fields_of(value: Any) -> dict[str, Any]:
    """An object of JSON; without any fields if it is something else."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str | None:
    """A value of JSON as DuckDB's ->> gives it."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _json(text: str | None) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {"payload": text}
