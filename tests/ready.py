"""Database files made once in a process and copied from then on: making one takes ten times longer than opening it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from projections.database import open_database


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        open_database(file).close()
        return file.read_bytes()


def put_empty_database(file: Path) -> None:
    """Let ``file`` be a database without facts, as ``open_database`` would make it there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_empty())
