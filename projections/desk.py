"""Where the one who writes works: a workbench in the transaction, and one beside it where rows are made from rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from projections.beside import learn
from projections.recent import Keys, Recent
from projections.rules import Rules
from projections.workbench import Workbench

_log = logging.getLogger(__name__)


class Desk:
    """Set up once for many batches, for the plans that are kept on it. Takes over the cursor and borrows ``maker``.

    That one is in a database of its own, without rows: few rows are made faster by one thread than by several that
    have to wait for each other, and this way the writer's database may have as many as there are cores.
    """

    def __init__(self, cursor: DuckDBPyConnection, maker: Workbench, mirrored: int) -> None:
        #: Reads and changes the database's tables.
        self.writer = Workbench(cursor)
        #: Sees nothing but what is put there.
        self.maker = maker
        self.put("vocabulary", self.writer.look_up("FROM chain.vocabulary"))
        self.rules = Rules.read(cursor)
        #: Where orders begin of which something may be void.
        self.voided: set[int] = {
            first for (first,) in cursor.execute("SELECT DISTINCT first_position FROM chain.voids").fetchall()
        }
        #: Of the orders that began last, and of all. Both hold for as long as nobody but this desk changes the mirror.
        self.recent = Recent(begin=mirrored + 1)
        self.keys = Keys(self.writer.look_up("SELECT order_key FROM chain.subjects")["order_key"].to_numpy())
        self._noting: Callable[[], None] | None = None
        self._no_voids = self.writer.look_up("FROM chain.voids LIMIT 0")

    def put(self, name: str, rows: pa.Table) -> None:
        """Let ``name`` mean ``rows`` for both."""
        self.writer.put(name, rows)
        self.maker.put(name, rows)

    def voids_of(self, firsts: Sequence[int]) -> pa.Table:
        """The stored rows of `voids` of orders that begin there, which have been put here as `touched`."""
        if self.voided.isdisjoint(firsts):
            return self._no_voids
        return self.writer.look_up("FROM chain.voids WHERE first_position IN (SELECT first_position FROM touched)")

    def miss(self, end: int) -> bool:
        """See ``Recent.miss``. What the models have of the orders that were read is made out, too."""
        if not self.recent.miss(self.writer, end):
            return False
        recent = self.recent
        voids = self.writer.look_up(
            "SELECT position FROM chain.voids WHERE first_position >= $begin", {"begin": recent.begin}
        )
        gone = voids["position"].to_numpy()
        rows: Any
        for rows in recent.rows_of(recent.orders):
            counts = ~np.isin(rows["position"].to_numpy(), gone)
            counts &= np.asarray(rows["version"].fill_null(-1).to_numpy()) != 0
            learn(recent.kept, recent.orders, rows.filter(pa.array(counts)), self.rules)
        return True

    def note(self, note: Callable[[], None]) -> None:
        """Have ``note()`` done once the transaction is committed."""
        self._noting = note

    def take_note(self) -> bool:
        """Do so. Tells whether it is done; otherwise the desk knows less than was committed, and has to be closed."""
        noting, self._noting = self._noting, None
        try:
            if noting is not None:
                noting()
        except Exception:  # noqa: BLE001 - whatever it is, what was committed stands
            _log.exception("the desk is set up again")
            return False
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction of the writer's. After an exception the desk has to be closed, which rolls it back."""
        self.writer.cursor.execute("BEGIN")
        yield
        self.writer.cursor.execute("COMMIT")

    def close(self) -> None:
        """The maker is left as it is."""
        self.writer.cursor.close()
