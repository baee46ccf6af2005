"""One question at work: a cursor within one transaction, so that all rows and the position belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from projections.book import Book, read_book
from projections.queries.arguments import Arguments, QueryError
from projections.statements import execute, read_sql

Row = dict[str, Any]


@dataclass(frozen=True)
class Past:
    """What holds of one order at another moment (past.py): its events and the rows of its models, and the book."""

    tables: Mapping[str, pa.Table]
    book: Book

    def rows(self, table: str, columns: Sequence[str], first: int) -> list[Row]:
        """Some columns of the order that begins there."""
        rows: Any = self.tables[table]
        own = rows.filter(pc.is_in(rows["first_position"], pa.array([first], pa.int64()))).select(columns)
        return [{name: as_json(value) for name, value in row.items()} for row in own.to_pylist()]


@dataclass(frozen=True)
class Reading:
    """What a query function works with."""

    cursor: DuckDBPyConnection
    as_of: datetime | None = None
    known_at: datetime | None = None
    now: datetime | None = None
    past: Past | None = None

    @property
    def travels(self) -> bool:
        """Whether the question is about another moment than now."""
        return self.as_of is not None or self.known_at is not None

    def moment_or_none(self, arguments: Arguments) -> datetime | None:
        """The moment from which the question is asked: as given, else the one that it is about, else now, if told."""
        return arguments.moment("now") or self.as_of or self.known_at or self.now

    def moment(self, arguments: Arguments) -> datetime:
        """The same, for questions that make no sense without. Raises QueryError."""
        now = self.moment_or_none(arguments)
        if now is None:
            raise QueryError("say when: 'now' is missing")
        return now

    @property
    def book(self) -> Book:
        """The book that due times are looked up in, for whoever does not ask SQL about them."""
        return self.past.book if self.past is not None else read_book(self.cursor)

    def rows(self, query: str, **parameters: Any) -> list[Row]:
        """The rows of queries/``query``.sql, ready for JSON."""
        return self._rows(read_sql(query, "queries"), parameters)

    def of_order(self, table: str, columns: Sequence[str], first: int) -> list[Row]:
        """Some columns of one order's rows in a table, in no order: DuckDB plans no statement sooner."""
        if self.past is not None:
            return self.past.rows(table, columns, first)
        select = f"SELECT {', '.join(columns)} FROM {table} WHERE first_position = $first"  # noqa: S608 - our names
        return self._rows(select, {"first": first})

    def _rows(self, select: str, parameters: Mapping[str, Any]) -> list[Row]:
        bound = {name: as_parameter(value) for name, value in parameters.items()}
        cursor = execute(self.cursor, select, bound)
        columns = cursor.description or []
        names = [column[0] for column in columns]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        # Column by column, and only where it makes a difference: of many rows most of the time goes into this.
        for name in [column[0] for column in columns if str(column[1]) not in _AS_IN_JSON]:
            for row in rows:
                row[name] = as_json(row[name])
        return rows


#: Types whose values JSON has, too.
_AS_IN_JSON: Final = frozenset({"VARCHAR", "BOOLEAN", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"})


def as_parameter(value: Any) -> Any:
    """Moments go into DuckDB as UTC without a zone, like all that are stored there."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def as_json(value: Any) -> Any:
    """A value from DuckDB as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    return value
