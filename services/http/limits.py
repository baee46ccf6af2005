"""How much one partner may ask for: so many events a second in the long run, and so many requests at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from services.http.problems import Refused

#: Events of one batch, and so what a partner that was quiet may hand in at once at the least.
MAX_BATCH: Final = 1_000
#: Requests of one partner that may be on their way.
AT_A_TIME: Final = 16


class Limits:
    """One bucket per party, which fills at ``rate`` events a second; ``monotonic`` tells seconds."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._size = max(float(MAX_BATCH), 10 * rate)
        self._monotonic = monotonic
        self._levels: dict[str, tuple[float, float]] = {}
        self._under_way: Counter[str] = Counter()

    def spend(self, party: str, events: int) -> None:
        """Take ``events`` from the party's bucket. Raises Refused (429) with the seconds until there are so many."""
        now = self._monotonic()
        level, then = self._levels.get(party, (self._size, now))
        level = min(self._size, level + (now - then) * self._rate)
        if level < events:
            self._levels[party] = level, now
            wait = math.ceil((events - level) / self._rate)
            raise Refused(429, "too-many", f"{self._rate:g} events a second are taken: try again in {wait} s", wait)
        self._levels[party] = level - events, now

    @contextmanager
    def under_way(self, party: str, most: int = AT_A_TIME, what: str = "requests of one partner") -> Iterator[None]:
        """For as long as a request of the party is answered. Raises Refused (429) beyond ``most`` of them, which says
        ``what`` they are."""
        if self._under_way[party] >= most:
            raise Refused(429, "too-many", f"at most {most} {what} are answered at a time", 1)
        self._under_way[party] += 1
        try:
            yield
        finally:
            self._under_way[party] -= 1
            if not self._under_way[party]:
                del self._under_way[party]
