"""A rebuild: every read model made anew from all events of the mirror, a stretch of orders at a time.

A stretch is small enough for its sums to stay near the processor, and its rows lie together in the tables, so that a
live batch finds those of recent orders without reading the rest. Several stretches are worked on side by side, for one
alone does not keep all cores busy. All goes into new tables, and readers keep the old ones until these are complete.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Final

from duckdb import DuckDBPyConnection

from projections.book import Book, open_book
from projections.doubts import may_not_count
from projections.models import (
    ANNOUNCED,
    CATALOG,
    FACTS,
    STORED_MODELS,
    VOIDS,
    Model,
    build_orders,
    define_views,
    told,
)
from projections.packing import create_packed
from projections.threads import Hands

#: Positions per stretch; about as many events belong to the orders that begin there.
_STRETCH: Final = 400_000
#: More stretches than this side by side would take too much memory.
_MOST_WORKERS: Final = 4

OpenCursor = Callable[[], DuckDBPyConnection]
#: Keeps the rows of a SELECT in the table of that name, or makes the table for them.
Store = Callable[[DuckDBPyConnection, str, str], None]


def build_stored(open_cursor: OpenCursor, last_position: int, hands: Hands) -> Book:
    """Make all stored models from the events up to ``last_position``, in new tables beside those that there are.

    Returns the book by which due times were counted.
    """
    stretches = [(after, after + _STRETCH) for after in range(0, last_position, _STRETCH)]
    with _transaction(open_cursor) as cursor:
        hands.all(cursor)
        forget_unfinished(cursor)
        book = _build_announced(cursor)
        if len(stretches) < 2:
            _build_stretch(cursor, book, 0, _STRETCH, _create)
            return book
        _build_stretch(cursor, book, 0, 0, create_packed)  # empty tables, which all can fill
    with closing(open_cursor()) as root:
        hands.one(root)
        workers = min(len(stretches), _MOST_WORKERS, hands.most)
        with ThreadPoolExecutor(workers, "rebuild") as pool:
            parts = [
                pool.submit(_build_stretches, open_cursor, book, stretches[first::workers]) for first in range(workers)
            ]
    for part in parts:
        part.result()
    return book


def take_over(cursor: DuckDBPyConnection) -> None:
    """Put what ``build_stored`` has made in the place of what there was, within the caller's transaction."""
    for model in STORED_MODELS:
        cursor.execute(f"DROP TABLE IF EXISTS {model.stored}")
        cursor.execute(f"ALTER TABLE {_new(model)} RENAME TO {model.name}")
    define_views(cursor)


def forget_unfinished(cursor: DuckDBPyConnection) -> None:
    """Drop what a rebuild left that was cut off."""
    for model in STORED_MODELS:
        cursor.execute(f"DROP TABLE IF EXISTS {_new(model)}")


def _build_announced(cursor: DuckDBPyConnection) -> Book:
    """The policies and the parties' closures, which the due times of all orders need."""
    _select_events(cursor, "first_position IN (SELECT first_position FROM chain.subjects WHERE announces)")
    cursor.execute(f"CREATE TEMP TABLE voids AS {VOIDS.select}")
    cursor.execute(f"CREATE TEMP VIEW facts AS {FACTS.select}")
    for model in ANNOUNCED:
        cursor.execute(f"CREATE TABLE {_new(model)} AS {model.select}")
        cursor.execute(f"CREATE TEMP VIEW {model.name} AS FROM {_new(model)}")
    cursor.execute("DROP TABLE temp.voids")
    return open_book(cursor)


def _build_stretches(open_cursor: OpenCursor, book: Book, stretches: list[tuple[int, int]]) -> None:
    with _transaction(open_cursor) as cursor:
        for after, until in stretches:
            _build_stretch(cursor, book, after, until, _insert)


def _build_stretch(cursor: DuckDBPyConnection, book: Book, after: int, until: int, store: Store) -> None:
    """The models of the orders that begin there."""
    _select_events(cursor, f"position > {after} AND first_position > {after} AND first_position <= {until}")
    # At first as though nothing were void.
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {VOIDS.name} AS FROM ({VOIDS.select}) LIMIT 0")
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW {FACTS.name} AS {FACTS.select}")
    facts = told(cursor)
    if may_not_count(facts):
        cursor.execute(f"INSERT INTO {VOIDS.name} {VOIDS.select}")
        facts = told(cursor)
    store(cursor, _new(VOIDS), f"FROM {VOIDS.name}")
    build_orders(cursor, book, facts, lambda model, rows: store(cursor, _new(model), rows))


def _create(cursor: DuckDBPyConnection, table: str, rows: str) -> None:
    cursor.execute(f"CREATE TABLE {table} AS {rows}")


def _insert(cursor: DuckDBPyConnection, table: str, rows: str) -> None:
    cursor.execute(f"INSERT INTO {table} {rows}")


def _select_events(cursor: DuckDBPyConnection, condition: str) -> None:
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * FROM chain.events WHERE {condition}")


def _new(model: Model) -> str:
    return f"{CATALOG}.new_{model.name}"


@contextmanager
def _transaction(open_cursor: OpenCursor) -> Iterator[DuckDBPyConnection]:
    """A cursor within a transaction of its own. Its temporary tables end with it."""
    cursor = open_cursor()
    try:
        cursor.execute("BEGIN")
        yield cursor
        cursor.execute("COMMIT")
    finally:
        # Closing rolls back what was not committed.
        cursor.close()
