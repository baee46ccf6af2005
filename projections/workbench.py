"""A connection that makes tables from tables of Arrow, by plans that DuckDB keeps.

DuckDB plans a statement that reads its own tables anew each time, prepared or not; in a live batch that takes longer
than the rows do. What a statement reads from Arrow does not make it do so. So small inputs are put on a workbench under
the names that the SQL calls them by, and made into results there, as often as one likes, for one planning.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any, Final

import pyarrow as pa
from duckdb import DuckDBPyConnection, Statement

from projections.statements import execute, parsed

#: What Arrow has no type for: columns of these names are made into what they were before they went through it.
_TYPES: Final = {"fact": "fact_name"}

_numbers: Final = itertools.count()

# The copy is of some hundred rows. What DuckDB recommends instead binds every statement twice.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)


class _Feed:
    """What DuckDB reads a table of Arrow from. A plan holds on to it, while the rows in it change."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.rows.__arrow_c_stream__(requested_schema)  # type: ignore[no-untyped-call]


class Workbench:
    """Takes over ``cursor``. For one thread at a time."""

    def __init__(self, cursor: DuckDBPyConnection) -> None:
        self.cursor = cursor
        self._feeds: dict[str, _Feed] = {}
        self._kept: dict[str, Statement] = {}
        self._columns: dict[str, pa.Schema] = {}

    def put(self, name: str, rows: pa.Table) -> None:
        """Let ``name`` mean ``rows``, in place of those it meant before, which had the same columns."""
        feed = self._feeds.get(name)
        if feed is not None:
            feed.rows = rows
            return
        feed = self._feeds[name] = _Feed(rows)
        lost = ", ".join(
            f"{column}::{kind} AS {column}" for column, kind in _TYPES.items() if column in rows.schema.names
        )
        if not lost:  # without a view in between DuckDB binds sooner what it plans anew each time
            self.cursor.register(name, feed)
            return
        self.cursor.register(f"{name}_rows", feed)
        self.cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT * REPLACE ({lost}) FROM {name}_rows")  # noqa: S608 - our names

    def run(self, sql: str) -> DuckDBPyConnection:
        """Execute a statement that reads only what was put here, by the plan made when it was first run."""
        statement = self._kept.get(sql)
        if statement is None:
            name = f"kept_{next(_numbers)}"
            self.cursor.execute(f"PREPARE {name} AS {sql}")
            statement = self._kept[sql] = parsed(f"EXECUTE {name}")
        return self.cursor.execute(statement)

    def make(self, select: str, *, has_rows: bool = True) -> pa.Table:
        """The rows of a SELECT that reads only what was put here; see ``run``.

        Without ``has_rows`` it is known that there are none, and nothing is run but for its columns.
        """
        if not has_rows:
            return self.columns(select).empty_table()
        rows = _rows(self.run(select))
        self._columns[select] = rows.schema
        return rows

    def columns(self, select: str) -> pa.Schema:
        """The columns of such a SELECT, which is run only if it never was."""
        return self._columns.get(select) or self.make(select).schema

    def numbers(self, select: str) -> pa.Table:
        """Like ``make``, where all columns are numbers without gaps: DuckDB is done with those in half the time."""
        rows: pa.Table = pa.table(self.run(select).fetchnumpy())
        return rows

    def rows(self, name: str) -> pa.Table:
        """What was put here under that name."""
        return self._feeds[name].rows

    def look_up(self, select: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """The rows of a SELECT that may also read the database's tables. It is planned each time."""
        return _rows(execute(self.cursor, select, parameters))

    def clear(self) -> None:
        """Take all rows away. The names stay, and the plans."""
        for feed in self._feeds.values():
            feed.rows = feed.rows.schema.empty_table()


def _rows(result: DuckDBPyConnection) -> pa.Table:
    rows = result.to_arrow_table()
    assert rows is not None, "it has just been executed"
    return rows
