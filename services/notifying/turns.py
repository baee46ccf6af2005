"""Whose turn it is among the orders of one customer: her letters leave one after the other.

How many she has got today, the read models know; a letter that left a moment ago, about another order of hers, they may
not know yet. Two notifiers do not share this: what they share is in places.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from weakref import WeakValueDictionary

from services.notifying.history import moment

#: The party that opened the order, and its number for the customer.
Customer = tuple[str | None, str | None]

#: The last letters of so many customers are remembered.
_MOST: Final = 10_000


class Turns:
    """One lock for each customer who is being written to, and where in the log her last letter of late stands."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Customer, asyncio.Lock] = WeakValueDictionary()
        self._last: dict[Customer, tuple[int, datetime]] = {}

    def of(self, customer: Customer) -> asyncio.Lock:
        """Hold this while her letter is decided on and sent; who is not known waits for nobody."""
        lock = self._locks.get(customer) if all(customer) else None
        if lock is None:
            lock = asyncio.Lock()
            if all(customer):
                self._locks[customer] = lock
        return lock

    def took(self, customer: Customer, position: int, at: datetime) -> None:
        """A letter to her left, not before ``at``; ``position`` is where the log says so."""
        if not all(customer):
            return
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[customer] = (position, at)

    def last(self, customer: Customer) -> int:
        """The position of her last letter of late; 0 without one."""
        known = self._last.get(customer)
        return known[0] if known is not None else 0

    def knows(self, customer: Customer, timeline: Mapping[str, Any]) -> bool:
        """Whether ``timeline`` counts that letter (or one after it), or cannot count it as it knows of no letters."""
        known = self._last.get(customer)
        letters = timeline.get("letters")
        return known is None or letters is None or any(moment(sent) >= known[1] for sent in letters)
