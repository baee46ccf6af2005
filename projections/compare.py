"""Two snapshots, row for row: the live read models and a fresh rebuild must be the same."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from projections.models import STORED_MODELS

#: The mirror and every read model; the closures' sums are made of `closures`.
TABLES: Final = ("events", "subjects", "merged", *(model.name for model in STORED_MODELS))
#: No table lists more differences than this on either side.
_SHOWN: Final = 20


@dataclass(frozen=True)
class Difference:
    """A row that only one of the two has; ``side`` is "first" or "second", ``row`` shows its columns."""

    table: str
    side: str
    row: str

    def __str__(self) -> str:
        return f"{self.table}: only the {self.side} has {self.row}"


def compare(first: Path | str, second: Path | str) -> list[Difference]:
    """The rows in which two snapshot files differ, at most some twenty per table and side. Empty if they are equal.

    Raises duckdb.Error if a file cannot be read.
    """
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
    try:
        for name, file in (("first", first), ("second", second)):
            quoted = str(file).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
        return [difference for table in TABLES for difference in _differences(connection, table)]
    finally:
        connection.close()


def _differences(connection: DuckDBPyConnection, table: str) -> Iterator[Difference]:
    for side, other in (("first", "second"), ("second", "first")):
        rows = connection.execute(
            f"SELECT t::VARCHAR FROM (FROM {side}.{table} EXCEPT ALL FROM {other}.{table}) AS t LIMIT {_SHOWN}"
        ).fetchall()
        yield from (Difference(table, side, row) for (row,) in rows)
