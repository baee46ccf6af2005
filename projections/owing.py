"""`terms`: row by row of `expected`, what was said of it besides, and what holds for it by policy and calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.book import Book
from projections.matching import Expected
from projections.standstill import FOR_EVER, REASONS, Wait, standstills
from projections.story import Numbers
from projections.terms import NONE, Owed, as_timestamps, judge, moments_of

#: A stretch in which time stands still, as rows have it.
_WAIT: Final = pa.struct([("from", pa.timestamp("us")), ("until", pa.timestamp("us")), ("for", pa.string())])


def terms_beside(book: Book, expected: Expected, parts: Mapping[str, pa.Table]) -> pa.Table:
    """The table `terms`. ``parts`` has the rows of promised.sql and noted.sql, by those names."""
    rows: Any = expected.rows
    story, kinds = expected.story, expected.kinds
    of_fact = np.asarray(rows["position"].to_numpy(), np.int64) * (len(kinds) + 1) + expected.kind
    promised, noted = parts["promised"], parts["noted"]
    promise, note = (_row_of(_keys(part, kinds), of_fact) for part in (promised, noted))
    waits = standstills(expected)

    opened, by_when = moments_of(rows["opened_at"]), moments_of(rows["by_when"])
    promised_at, promised_on = (_moments(promised, name, promise) for name in ("promised_at", "promised_on"))
    owed = Owed(
        opened=opened,
        ended=moments_of(rows["ended_at"]),
        promised=np.where(promised_at != NONE, promised_at, by_when),
        promised_on=np.where(promise >= 0, promised_on, np.where(by_when != NONE, opened, NONE)),
        kind=(kinds, expected.kind),
        owner=(story.people.to_pylist(), expected.owner),
        counterpart=(story.people.to_pylist(), expected.counterpart),
        category=(story.topics.to_pylist(), expected.category),
        urgency=(story.words, expected.urgency),
        waiting={row: [(wait.begin, wait.end) for wait in each] for row, each in waits.items()},
        noted=dict(_pairs(noted, "noted_due", "noted_level", note)),
    )
    said = {
        "dates": _taken(promised, "dates", promise),
        "first_promised_at": _taken(promised, "first_promised_at", promise),
        "promised_at": as_timestamps(owed.promised),
        "promised_by": _taken(promised, "promised_by", promise),
        **_stood_still(waits, owed),
        "nudged_at": _taken(noted, "nudged_at", note),
        "withdrawn_at": _taken(noted, "withdrawn_at", note),
    }
    return pa.table({**said, **judge(book, owed)})


def _stood_still(waits: Mapping[int, Sequence[Wait]], owed: Owed) -> dict[str, Any]:
    """Row by row, ``waits``, as far as they fell into the time in which it was owed, and which of them go on."""
    count, going_on, stood = len(owed.opened), {}, {}
    for row, each in waits.items():
        opened, ended = int(owed.opened[row]), int(owed.ended[row])
        going_on[row] = [
            reason for reason in REASONS if any(wait.end == FOR_EVER and wait.reason == reason for wait in each)
        ]
        stood[row] = [
            {"from": max(wait.begin, opened), "until": None if last == FOR_EVER else last, "for": wait.reason}
            for wait in sorted(each)
            if max(wait.begin, opened) < (last := wait.end if ended == NONE else min(wait.end, ended))
        ]
    return {"waits": _lists(stood, count, _WAIT), "paused_for": _lists(going_on, count, pa.string())}


def _lists(of_row: Mapping[int, Sequence[Any]], count: int, kind: Any) -> Any:
    """A column of lists, empty where a row has none."""
    lengths = np.zeros(count + 1, np.int32)
    rows = sorted(of_row)
    lengths[[row + 1 for row in rows]] = [len(of_row[row]) for row in rows]
    offsets: Any = pa.array(np.cumsum(lengths, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array([value for row in rows for value in of_row[row]], kind))


def _keys(part: pa.Table, kinds: list[str]) -> Numbers:
    """The numbers of (fact, kind); a kind that there is not is none of them."""
    number_of = {kind: number for number, kind in enumerate(kinds)}
    codes = np.array([number_of.get(str(kind), len(kinds)) for kind in part["kind"].to_pylist()], np.int64)
    return _numbers(part["position"]) * (len(kinds) + 1) + codes


def _row_of(keys: Numbers, wanted: Numbers) -> Numbers:
    """Where each of ``wanted`` is in ``keys``, or -1."""
    if not len(keys):
        return np.full(len(wanted), -1)
    found: Any = pc.index_in(pa.array(wanted), value_set=pa.array(keys))
    return np.asarray(found.fill_null(-1).to_numpy(), np.int64)


def _pairs(part: Any, first: str, second: str, row_of: Numbers) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Two columns of lists, put together, by row."""
    if not len(part):
        return
    lists = (part[name].cast(pa.list_(pa.int64())).to_pylist() for name in (first, second))
    pairs = [list(zip(*both, strict=True)) if both[0] else [] for both in zip(*lists, strict=True)]
    for row in np.flatnonzero(row_of >= 0).tolist():
        if found := pairs[row_of[row]]:
            yield row, found


def _taken(part: Any, column: str, row_of: Numbers) -> Any:
    values = part[column].combine_chunks()
    if not len(part):
        return pa.nulls(len(row_of), values.type)
    return values.take(pa.array(row_of, pa.int64(), mask=row_of < 0))


def _moments(part: Any, column: str, row_of: Numbers) -> Numbers:
    if not len(part):
        return np.full(len(row_of), NONE)
    return np.where(row_of >= 0, moments_of(part[column])[row_of], NONE)


def _numbers(column: Any) -> Numbers:
    return np.asarray(column.to_numpy(), np.int64)
