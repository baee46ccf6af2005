"""A live batch: the models of the touched orders made anew, and only what changed written."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from duckdb import DuckDBPyConnection

from projections.models import (
    CATALOG,
    CLOSURES,
    ORDER_MODELS,
    VOIDS,
    Model,
    read_sql,
    store_closed_spans,
)


def apply_models(cursor: DuckDBPyConnection) -> None:
    """Bring the stored models of the orders in the temporary table `touched` up to the mirror.

    The cost grows with those orders and with how long ago the oldest of them began, not with the history.
    """
    if _number(cursor, "SELECT count(*) FROM touched WHERE announces"):
        _spread_closures(cursor)
    start = _number(cursor, "SELECT min(first_position) FROM touched")
    _take_facts(cursor, start)
    taken_back = _number(
        cursor,
        f"SELECT (SELECT count(*) FROM voids) + (SELECT count(*) FROM {VOIDS.stored} WHERE {_of_touched(start)})",
    )
    _merge(cursor, VOIDS, start, shrinks=taken_back > 0)
    for model in ORDER_MODELS:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {model.name} AS {model.select}")
        if model.keys:
            _merge(cursor, model, start, shrinks=model.may_shrink or taken_back > 0)


def _take_facts(cursor: DuckDBPyConnection, start: int) -> None:
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE raw AS SELECT * FROM {CATALOG}.events "
        f"WHERE position >= {start} AND {_of_touched(start)}"
    )
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE voids AS {VOIDS.select}")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE facts AS {read_sql('facts')}")


def _of_touched(start: int) -> str:
    # The literal bound lets whole blocks of older rows be skipped; a join alone would not.
    return f"first_position >= {start} AND first_position IN (SELECT first_position FROM touched)"


def _spread_closures(cursor: DuckDBPyConnection) -> None:
    """Store the touched parties' closures, and add to `touched` every order whose due times they can move."""
    start = _number(cursor, "SELECT min(first_position) FROM touched WHERE announces")
    _take_facts(cursor, start)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE closures AS {CLOSURES.select}")
    cursor.execute(read_sql("moved_by_closures"))
    _merge(cursor, CLOSURES, start, shrinks=True)
    # From here on `closures` means those of all parties again.
    cursor.execute("DROP TABLE temp.closures")
    store_closed_spans(cursor)


def _merge(cursor: DuckDBPyConnection, model: Model, start: int, *, shrinks: bool) -> None:
    """Make the stored rows of the touched orders equal to the model's temporary table."""
    same_row = " AND ".join(f"old.{key} IS NOT DISTINCT FROM new.{key}" for key in model.keys)
    if shrinks:
        cursor.execute(
            f"DELETE FROM {model.stored} AS old WHERE old.{_of_touched(start)} "
            f"AND NOT EXISTS (FROM {model.name} AS new WHERE {same_row})"
        )
    columns = [name for name, *_ in cursor.execute(f"DESCRIBE {model.stored}").fetchall() if name not in model.keys]
    changed = " OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in columns)
    values = ", ".join(f"{name} = new.{name}" for name in columns)
    update = f"WHEN MATCHED AND ({changed}) THEN UPDATE SET {values} " if columns else ""
    cursor.execute(
        f"MERGE INTO {model.stored} AS old USING {model.name} AS new "
        f"ON old.first_position >= {start} AND {same_row} {update}WHEN NOT MATCHED THEN INSERT BY NAME"
    )


def _number(cursor: DuckDBPyConnection, query: str) -> int:
    return int(cursor.execute(query).fetchall()[0][0])
