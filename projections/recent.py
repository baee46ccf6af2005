"""What the mirror holds of the orders that were spoken of last, kept in memory for the next small batch.

Reading one order from the file takes DuckDB longer than all else that is done for a batch of one fact, and the facts of
an order often come one shortly after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

#: For more orders than this in a batch, putting their rows together takes as long as reading them.
SMALL: Final = 16

#: More rows than this are not kept; the orders that were not spoken of for longest go first.
_MOST_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """An order that lies at ``first_position`` by itself: all rows of `raw` that it has (see live.py)."""

    order_id: str
    first_position: int
    announces: bool
    rows: pa.Table


class Recent:
    """As of the last batch that was applied. Whoever changes the mirror has to remember or forget what it touches."""

    def __init__(self, most_rows: int = _MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._orders: dict[str, Remembered] = {}  # the last used are at the end
        self._rows = 0

    def find(self, order_ids: Collection[str]) -> dict[str, Remembered]:
        """Those that are remembered."""
        if len(order_ids) > SMALL:
            return {}
        return {order: self._orders[order] for order in order_ids if order in self._orders}

    def remember(self, touched: pa.Table, raw: pa.Table) -> None:
        """Keep the rows of the touched orders, each of which is by itself, in place of what was kept of them."""
        self.forget(touched)
        if len(touched) > SMALL:
            return
        firsts = np.asarray(raw["first_position"].to_numpy(), np.int64)
        for order in touched.to_pylist():
            of_order: Any = raw.filter(pa.array(firsts == order["first_position"])) if len(touched) > 1 else raw
            if len(of_order) <= self._most_rows:
                # In one piece: a table that grows by a piece with each batch gets slower with each.
                rows = of_order.combine_chunks()
                kept = Remembered(order["order_id"], order["first_position"], order["announces"], rows)
                self._orders[kept.order_id] = kept
                self._rows += len(rows)
        while self._rows > self._most_rows:
            self._drop(next(iter(self._orders)))

    def forget(self, touched: pa.Table) -> None:
        """Keep nothing of the touched orders."""
        if self._orders:
            for order in touched["order_id"].to_pylist():
                self._drop(str(order))

    def clear(self) -> None:
        """Keep nothing."""
        self._orders.clear()
        self._rows = 0

    def _drop(self, order_id: str) -> None:
        dropped = self._orders.pop(order_id, None)
        if dropped is not None:
            self._rows -= len(dropped.rows)


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
