"""One question at work: a cursor within one transaction, so that all rows and the position belong together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from projections.queries.arguments import Arguments, QueryError
from projections.statements import execute, read_sql

Row = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """What a query function works with."""

    cursor: DuckDBPyConnection
    as_of: datetime | None = None
    known_at: datetime | None = None
    now: datetime | None = None

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

    def rows(self, query: str, **parameters: Any) -> list[Row]:
        """The rows of queries/``query``.sql, ready for JSON."""
        bound = {name: as_parameter(value) for name, value in parameters.items()}
        cursor = execute(self.cursor, read_sql(query, "queries"), bound)
        names = [column[0] for column in cursor.description or ()]
        return [{name: as_json(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]


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
