"""How much of a batch each partner may have. No network here.

What comes from one partner alone is taken in large batches, for that is fastest. As soon as several hand in, a batch
ends early, for whatever arrives meanwhile waits for its end: it should take no longer than an answer takes anyway. How
many submissions that are depends on what they are; so each batch that was measured tells how large the next may be.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

#: No batch is larger: the server appends no more at a time.
MOST: Final = 1_000

#: Of one partner, at least so many are taken at a time: each batch has its price, whatever is in it. With fewer,
#: several partners who have much to say would wait for each other's batches instead of for each other's submissions;
#: with more, one who has little to say would wait for theirs.
_FEWEST: Final = 16
_FEWEST_ALONE: Final = 400

#: What one partner may take of a batch (seconds): alone, and when others hand in, too.
_ALONE: Final = 0.25
_AMONG_OTHERS: Final = 0.006

#: A whole batch may hold the shares of so many partners.
_PARTNERS: Final = 4


def even_share(waiting: Collection[int], each: int, most: int) -> int:
    """The largest number, at most ``each``, of which every partner can have as many, or all of its ``waiting``, while
    that makes no more than ``most`` together; at least 1."""
    left, counts = most, sorted(waiting)
    for place, count in enumerate(counts):
        share = left // (len(counts) - place)
        if count > share:
            return max(1, min(each, share))
        left -= count
    return max(1, each)


class Pace:
    """How many submissions of one partner go into a batch; it follows how long batches take."""

    def __init__(self) -> None:
        self._alone = float(MOST)
        self._among_others = float(_FEWEST)

    def share(self, *, alone: bool) -> int:
        """Of one partner."""
        return int(self._alone if alone else self._among_others)

    def most(self, *, alone: bool) -> int:
        """Of all partners."""
        return MOST if alone else min(MOST, _PARTNERS * self.share(alone=False))

    def took(self, seconds: float, size: int, *, alone: bool) -> None:
        """A batch of ``size`` has taken that long: the next may be larger if there was time left, else smaller."""
        share = self._alone if alone else self._among_others
        budget = _ALONE if alone else _AMONG_OTHERS * max(1.0, min(_PARTNERS, size / share))
        if seconds > budget:
            share = max(_FEWEST_ALONE if alone else _FEWEST, share * 0.7)
        elif size >= share and seconds < budget / 2:
            share = min(MOST, share * 1.25)
        if alone:
            self._alone = share
        else:
            self._among_others = share
