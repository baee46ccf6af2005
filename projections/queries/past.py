"""One order as it was, and as we knew it: its models made anew beside the database, of the facts that count for that.

They are made on a workbench, whose plans are kept: to make them in temporary tables takes ten times as long.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from projections.beside import Beside
from projections.book import Book, keep, read_book
from projections.doubts import may_not_count
from projections.models import ANNOUNCED, ANNOUNCING, COMMITMENTS, FACTS, HANDOFFS, MESSAGES, ORDERS, VOIDS
from projections.queries.reading import Past, Reading, as_parameter
from projections.queries.travel import regroup
from projections.rules import Rules
from projections.schema import make_apart
from projections.statements import execute, read_sql
from projections.workbench import Workbench

#: The order, and the parties that announced any closures, which move its due times.
_SUBJECTS: Final = "SELECT order_id, first_position FROM chain.subjects WHERE announces OR first_position = $first"
#: The same where it is about orders that were not always the same: these as they were then, each in its place of now.
_SUBJECTS_THEN: Final = """
SELECT order_id, first_position FROM subjects
WHERE announces OR first_position IN (SELECT first_position FROM places_then)
"""
_KEYS_NOW: Final = "SELECT first_position FROM chain.subjects WHERE announces"

_EVENTS: Final = """
SELECT * EXCLUDE (order_id, correlation_id, causation_id), order_id
FROM chain.events
WHERE position >= $begin AND first_position IN (SELECT unnest($firsts::BIGINT[]))
    AND ($known_at::TIMESTAMP IS NULL OR recorded_at <= $known_at)
"""
#: The same of a single order, which DuckDB is done with sooner. Its id is known, and would have to be unpacked.
_EVENTS_OF_ONE: Final = """
SELECT * EXCLUDE (order_id, correlation_id, causation_id), $order::VARCHAR AS order_id
FROM chain.events
WHERE position >= $begin AND first_position = $begin
    AND ($known_at::TIMESTAMP IS NULL OR recorded_at <= $known_at)
"""
_EVENTS_THEN: Final = """
SELECT e.* EXCLUDE (order_id, correlation_id, causation_id)
    REPLACE (coalesce(t.first_position, e.first_position) AS first_position, coalesce(t.aside, e.aside) AS aside),
    e.order_id
FROM chain.events e
LEFT JOIN places_then t ON t.order_id = e.order_id
WHERE e.position >= $begin AND e.first_position IN (SELECT unnest($firsts::BIGINT[]))
    AND ($known_at::TIMESTAMP IS NULL OR recorded_at <= $known_at)
"""

_NAMES: Final = "names"


@dataclass(frozen=True)
class _Bench:
    """A workbench, and the rules that hold whatever is put there."""

    at: Workbench
    rules: Rules


_spare: Final[list[_Bench]] = []
_MOST_SPARE: Final = 2
_sharing: Final = threading.Lock()


def look_back(reading: Reading, first_position: int) -> tuple[Past, bool]:
    """The order that begins there now, as of the reading's moments.

    Also tells whether orders may have been found to be one, or not to be, since then: then it has to be found anew, for
    which the cursor's `subjects`, `merged` and `names` are those of then.
    """
    firsts = regroup(reading, first_position)
    raw, subjects = _said(reading, first_position, firsts)
    with _borrowed(reading) as bench:
        bench.at.put("raw", raw)
        bench.at.put("subjects", subjects)
        voids = bench.at.make(VOIDS.select, has_rows=may_not_count(raw))
        bench.at.put("voids", voids)
        facts = _until(reading, bench.at.make(FACTS.select))
        bench.at.put("facts", facts)
        book = _book(reading, facts)
        tables = _make(bench, facts, subjects, book, is_named=firsts is not None)
    if firsts:
        reading.cursor.register(_NAMES, tables[_NAMES])
    tables |= {"events": _until(reading, raw), "voids": voids}
    return Past(tables, book), firsts is not None


def _said(reading: Reading, first_position: int, firsts: Sequence[int] | None) -> tuple[pa.Table, pa.Table]:
    """All that we knew of the order and of what moves its due times; and whose it is."""
    if firsts is None:
        subjects = _rows(reading, _SUBJECTS, first=first_position)
        keys = set(subjects["first_position"].to_pylist())
    else:
        subjects = _rows(reading, _SUBJECTS_THEN)
        keys = {*firsts, *_rows(reading, _KEYS_NOW)["first_position"].to_pylist()}
    given: dict[str, Any] = {"begin": min(keys), "known_at": as_parameter(reading.known_at)}
    if len(keys) == 1 and firsts is None:
        return _rows(reading, _EVENTS_OF_ONE, **given, order=subjects["order_id"][0].as_py()), subjects
    given["firsts"] = sorted(keys)
    return _rows(reading, _EVENTS if firsts is None else _EVENTS_THEN, **given), subjects


def _until(reading: Reading, rows: Any) -> Any:
    """What had happened by then. Corrections and duplicates are settled before."""
    if reading.as_of is None:
        return rows
    until = pa.scalar(as_parameter(reading.as_of), pa.timestamp("us"))
    return rows.filter(pc.less_equal(rows["occurred_at"], until))


def _book(reading: Reading, facts: Any) -> Book:
    if ANNOUNCING.isdisjoint(facts["fact"].unique().to_pylist()):
        return keep(Book((), {}))
    reading.cursor.register(FACTS.name, facts)
    for model in ANNOUNCED:
        reading.cursor.execute(f"CREATE TEMP VIEW {model.name} AS {model.select}")
    return read_book(reading.cursor)


def _make(bench: _Bench, facts: Any, subjects: pa.Table, book: Book, *, is_named: bool) -> dict[str, pa.Table]:
    """The models of single orders by name; `names` if they are asked for, or if there are references."""
    made = Beside(facts, subjects, bench.rules)
    commitments = made.commitments(book, bench.at.put, bench.at.make)
    bench.at.put(COMMITMENTS.name, commitments)
    tables = {
        ORDERS.name: made.orders,
        MESSAGES.name: made.messages,
        COMMITMENTS.name: commitments,
        HANDOFFS.name: bench.at.make(HANDOFFS.select),
    }
    if is_named or "order.referenced" in facts["fact"].unique().to_pylist():
        tables[_NAMES] = bench.at.make(read_sql(_NAMES))
    return tables


def _rows(reading: Reading, select: str, **parameters: Any) -> Any:
    rows = execute(reading.cursor, select, parameters).to_arrow_table()
    assert rows is not None, "it has just been executed"
    return rows


@contextmanager
def _borrowed(reading: Reading) -> Iterator[_Bench]:
    """A bench that nobody else uses meanwhile. Making one takes longer than what is done on it."""
    with _sharing:
        bench = _spare.pop() if _spare else None
    bench = bench or _set_up(reading)
    try:
        yield bench
    except BaseException:
        bench.at.cursor.close()
        raise
    bench.at.clear()
    with _sharing:
        if len(_spare) < _MOST_SPARE:
            _spare.append(bench)
            return
    bench.at.cursor.close()


def _set_up(reading: Reading) -> _Bench:
    return _Bench(make_apart(), Rules.read(reading.cursor))
