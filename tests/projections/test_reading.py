"""Rows are made ready for JSON column by column: each value comes out as it would on its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.queries.reading import Reading, as_json

#: The types that occur in tables and answers, and the bounds of what each holds.
VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "VARCHAR": st.text(max_size=8) | st.sampled_from(["", "Prüfung №7 ✂", "𝄞"]),
    "BOOLEAN": st.booleans(),
    "INTEGER": st.integers(-(2**31), 2**31 - 1),
    "UINTEGER": st.integers(0, 2**32 - 1),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "UBIGINT": st.integers(0, 2**64 - 1),
    "HUGEINT": st.integers(-(2**100), 2**100),
    "DOUBLE": st.floats() | st.just(float("nan")),
    "TIMESTAMP": st.datetimes(datetime(1, 1, 2), datetime(9998, 12, 31)),  # noqa: DTZ001 - UTC, as it is stored
    "DATE": st.dates(date(1, 1, 2), date(9998, 12, 31)),
    "DECIMAL(18,2)": st.decimals(Decimal("-1e9"), Decimal("1e9"), places=2),
}
NESTED: Final[dict[str, st.SearchStrategy[Any]]] = {
    **{f"{kind}[]": st.lists(st.none() | values, max_size=3) for kind, values in VALUES.items()},
    "STRUCT(since TIMESTAMP, name VARCHAR)[]": st.lists(
        st.fixed_dictionaries({"since": st.none() | VALUES["TIMESTAMP"], "name": st.none() | VALUES["VARCHAR"]}),
        max_size=3,
    ),
}
KINDS: Final = VALUES | NESTED
COLUMNS: Final = [f'"{kind}"' for kind in KINDS]


@pytest.fixture(scope="module")
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    columns = ", ".join(f'"{kind}" {kind}' for kind in KINDS)
    connection.execute(f"CREATE TABLE kinds_of_values (first_position BIGINT, {columns})")
    yield connection
    connection.close()


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.fixed_dictionaries({kind: st.none() | values for kind, values in KINDS.items()}), max_size=2))
def test_columns_come_out_as_value_by_value(cursor: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    cursor.execute("DELETE FROM kinds_of_values")
    given_as = ", ".join(f"?::{kind}" for kind in KINDS)
    for row in rows:
        cursor.execute(f"INSERT INTO kinds_of_values VALUES (1, {given_as})", [row[kind] for kind in KINDS])
    found = Reading(cursor).of_order("kinds_of_values", COLUMNS, 1)
    fetched = cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM kinds_of_values").fetchall()
    # By their texts: what is no number is not equal to itself.
    assert [[*map(repr, row.values())] for row in found] == [[repr(as_json(value)) for value in row] for row in fetched]


def test_moments_are_in_utc_and_say_so_wherever_they_stand(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute("DELETE FROM kinds_of_values")
    kinds = ['"TIMESTAMP"', '"TIMESTAMP[]"', '"STRUCT(since TIMESTAMP, name VARCHAR)[]"']
    cursor.execute(
        f"INSERT INTO kinds_of_values (first_position, {', '.join(kinds)}) "
        "SELECT 1, t, [t, NULL], [{since: t, name: 'x'}] FROM (SELECT TIMESTAMP '2026-03-02 09:00' AS t)"
    )
    (row,) = Reading(cursor).of_order("kinds_of_values", kinds, 1)
    moment = "2026-03-02T09:00:00Z"
    assert [*row.values()] == [moment, [moment, None], [{"since": moment, "name": "x"}]]
