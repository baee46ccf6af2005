"""`terms`: row by row of `expected`, what was said of it besides, and what holds for it by policy and calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.book import Book
from projections.matching import Expected
from projections.story import Numbers
from projections.terms import NONE, Owed, as_timestamps, judge, moments_of

#: What waits until it is decided who pays.
UNTIL_DECIDED: Final = ("forward",)


def terms_beside(book: Book, expected: Expected, parts: Mapping[str, pa.Table]) -> pa.Table:
    """The table `terms`. ``parts`` has the rows of promised.sql, waits.sql and noted.sql, by those names."""
    rows: Any = expected.rows
    story, kinds = expected.story, expected.kinds
    of_fact = np.asarray(rows["position"].to_numpy(), np.int64) * (len(kinds) + 1) + expected.kind
    promised, noted, waits = parts["promised"], parts["noted"], parts["waits"]
    promise, note = (_row_of(_keys(part, kinds), of_fact) for part in (promised, noted))
    wait = _row_of(_numbers(waits["first_position"]), _numbers(rows["first_position"]) if len(waits) else of_fact)
    waiting_for = np.where(expected.waits_for_customer, wait, -1)
    # Nobody sends on what may not be worth its price.
    deciding_on = np.where(expected.of_kinds(UNTIL_DECIDED), waiting_for, -1)
    waiting = dict(_pairs(waits, "waits_from", "waits_until", waiting_for))
    for row, decided in _pairs(waits, "decides_from", "decides_until", deciding_on):
        waiting[row] = [*waiting.get(row, ()), *decided]

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
        waiting=waiting,
        noted=dict(_pairs(noted, "noted_due", "noted_level", note)),
    )
    said = {
        "dates": _taken(promised, "dates", promise),
        "first_promised_at": _taken(promised, "first_promised_at", promise),
        "promised_at": as_timestamps(owed.promised),
        "promised_by": _taken(promised, "promised_by", promise),
        "is_waiting": pc.or_(
            _taken(waits, "is_waiting", waiting_for).fill_null(False),
            _taken(waits, "is_deciding", deciding_on).fill_null(False),
        ),
        "nudged_at": _taken(noted, "nudged_at", note),
        "withdrawn_at": _taken(noted, "withdrawn_at", note),
    }
    return pa.table({**said, **judge(book, owed)})


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
