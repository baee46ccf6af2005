"""A live batch: the models of the touched orders made anew, in place of the rows that they had."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from typing import Final

from duckdb import DuckDBPyConnection

from projections.models import CLOSED_SPANS, CLOSURES, FACTS, ORDER_MODELS, VOIDS, Model
from projections.statements import execute, read_sql

#: The events of the touched orders. `$start` lets blocks of older rows be skipped; the join alone would not.
_RAW: Final = """
SELECT * EXCLUDE (type, recorded_at, correlation_id, causation_id, data)
FROM chain.events
WHERE position >= $start AND first_position >= $start AND first_position IN (SELECT first_position FROM touched)
"""
#: Are there any among them that may not count?
_DOUBTS: Final = f"""
SELECT count(*) > count(DISTINCT fact_key) OR coalesce(bool_or(fact = 'fact.corrected'), false) FROM ({_RAW})
"""


def apply_models(cursor: DuckDBPyConnection) -> None:
    """Bring the stored models of the orders in the temporary table `touched` up to the mirror.

    The cost grows with those orders and with how long ago the oldest of them began, not with the history.
    """
    start, announced = _first(cursor, "SELECT min(first_position), bool_or(announces) FROM touched")
    if announced:
        _spread_closures(cursor, start)
        (start,) = _first(cursor, "SELECT min(first_position) FROM touched")
    if _take_facts(cursor, start):
        _store(cursor, VOIDS, start)
    for model in ORDER_MODELS:
        if model.is_read:
            execute(cursor, f"CREATE OR REPLACE TEMP TABLE {model.name} AS {model.select}")
        if model.is_stored:
            _store(cursor, model, start)


def _take_facts(cursor: DuckDBPyConnection, start: int) -> bool:
    """Make the touched orders' `facts`, and `voids` if there may be any. Tells whether there may."""
    (doubts,) = _first(cursor, _DOUBTS, {"start": start})
    if doubts:
        execute(cursor, f"CREATE OR REPLACE TEMP TABLE raw AS {_RAW}", {"start": start})
        execute(cursor, f"CREATE OR REPLACE TEMP TABLE voids AS {VOIDS.select}")
    # Without doubts `voids` means the stored ones, and none of them is of these orders.
    execute(cursor, f"CREATE OR REPLACE TEMP TABLE facts AS WITH raw AS ({_RAW}) {FACTS.select}", {"start": start})
    return bool(doubts)


def _spread_closures(cursor: DuckDBPyConnection, start: int) -> None:
    """Store the touched parties' closures, and add to `touched` every order whose due times they can move."""
    _take_facts(cursor, start)
    execute(cursor, f"CREATE OR REPLACE TEMP TABLE closures AS {CLOSURES.select}")
    execute(cursor, read_sql("moved_by_closures"))
    _store(cursor, CLOSURES, start)
    # From here on `closures` means those of all parties again.
    execute(cursor, "DROP TABLE temp.closures")
    execute(cursor, f"CREATE OR REPLACE TABLE {CLOSED_SPANS.stored} AS {CLOSED_SPANS.select}")


def _store(cursor: DuckDBPyConnection, model: Model, start: int) -> None:
    """Put the model's rows of the touched orders in the place of those that are stored."""
    execute(
        cursor,
        f"DELETE FROM {model.stored} "
        "WHERE first_position >= $start AND first_position IN (SELECT first_position FROM touched)",
        {"start": start},
    )
    execute(cursor, f"INSERT INTO {model.stored} {f'FROM {model.name}' if model.is_read else model.select}")


def _first(cursor: DuckDBPyConnection, query: str, parameters: dict[str, int] | None = None) -> tuple[int, ...]:
    return tuple(execute(cursor, query, parameters).fetchall()[0])
