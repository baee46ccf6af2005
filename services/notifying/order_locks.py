"""One at a time of each order: what has waited here must not run into what comes in."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class OrderLocks:
    """One lock for each order of which something is at hand."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, order: str) -> asyncio.Lock:
        """Hold this while something about the order is decided on and sent."""
        lock = self._locks.get(order)
        if lock is None:
            lock = self._locks[order] = asyncio.Lock()
        return lock
