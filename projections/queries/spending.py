"""Who had one order for how long: what time_spent.sql says of many, without the time that DuckDB takes to plan it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from projections.queries.reading import Reading, Row
from projections.queries.single import SingleOrder

_SECOND: Final = 1_000_000
#: The facts by which somebody else has it, or nobody any more.
_MOVES: Final = frozenset(
    {"order.opened", "order.reopened", "item.handed_over", "item.received", "item.returned", "order.closed"}
)


def spent_on(reading: Reading, order: SingleOrder, now: datetime) -> list[Row]:
    """The rows of time_spent.sql for one order: the longest first."""
    spans = _spans(order, _microseconds(now))
    book = reading.book if spans else None
    found: list[Row] = []
    for party, each in spans.items():
        begins, ends = (np.array(moments, np.int64) for moments in zip(*each, strict=True))
        working = None
        if party != "customer" and book is not None:
            working = int((np.asarray(book.clock_of(party).between(begins, ends)) // _SECOND).sum())
        seconds = int(((ends - begins) // _SECOND).sum())
        found.append({"party": party, "orders": 1, "seconds": seconds, "working_seconds": working})
    return sorted(found, key=lambda row: (-row["seconds"], row["party"]))


def _spans(order: SingleOrder, now: int) -> dict[str, list[tuple[int, int]]]:
    """From when until when each party had it, in microseconds; she, while the chain waits for her."""
    points = _points(order.counted, order.commitments)
    points.sort(key=lambda point: point[:2])
    spans: dict[str, list[tuple[int, int]]] = {}
    holder, waits = "", 0
    ends = [*(moment for moment, *_ in points[1:]), now]
    for (begin, _, name, by), end in zip(points, ends, strict=False):
        holder, waits = name if name is not None else holder, waits + by
        if holder and begin < end:
            spans.setdefault("customer" if waits > 0 else holder, []).append((begin, end))
    return spans


def _points(facts: Iterable[Row], commitments: Iterable[Row]) -> list[tuple[int, int, str | None, int]]:
    """Moments (microseconds) with their positions: who has it from then on, and whether one wait more is for her or one
    less."""
    points: list[tuple[int, int, str | None, int]] = [
        (_at(fact["occurred_at"]), fact["position"], _holder(fact), 0) for fact in facts if fact["counted"] in _MOVES
    ]
    for owed in commitments:
        if str(owed["owner"]).startswith("customer"):
            moments = ((owed["opened_at"], 1), (owed["ended_at"], -1))
            points += [(_at(moment), owed["position"], None, by) for moment, by in moments if moment is not None]
    return points


def _holder(fact: Row) -> str | None:
    """From a handover on, the receiver; nobody once she has it back, or the order is closed."""
    match fact["counted"]:
        case "item.handed_over":
            party: str | None = fact["party"]
            return party
        case "item.returned" | "order.closed":
            return ""
    return str(fact["source"])


def _at(text: str) -> int:
    return _microseconds(datetime.fromisoformat(text))


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
