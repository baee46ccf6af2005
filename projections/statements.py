"""SQL texts, parsed once. DuckDB plans a statement anew each time, but need not read it anew."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection, Statement


@lru_cache(maxsize=512)
def parsed(sql: str) -> Statement:
    """The one statement in ``sql``."""
    (statement,) = duckdb.extract_statements(sql)
    return statement


@lru_cache
def read_sql(name: str, folder: str = "sql") -> str:
    """The text of ``folder``/``name``.sql in this package."""
    return resources.files("projections").joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


def execute(cursor: DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> DuckDBPyConnection:
    """Run one statement whose text is always the same; what varies is in ``parameters``."""
    return cursor.execute(parsed(sql), parameters)
