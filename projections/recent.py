"""What the mirror holds of the orders that began last, kept in memory for the next batch.

Reading a few orders from the file takes DuckDB longer than all else that is done for a batch of one fact, and reading
500 takes a third of what is done for them: for some rows in each of its vectors it unpacks them all. Facts are nearly
always about orders of the last weeks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from projections.kept import Kept
from projections.workbench import Workbench

#: What of `events` no model reads.
UNREAD: Final = frozenset({"type", "recorded_at", "correlation_id", "causation_id", "data"})

#: More rows than this are not kept (they take some 160 bytes each); the orders that began first go first.
_MOST_ROWS: Final = 400_000
#: Reading so many rows into memory takes as long as looking a few orders up in the file.
_WORTH: Final = 100_000

_ROWS: Final = f"""
SELECT * EXCLUDE ({", ".join(sorted(UNREAD))})
FROM chain.events
WHERE position >= $begin AND first_position >= $begin
"""  # noqa: S608 - our own names
_ORDERS: Final = "SELECT order_id, first_position, until, announces FROM chain.subjects WHERE first_position >= $begin"


class Known(NamedTuple):
    """Where an order begins, by where it ends, and whether it ever announced anything, as `subjects` has it."""

    first_position: int
    until: int
    announces: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of `raw` (see live.py), those of one order together; ``firsts`` says where the order of each begins."""

    firsts: npt.NDArray[np.int64]
    rows: pa.Table


class Recent:
    """All that the mirror holds of the orders that begin at ``begin`` or later; nothing of any other.

    Whoever changes the mirror has to have it remembered, or to clear this.
    """

    def __init__(self, begin: int, most_rows: int | None = None) -> None:
        self.begin = begin
        #: What the models' tables hold of these orders, as far as it is known. Whoever has something remembered has it
        #: forget what is no longer kept here, once nobody compares with it any more.
        self.kept = Kept()
        self._most_rows = _MOST_ROWS if most_rows is None else most_rows
        self._orders: dict[str, Known] = {}
        self._runs: list[_Run] = []  # the longest first
        self._is_read = False
        self._missed = 0

    def find(self, order_ids: Collection[str]) -> dict[str, Known]:
        """Those that are known."""
        return {order: known for order in order_ids if (known := self._orders.get(order)) is not None}

    def miss(self, writer: Workbench, end: int) -> bool:
        """Orders were asked for that are not known. Once that has happened often enough, read all there are.

        ``end`` is the position after the last in the mirror. Tells whether anything was read.
        """
        begin = max(end - self._most_rows, 1)
        self._missed += 1
        if self._is_read or self._missed * _WORTH < end - begin:
            return False
        self.clear(begin)
        self._is_read = True
        self.remember(
            writer.look_up(_ORDERS, {"begin": begin}),
            writer.look_up(_ROWS, {"begin": begin}),
        )
        return True

    @property
    def orders(self) -> list[int]:
        """Where they begin."""
        return [known.first_position for known in self._orders.values()]

    def rows_of(self, firsts: Collection[int]) -> list[pa.Table]:
        """The rows of the orders that begin there, which are ``begin`` or later."""
        wanted = np.sort(np.fromiter(firsts, np.int64, len(firsts)))
        found = (_of_orders(run, wanted) for run in self._runs)
        return [rows for rows in found if len(rows)]

    def remember(self, touched: pa.Table, rows: pa.Table, stands: Collection[int] = ()) -> None:
        """Keep what came to the mirror: orders as `subjects` has them now, and the new rows.

        Orders that begin at ``stands`` are known as they are.
        """
        firsts = touched["first_position"].to_numpy().tolist()
        changed = [row for row, first in enumerate(firsts) if first >= self.begin and first not in stands]
        if changed:
            orders = touched.take(pa.array(changed, pa.int64())).to_pydict()
            known = map(Known, *(orders[name] for name in Known._fields))
            self._orders.update(zip(orders["order_id"], known, strict=True))
        # Each is longer than all after it together: there are few, and each row is moved seldom.
        after, count = len(rows), len(self._runs)
        while count and len(self._runs[count - 1].firsts) <= 2 * after:
            count -= 1
            after += len(self._runs[count].firsts)
        self._runs[count:] = [_run_of([*(run.rows for run in self._runs[count:]), rows], self.begin)]
        if sum(len(run.firsts) for run in self._runs) > self._most_rows:
            self._forget_the_first()

    def clear(self, begin: int) -> None:
        """Keep nothing. What begins from ``begin`` on is yet to come to the mirror."""
        self.begin = begin
        self._orders.clear()
        self._runs.clear()
        self.kept.clear()
        self._is_read, self._missed = False, 0

    def _forget_the_first(self) -> None:
        """Make room for some time to come."""
        self._join()
        firsts = self._runs[0].firsts
        self.begin = int(firsts[-(self._most_rows * 3 // 4) - 1]) + 1
        self._orders = {order: known for order, known in self._orders.items() if known.first_position >= self.begin}
        self._join()

    def _join(self) -> None:
        """Make one of all runs."""
        self._runs = [_run_of([run.rows for run in self._runs], self.begin)]


def _run_of(parts: list[pa.Table], begin: int) -> _Run:
    rows: Any = pa.concat_tables(parts).combine_chunks()
    firsts = np.asarray(rows["first_position"].to_numpy(), np.int64)
    if np.any(firsts[1:] < firsts[:-1]):
        order = np.argsort(firsts, kind="stable")
        rows, firsts = rows.take(pa.array(order)), firsts[order]
    old = int(np.searchsorted(firsts, begin))
    return _Run(firsts[old:], rows.slice(old)) if not old else _Run(firsts[old:].copy(), _copied(rows.slice(old)))


def _copied(rows: Any) -> Any:
    """The rows by themselves, so that those before and after them are not kept."""
    return rows.take(pa.array(np.arange(len(rows))))


def _of_orders(run: _Run, wanted: npt.NDArray[np.int64]) -> pa.Table:
    begins, ends = np.searchsorted(run.firsts, wanted), np.searchsorted(run.firsts, wanted, side="right")
    counts = ends - begins
    total = int(counts.sum())
    rows: Any = run.rows
    if len(wanted) == 1 or not total:
        sliced: pa.Table = rows.slice(int(begins[0]) if total else 0, total)
        return sliced
    places = np.arange(total) + np.repeat(begins - (np.cumsum(counts) - counts), counts)
    taken: pa.Table = rows.take(pa.array(places))
    return taken


class Keys:
    """The keys (hashes of the ids) of all orders in `subjects`, and perhaps of some more: any other is new.

    Eight bytes for each order.
    """

    def __init__(self, keys: Iterable[Any]) -> None:
        self._sorted: npt.NDArray[np.uint64] = np.sort(np.asarray(keys, np.uint64))
        self._added: set[int] = set()

    def may_have(self, keys: Collection[int]) -> bool:
        """Whether any of them may be there."""
        if not self._added.isdisjoint(keys):
            return True
        if not len(self._sorted):
            return False
        wanted = np.array(list(keys), np.uint64)
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return bool(np.any(self._sorted[places] == wanted))

    def add(self, keys: Iterable[int]) -> None:
        self._added.update(keys)
        if len(self._added) > 100_000:
            self._sorted = np.union1d(self._sorted, np.fromiter(self._added, np.uint64))
            self._added.clear()
