"""What is not done in SQL between two models: rows go out as arrays, tables come back that the next one reads."""

from __future__ import annotations

import pyarrow as pa
from duckdb import DuckDBPyConnection

from projections import matching
from projections.book import Book
from projections.matching import Rules
from projections.terms import terms_of


def after(model: str, rows: pa.Table, rules: Rules, book: Book) -> dict[str, pa.Table]:
    """The tables that the models after ``model`` read besides, by name, given its rows in their order."""
    match model:
        case "told":
            expected, restated = matching.match(rows, rules)
            return {"expected": expected, "restated": restated}
        case "owed":
            return {"terms": terms_of(book, rows)}
    return {}


def put(cursor: DuckDBPyConnection, model: str, select: str, rules: Rules, book: Book) -> None:
    """Let the cursor's SQL have ``model``, the rows of ``select``, and the tables that are made of it."""
    rows = cursor.sql(select).to_arrow_table()
    cursor.register(model, rows)
    for name, table in after(model, rows, rules, book).items():
        cursor.register(name, table)
