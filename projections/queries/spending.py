"""Who had one order for how long: what time_spent.sql says of many, without the time that DuckDB takes to plan it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from projections.book import open_book
from projections.queries.reading import Reading, Row

_SECOND: Final = 1_000_000


def spent_on(reading: Reading, subject: Row, now: datetime) -> list[Row]:
    """The rows of time_spent.sql for one order: the longest first."""
    spans = _spans(reading, subject, _microseconds(now))
    book = open_book(reading.cursor) if spans else None
    found: list[Row] = []
    for party, each in spans.items():
        begins, ends = (np.array(moments, np.int64) for moments in zip(*each, strict=True))
        working = None
        if party != "customer" and book is not None:
            working = int((np.asarray(book.clock_of(party).between(begins, ends)) // _SECOND).sum())
        seconds = int(((ends - begins) // _SECOND).sum())
        found.append({"party": party, "orders": 1, "seconds": seconds, "working_seconds": working})
    return sorted(found, key=lambda row: (-row["seconds"], row["party"]))


def _spans(reading: Reading, subject: Row, now: int) -> dict[str, list[tuple[int, int]]]:
    """From when until when each party had it, in microseconds; she, while the chain waits for her."""
    first, last = subject["first_position"], subject["last_position"]
    points: list[tuple[int, int, str | None, int]] = [
        (row["moment"], row["position"], row["holder"], 0) for row in reading.rows("holders", first=first, last=last)
    ]
    for row in reading.rows("waits_of_order", first=first):
        points += [(row[name], row["position"], None, by) for name, by in (("opened", 1), ("ended", -1)) if row[name]]
    points.sort(key=lambda point: point[:2])
    spans: dict[str, list[tuple[int, int]]] = {}
    holder, waits = "", 0
    ends = [*(moment for moment, *_ in points[1:]), now]
    for (begin, _, name, by), end in zip(points, ends, strict=False):
        holder, waits = name if name is not None else holder, waits + by
        if holder and begin < end:
            spans.setdefault("customer" if waits > 0 else holder, []).append((begin, end))
    return spans


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
