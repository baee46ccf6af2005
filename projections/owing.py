"""Row by row of `expected`, what was said of it besides, and what holds for it by policy and calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projections.book import Book
from projections.expected import Expected
from projections.standstill import FOR_EVER, REASONS, Wait, standstills
from projections.story import Flags, Numbers
from projections.terms import NONE, Judged, Owed, judge, moments_of

_MOMENT: Final = pa.timestamp("us")
#: A stretch in which time stands still, as rows have it.
_WAIT: Final = pa.struct([("from", _MOMENT), ("until", _MOMENT), ("for", pa.string())])


def _no_rows(**columns: Any) -> pa.Table:
    return pa.schema(list(columns.items())).empty_table()


#: The columns of the parts that are read, where nobody said anything of the kind.
_NOBODY_SAID: Final = {
    "promised": _no_rows(
        position=pa.int64(),
        kind=pa.string(),
        dates=pa.int64(),
        first_promised_at=_MOMENT,
        promised_at=_MOMENT,
        promised_by=pa.string(),
        promised_on=_MOMENT,
    ),
    "noted": _no_rows(position=pa.int64(), kind=pa.string(), nudged_at=_MOMENT, withdrawn_at=_MOMENT),
}


@dataclass(frozen=True)
class Owing:
    """Row by row: ``dates``, how many were named after it was opened, the first of them, the last date that holds, and
    who named it; when its time stood still, and for what it does so now; what was said of it; and what holds for it.
    """

    dates: Numbers
    first_promised_at: Any
    promised: Numbers
    promised_by: Any
    waits: Any
    paused_for: Any
    nudged_at: Any
    withdrawn_at: Any
    judged: Judged


def owing_of(book: Book, expected: Expected, parts: Mapping[str, pa.Table]) -> Owing:
    """Of each row of ``expected``. ``parts`` has the rows of promised.sql and noted.sql, by name, if there are any."""
    story, kinds, place = expected.story, expected.kinds, expected.place
    promised, noted = (parts.get(name, nobody) for name, nobody in _NOBODY_SAID.items())
    of_fact = story.position[place] * (len(kinds) + 1) + expected.kind
    promise, note = (_row_of(_keys(part, kinds), of_fact) for part in (promised, noted))
    waits = standstills(expected)

    opened, by_when = story.occurred[place], moments_of(story.values("by_when", place))
    promised_at, promised_on = (_moments(promised, name, promise) for name in ("promised_at", "promised_on"))
    owed = Owed(
        opened=opened,
        ended=np.where(expected.ended >= 0, story.occurred[expected.ended], NONE) if story.count else opened,
        promised=np.where(promised_at != NONE, promised_at, by_when),
        promised_on=np.where(promise >= 0, promised_on, np.where(by_when != NONE, opened, NONE)),
        kind=(kinds, expected.kind),
        owner=(story.names, expected.owner),
        counterpart=(story.names, expected.counterpart),
        category=(story.topics.to_pylist(), expected.category),
        urgency=(story.words, expected.urgency),
        waiting={row: [(wait.begin, wait.end) for wait in each] for row, each in waits.items()},
        noted=dict(_pairs(noted, "noted_due", "noted_level", note)),
    )
    dates = np.asarray(_taken(promised, "dates", promise).fill_null(0).to_numpy(), np.int64)
    return Owing(
        dates=dates,
        first_promised_at=_taken(promised, "first_promised_at", promise),
        promised=owed.promised,
        promised_by=_taken(promised, "promised_by", promise),
        waits=_lists(_stood_still(waits, owed), len(place), _WAIT),
        paused_for=_lists(_going_on(waits, expected.is_open), len(place), pa.string()),
        nudged_at=_taken(noted, "nudged_at", note),
        withdrawn_at=_taken(noted, "withdrawn_at", note),
        judged=judge(book, owed),
    )


def _going_on(waits: Mapping[int, Sequence[Wait]], is_open: Flags) -> dict[int, list[str]]:
    """What the open rows wait for now."""
    going_on: dict[int, list[str]] = {}
    for row, each in waits.items():
        reasons = {wait.reason for wait in each if wait.end == FOR_EVER}
        if reasons and is_open[row]:
            going_on[row] = [reason for reason in REASONS if reason in reasons]
    return going_on


def _stood_still(waits: Mapping[int, Sequence[Wait]], owed: Owed) -> dict[int, list[dict[str, Any]]]:
    """``waits``, as far as they fell into the time in which it was owed."""
    stood = {}
    for row, each in waits.items():
        opened, ended = int(owed.opened[row]), int(owed.ended[row])
        stood[row] = [
            {"from": max(wait.begin, opened), "until": None if last == FOR_EVER else last, "for": wait.reason}
            for wait in sorted(each)
            if max(wait.begin, opened) < (last := wait.end if ended == NONE else min(wait.end, ended))
        ]
    return stood


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
