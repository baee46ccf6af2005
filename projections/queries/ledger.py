"""What was ever owed on one order: what commitments.sql says of many, without the time that DuckDB takes to plan it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from projections.queries import telling
from projections.queries.reading import Reading, Row
from projections.queries.single import SingleOrder, moment_of, overdue_seconds

#: What nothing else that is said of one order tells of it.
_MORE: Final = ("position", "kind", "counterpart", "allowed", "worked", "waits")
_RUNNING: Final = frozenset({"open", "overdue", "paused"})


def ledger(
    reading: Reading,
    order: SingleOrder,
    now: datetime,
    *,
    owner: str | None = None,
    kind: str | None = None,
    states: Sequence[str] | None = None,
    late: bool | None = None,
) -> list[Row]:
    """The rows of commitments.sql for one order, what is due first to begin with."""
    found = [
        row
        for row in _rows(reading, order, now)
        if (owner is None or row["owner"] == owner or (owner == "customer" and row["owner"].startswith("customer:")))
        and (kind is None or row["kind"] == kind)
        and (states is None or row["state"] in states)
        and (late is None or row["late"] == late)
    ]
    found.sort(key=lambda row: (row["state"] not in _RUNNING, moment_of(row["due_at"]), row["position"], row["kind"]))
    return [{name: value for name, value in row.items() if name != "position"} for row in found]


def _rows(reading: Reading, order: SingleOrder, now: datetime) -> list[Row]:
    more = {(row["position"], row["kind"]): row for row in reading.of_order("commitments", _MORE, order.first)}
    return [_row(order, row | more[row["position"], row["kind"]], now) for row in order.commitments]


def _row(order: SingleOrder, row: Row, now: datetime) -> Row:
    order_id = order.subject["order_id"]
    standing = _standing(row, now)
    return {
        "position": row["position"],
        "commitment_id": telling.commitment_of(row, order_id, order.entries),
        "order": order_id,
        "kind": row["kind"],
        "topic": row["topic"] or None,
        **{name: row[name] for name in ("owner", "owed_to", "accountable", "counterpart", "opened_at", "due_at")},
        "met_at": row["ended_at"] if row["state"] == "met" else None,
        "ended_at": row["ended_at"],
        "state": standing,
        **{name: row[name] for name in ("paused_for", "waits")},
        "overdue_seconds": overdue_seconds(row, now) if standing == "overdue" else None,
        "late": _is_late(row, now),
        **{name: row[name] for name in ("rule", "level", "nudged_at", "withdrawn_at", "promises")},
        **{name: row[name] for name in ("first_promised_at", "promised_at", "promised_by", "allowed", "worked")},
    }


def _standing(row: Row, now: datetime) -> str:
    if row["state"] == "open" and moment_of(row["due_at"]) < now:
        return "overdue"
    return "met_late" if row["state"] == "met" and row["met_late"] else str(row["state"])


def _is_late(row: Row, now: datetime) -> bool:
    """Whether it was not met by its due time, whatever became of it."""
    if row["state"] == "met" or row["due_at"] is None:
        return bool(row["met_late"])
    ended = moment_of(row["ended_at"]) if row["ended_at"] is not None else now
    return bool(row["met_late"]) or ended > moment_of(row["due_at"])
