"""Functions that queries call from SQL: they count in opening hours, which SQL knows nothing of."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import ARROW, SPECIAL
from duckdb.sqltypes import BIGINT, TIMESTAMP, VARCHAR

from projections.book import find
from projections.terms import NONE, moments_of

_NAME: Final = "worked_seconds"


def add_functions(connection: DuckDBPyConnection) -> None:
    """Make the functions known to all cursors of ``connection``.

    ``worked_seconds(book, party, from, until)``: the opening hours of ``party`` in between, in seconds.
    """
    connection.create_function(
        _NAME,
        _worked_seconds,
        [BIGINT, VARCHAR, TIMESTAMP, TIMESTAMP],
        BIGINT,
        type=ARROW,
        null_handling=SPECIAL,
        side_effects=False,
    )


def remove_functions(connection: DuckDBPyConnection) -> None:
    """Take them away again: DuckDB would otherwise keep the connection alive for them."""
    with suppress(duckdb.Error):  # closed before
        connection.remove_function(_NAME)


def _worked_seconds(books: Any, parties: Any, begins: Any, ends: Any) -> Any:
    """Of a chunk of rows, as arrays of Arrow."""
    book = find(books[0].as_py())
    begin, end = moments_of(begins), moments_of(ends)
    worked = np.zeros(len(begin), np.int64)
    groups: dict[str, list[int]] = {}
    for row, party in enumerate(parties.to_pylist()):
        if party is not None and begin[row] != NONE and end[row] != NONE:
            groups.setdefault(party, []).append(row)
    for party, members in groups.items():
        rows = np.array(members)
        worked[rows] = np.asarray(book.clock_of(party).between(begin[rows], end[rows])) // 1_000_000
    return pa.array(worked)
