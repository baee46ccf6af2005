"""How many threads DuckDB puts to a statement.

For a large question it is as many as there are cores. For the small statements of a live batch, and where each core has
a statement of its own, threads that share one only wait for each other: of a batch that takes a third of the time.
Starting a thread takes as long as some of those statements do. So whoever needs them otherwise says so when he begins,
and leaves it at that.
"""

from __future__ import annotations

import threading

from duckdb import DuckDBPyConnection

from projections.statements import execute


def share_work(root: DuckDBPyConnection) -> None:
    """Let threads look up from long work now and then: without it nobody could let them go before it is done."""
    root.execute("SET GLOBAL scheduler_process_partial = true")


def threads_of(cursor: DuckDBPyConnection) -> int:
    """How many there are."""
    return int(cursor.execute("SELECT current_setting('threads')").fetchall()[0][0])


class Hands:
    """How many threads work for a database, of the ``most`` that may; one of them is whoever runs the statement."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._now = most
        self._changing = threading.Lock()

    def grow(self, cursor: DuckDBPyConnection) -> None:
        """From here on there may be as many as there are cores for us."""
        with self._changing:
            cursor.execute("RESET GLOBAL threads")
            self.most = self._now = threads_of(cursor)

    def all(self, cursor: DuckDBPyConnection) -> None:
        """Let all of them work on statements from here on, by whatever cursor."""
        self._set(cursor, self.most)

    def one(self, cursor: DuckDBPyConnection) -> None:
        """Let whoever runs a statement, by any cursor, work on it alone from here on."""
        self._set(cursor, 1)

    def _set(self, cursor: DuckDBPyConnection, threads: int) -> None:
        with self._changing:
            if threads != self._now:
                execute(cursor, f"SET GLOBAL threads = {int(threads)}")
                self._now = threads
