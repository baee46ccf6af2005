"""``due_terms`` for SQL: which rule holds for a commitment, when it is due by that, and when it comes up next.

A vectorised function: DuckDB hands over a chunk of rows as Arrow arrays. Rows that have the same rule and the same
clock are counted together, so the cost grows with the number of parties and kinds in a chunk, hardly with its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import BIGINT, BOOLEAN, INTEGER, TIMESTAMP, VARCHAR

from projections.book import Book, Terms, find

#: So much sooner than the customer was promised news we owe it to ourselves, to have time to keep the promise.
NEWS_AHEAD: Final = 3_600_000_000

Moments = npt.NDArray[np.int64]

_RESULT: Final = {"due_at": TIMESTAMP, "rule": VARCHAR, "next_at": TIMESTAMP, "allowed": BIGINT, "worked": BIGINT}
_NONE: Final = np.iinfo(np.int64).min


def add_functions(connection: DuckDBPyConnection) -> None:
    """Make the functions known to all cursors of ``connection``."""
    connection.create_function(
        "due_terms",
        _due_terms,
        [
            BIGINT,  # book
            *repeat(VARCHAR, 5),  # kind, owner, counterpart, category, urgency
            *repeat(TIMESTAMP, 4),  # opened_at, ended_at, promised_at, promised_on
            *repeat(duckdb.list_type(TIMESTAMP), 2),  # waits_from, waits_until
            INTEGER,  # level
            BOOLEAN,  # nudged
        ],
        duckdb.struct_type(_RESULT),
        type=ARROW,
        null_handling=SPECIAL,
        side_effects=False,
    )
    connection.create_function(
        "worked_seconds",
        _worked_seconds,
        [BIGINT, VARCHAR, TIMESTAMP, TIMESTAMP],
        BIGINT,
        type=ARROW,
        null_handling=SPECIAL,
        side_effects=False,
    )


def remove_functions(connection: DuckDBPyConnection) -> None:
    """Take them away again: DuckDB would otherwise keep the connection alive for them."""
    for name in ("due_terms", "worked_seconds"):
        connection.remove_function(name)


#: An Arrow array of some type.
Column = Any


def _due_terms(
    books: Column,
    kinds: Column,
    owners: Column,
    counterparts: Column,
    categories: Column,
    urgencies: Column,
    opened: Column,
    ended: Column,
    promised: Column,
    promised_on: Column,
    waits_from: Column,
    waits_until: Column,
    levels: Column,
    nudged: Column,
) -> Column:
    number = books[0].as_py()
    if number is None:
        raise ValueError("no book was opened: SET VARIABLE book")
    book = find(number)
    columns = _Columns(opened, ended, promised, promised_on, levels, nudged)
    editions = _editions(book, columns.ended)
    named = zip(
        editions,
        *(column.to_pylist() for column in (kinds, owners, counterparts, categories, urgencies)),
        strict=True,
    )
    groups: dict[Terms, list[int]] = {}
    for row, key in enumerate(named):
        groups.setdefault(book.terms(*key), []).append(row)
    results = _Results(len(opened))
    waiting = _waits(waits_from, waits_until)
    for terms, members in groups.items():
        _judge(terms, np.array(members), columns, waiting, results)
    return results.as_arrow()


class _Columns:
    def __init__(self, *arrays: Column) -> None:
        opened, ended, promised, promised_on, levels, nudged = arrays
        self.opened, self.ended = _moments(opened), _moments(ended)
        self.promised, self.promised_on = _moments(promised), _moments(promised_on)
        self.levels = np.asarray(levels.fill_null(0).to_numpy(zero_copy_only=False), np.int64)
        self.nudged = np.asarray(nudged.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)


class _Results:
    def __init__(self, rows: int) -> None:
        self.due, self.next_at = np.full(rows, _NONE), np.full(rows, _NONE)
        self.allowed, self.worked = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.rules = np.empty(rows, object)

    def as_arrow(self) -> Column:
        return pa.StructArray.from_arrays(
            [
                _as_timestamps(self.due),
                pa.array(self.rules, pa.string()),
                _as_timestamps(self.next_at),
                pa.array(self.allowed // 1_000_000),
                pa.array(self.worked // 1_000_000),
            ],
            list(_RESULT),
        )


def _judge(
    terms: Terms,
    rows: npt.NDArray[np.intp],
    columns: _Columns,
    waiting: dict[int, list[tuple[int, int]]],
    results: _Results,
) -> None:
    """The results of ``rows``, which all have the same terms."""
    clock = terms.clock
    opened, ended, promised = columns.opened[rows], columns.ended[rows], columns.promised[rows]
    due = np.array(clock.add(opened, terms.allowed))
    if waiting:
        for place, row in enumerate(rows):
            if row in waiting:
                # What she was waited for afterwards kept nobody from anything.
                waits = [wait for wait in waiting[int(row)] if ended[place] == _NONE or wait[0] < ended[place]]
                due[place] = _due_after_waits(terms, int(opened[place]), waits)
                promised[place] = _moved(promised[place], int(columns.promised_on[row]), waits)
    is_promised = promised != _NONE
    if terms.kind == "update":
        due = np.where(is_promised, np.minimum(due, promised - NEWS_AHEAD), due)
    else:
        due = np.where(is_promised, promised, due)
    results.due[rows] = due
    results.rules[rows] = terms.rule.name
    results.allowed[rows] = clock.between(opened, due)
    is_open = ended == _NONE
    results.worked[rows] = np.where(is_open, 0, clock.between(opened, np.where(is_open, opened, ended)))
    if is_open.any():
        results.next_at[rows] = np.where(is_open, _next_at(terms, opened, due, columns, rows), _NONE)


def _next_at(terms: Terms, opened: Moments, due: Moments, columns: _Columns, rows: npt.NDArray[np.intp]) -> Moments:
    """When something is to be said next of commitments that are open."""
    noted = columns.levels[rows]
    moments = np.full(len(rows), _NONE)
    for level in range(1, len(terms.rule.levels) + 1):
        moments = np.where(noted == level - 1, level_at(terms, due, level), moments)
    if terms.rule.nudge is not None:
        nudge = nudge_at(terms, opened, due)
        moments = np.where((noted == 0) & ~columns.nudged[rows] & (nudge < due), nudge, moments)
    return moments


def level_at(terms: Terms, due: Moments, level: int) -> Moments:
    """When ``level`` (1 is the due time itself) is reached."""
    after = terms.rule.levels[level - 1].after
    if after.around_the_clock:
        return np.asarray(due + after.microseconds(terms.day_length))
    return np.asarray(terms.clock.add(due, after.microseconds(terms.day_length)))


def nudge_at(terms: Terms, opened: Moments, due: Moments) -> Moments:
    """When whoever owes it is reminded, before it is late."""
    assert terms.rule.nudge is not None
    share = (np.asarray(terms.clock.between(opened, due)) * terms.rule.nudge).astype(np.int64)
    return np.asarray(terms.clock.add(opened, share))


def _due_after_waits(terms: Terms, opened: int, waits: Sequence[tuple[int, int]]) -> int:
    """The due time if the clock stands still during ``waits``."""
    clock = terms.clock
    target = int(clock.worked_at(np.int64(opened))) + terms.allowed
    for begin, end in _merged(waits, opened):
        began = int(clock.worked_at(np.int64(begin)))
        if began >= target:
            break
        target += int(clock.worked_at(np.int64(end))) - began
    return int(clock.moment_at(np.int64(target)))


def _moved(promised: int, since: int, waits: Sequence[tuple[int, int]]) -> int:
    """A promised date, later by as long as the chain waited for the customer after it was promised."""
    if promised == _NONE:
        return promised
    for begin, end in _merged(waits, since):
        if begin >= promised:
            break
        promised += end - begin
    return promised


def _merged(waits: Sequence[tuple[int, int]], since: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(waits):
        begin = max(begin, since)
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _waits(begins: Column, ends: Column) -> dict[int, list[tuple[int, int]]]:
    """By row, when the chain waited; rows without any wait are most."""
    if begins.null_count == len(begins):
        return {}
    rows = zip(begins.cast(pa.list_(pa.int64())).to_pylist(), ends.cast(pa.list_(pa.int64())).to_pylist(), strict=True)
    return {
        row: list(zip(begin, end, strict=True)) for row, (begin, end) in enumerate(rows) if begin is not None and begin
    }


def _editions(book: Book, ended: Moments) -> list[int]:
    """Which policy holds for each row."""
    if len(book.policies) == 1:
        return [0] * len(ended)
    adopted = np.array([moment for moment, _ in book.policies])
    found = np.searchsorted(adopted, np.where(ended == _NONE, np.iinfo(np.int64).max, ended), side="right") - 1
    return [int(number) for number in found]


def _worked_seconds(books: Column, parties: Column, begins: Column, ends: Column) -> Column:
    book = find(books[0].as_py())
    begin, end = _moments(begins), _moments(ends)
    worked = np.zeros(len(begin), np.int64)
    groups: dict[str, list[int]] = {}
    for row, party in enumerate(parties.to_pylist()):
        if party is not None and begin[row] != _NONE and end[row] != _NONE:
            groups.setdefault(party, []).append(row)
    for party, members in groups.items():
        rows = np.array(members)
        worked[rows] = np.asarray(book.clock_of(party).between(begin[rows], end[rows])) // 1_000_000
    return pa.array(worked)


def _moments(array: Column) -> Moments:
    return np.asarray(array.cast(pa.int64()).fill_null(_NONE).to_numpy(zero_copy_only=False), np.int64)


def _as_timestamps(moments: Moments) -> Column:
    return pa.array(moments, pa.int64(), mask=moments == _NONE).cast(pa.timestamp("us"))
