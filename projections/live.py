"""A live batch: the models of the touched orders made anew, and only what changed written."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from typing import Final

from duckdb import DuckDBPyConnection

from projections.models import CATALOG, CLOSED_SPANS, CLOSURES, FACTS, ORDER_MODELS, VOIDS, Model, read_sql

#: What the models read of an event; the rest (its whole data above all) stays where it is.
_RAW: Final = "position, first_position, order_id, type, fact, source, id, occurred_at, fact_key, said"


def apply_models(cursor: DuckDBPyConnection) -> None:
    """Bring the stored models of the orders in the temporary table `touched` up to the mirror.

    The cost grows with those orders and with how long ago the oldest of them began, not with the history.
    """
    start, closures = _row(cursor, "SELECT min(first_position), bool_or(announces) FROM touched")
    if closures:
        _spread_closures(cursor, start)
        (start,) = _row(cursor, "SELECT min(first_position) FROM touched")
    taken_back = _take_facts(cursor, start)
    if taken_back:
        _merge(cursor, VOIDS, start, shrinks=True)
    for model in ORDER_MODELS:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {model.name} AS {model.select}")
        if model.keys:
            _merge(cursor, model, start, shrinks=model.may_shrink or taken_back)


def _take_facts(cursor: DuckDBPyConnection, start: int) -> bool:
    """Make temporary `raw` and `facts` of the touched orders; `voids` too, if there may be any. Tells whether."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {_RAW} FROM {CATALOG}.events "
        f"WHERE position >= {start} AND {_of_touched(start)}"
    )
    copies, corrections = _row(
        cursor, "SELECT count(*) - count(DISTINCT fact_key), count_if(fact = 'fact.corrected') FROM raw"
    )
    if copies or corrections:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE voids AS {VOIDS.select}")
    # Otherwise `voids` means the stored one, which holds none of these.
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE facts AS {FACTS.select}")
    return bool(copies or corrections)


def _of_touched(start: int) -> str:
    # The literal bound lets whole blocks of older rows be skipped; a join alone would not.
    return f"first_position >= {start} AND first_position IN (SELECT first_position FROM touched)"


def _spread_closures(cursor: DuckDBPyConnection, start: int) -> None:
    """Store the touched parties' closures, and add to `touched` every order whose due times they can move."""
    _take_facts(cursor, start)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE closures AS {CLOSURES.select}")
    cursor.execute(read_sql("moved_by_closures"))
    _merge(cursor, CLOSURES, start, shrinks=True)
    # From here on `closures` means those of all parties again.
    cursor.execute("DROP TABLE temp.closures")
    cursor.execute(f"CREATE OR REPLACE TABLE {CLOSED_SPANS.stored} AS {CLOSED_SPANS.select}")


def _merge(cursor: DuckDBPyConnection, model: Model, start: int, *, shrinks: bool) -> None:
    """Make the stored rows of the touched orders equal to the model's temporary table."""
    same_row = " AND ".join(f"old.{key} = new.{key}" for key in model.keys)
    if shrinks:
        cursor.execute(
            f"DELETE FROM {model.stored} AS old WHERE old.{_of_touched(start)} "
            f"AND NOT EXISTS (FROM {model.name} AS new WHERE {same_row})"
        )
    cursor.execute(
        f"MERGE INTO {model.stored} AS old USING {model.name} AS new ON old.first_position >= {start} AND {same_row} "
        "WHEN MATCHED AND old IS DISTINCT FROM new THEN UPDATE WHEN NOT MATCHED THEN INSERT"
    )


def _row(cursor: DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return tuple(cursor.execute(query).fetchall()[0])
