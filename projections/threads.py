"""How many threads DuckDB puts to a statement.

For a large question it is as many as there are cores. For the small statements of a live batch, and where each core has
a statement of its own, threads that share one only wait for each other: of a batch that takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from duckdb import DuckDBPyConnection

from projections.statements import execute


def share_work(root: DuckDBPyConnection) -> None:
    """Let threads look up from long work now and then: without it nobody could ``work_alone`` before it is done."""
    root.execute("SET GLOBAL scheduler_process_partial = true")


def threads_of(cursor: DuckDBPyConnection) -> int:
    """How many there are."""
    return int(cursor.execute("SELECT current_setting('threads')").fetchall()[0][0])


@contextmanager
def work_alone(cursor: DuckDBPyConnection, threads: int) -> Iterator[None]:
    """Let whoever runs a statement, by any cursor, work on it alone; and then let there be ``threads`` again.

    With ``threads`` 1 nothing is changed.
    """
    if threads == 1:
        yield
        return
    execute(cursor, "SET GLOBAL threads = 1")
    try:
        yield
    finally:
        execute(cursor, f"SET GLOBAL threads = {int(threads)}")
