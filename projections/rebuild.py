"""A rebuild: every read model made anew from all events of the mirror, a stretch of orders at a time.

A stretch is small enough for its sums to stay near the processor, and its rows lie together in the tables, so that a
live batch finds those of recent orders without reading the rest. It is one transaction: readers keep the old rows.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from duckdb import DuckDBPyConnection

from projections.models import CLOSED_SPANS, CLOSURES, FACTS, ORDER_MODELS, STORED_MODELS, VOIDS, Model

#: Positions per stretch; about as many events belong to the orders that begin there.
_STRETCH: Final = 800_000


def build_stored(cursor: DuckDBPyConnection, last_position: int) -> None:
    """Replace all stored models, within the caller's transaction. Leaves temporary tables and views on the cursor."""
    _select_events(cursor, "first_position IN (SELECT first_position FROM chain.subjects WHERE announces)")
    cursor.execute(f"CREATE TEMP TABLE voids AS {VOIDS.select}")
    _select_facts(cursor)
    for model in (CLOSURES, CLOSED_SPANS):
        cursor.execute(f"CREATE OR REPLACE TABLE {model.stored} AS {model.select}")
    cursor.execute("DROP TABLE temp.voids")
    for after, until in _stretches(last_position):
        _select_events(cursor, f"position > {after} AND first_position > {after} AND first_position <= {until}")
        _add(cursor, VOIDS, is_first=after == 0)
        _select_facts(cursor)
        for model in ORDER_MODELS:
            _add(cursor, model, is_first=after == 0)


def _stretches(last_position: int) -> Iterator[tuple[int, int]]:
    for after in range(0, max(last_position, 1), _STRETCH):
        yield after, after + _STRETCH


def _select_events(cursor: DuckDBPyConnection, condition: str) -> None:
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * FROM chain.events WHERE {condition}")


def _select_facts(cursor: DuckDBPyConnection) -> None:
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW facts AS {FACTS.select}")


def _add(cursor: DuckDBPyConnection, model: Model, *, is_first: bool) -> None:
    rows = model.select
    if model.is_read and model in ORDER_MODELS:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {model.name} AS {rows}")
        rows = f"FROM {model.name}"
    if is_first:
        cursor.execute(f"CREATE OR REPLACE TABLE {model.stored} AS {rows}")
    else:
        cursor.execute(f"INSERT INTO {model.stored} {rows}")


def forget_temporary(cursor: DuckDBPyConnection) -> None:
    """Drop what ``build_stored`` left on a cursor that goes on living."""
    for name in ("facts", "raw"):
        cursor.execute(f"DROP VIEW temp.{name}")
    for model in STORED_MODELS:
        cursor.execute(f"DROP TABLE IF EXISTS temp.{model.name}")
