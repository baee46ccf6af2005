"""What was said to parties lately, for those who ask again and again: the latest, with a cursor."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: So many items of one party are remembered.
KEPT: Final = 1_000

_CURSOR: Final = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")


class Remembered(Generic[T]):
    """At most ``KEPT`` items of a party and ``in_all`` of all: of those to whom something was said most recently.

    A cursor is a text that says how far somebody has read, and since when it has been counted: with one of another
    count all that is remembered is told, since nobody knows how much of it is new. A count goes on over a restart where
    what was said before is ``recalled``.
    """

    def __init__(self, in_all: int) -> None:
        self.in_all = in_all
        self._run = secrets.token_hex(4)
        self._latest: OrderedDict[str, deque[tuple[int, T]]] = OrderedDict()
        self._number = 0
        self._count = 0

    def recall(self, run: str, first: int, items: Iterable[tuple[int, str, T]]) -> None:
        """Go on with the count called ``run`` at ``first``, and with what was said before (number, party, item)."""
        for number, party, item in items:
            self._put(party, number, item)
        self._run, self._number = run, first

    def add(self, party: str, item: T) -> int:
        """Remember one item; its number."""
        self._number += 1
        self._put(party, self._number, item)
        return self._number

    def _put(self, party: str, number: int, item: T) -> None:
        latest = self._latest.setdefault(party, deque(maxlen=KEPT))
        self._count += len(latest) < KEPT
        latest.append((number, item))
        self._latest.move_to_end(party)
        while self._count > self.in_all:
            _, gone = self._latest.popitem(last=False)
            self._count -= len(gone)

    def after(self, party: str, cursor: str, limit: int) -> tuple[list[T], str]:
        """The items of ``party`` after ``cursor`` ("" is the beginning), as they came, and the cursor to go on from."""
        found = _CURSOR.fullmatch(cursor)
        seen = int(found[2]) if found and found[1] == self._run else 0
        new = [(number, item) for number, item in self._latest.get(party, ()) if number > seen][:limit]
        return [item for _, item in new], f"{self._run}-{new[-1][0] if new else seen}"

    def all_of(self, party: str) -> list[T]:
        """The items of ``party``, the latest first."""
        return [item for _, item in reversed(self._latest.get(party, ()))]
