"""When a service that fails again and again is left alone, and when it is tried again. No I/O and no clock in here.

Closed, every letter goes out. After some failures in a row it opens: nothing goes out for a while. Then it is half
open: one letter is the probe, and what becomes of it closes the breaker, or opens it for twice as long as before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

#: So many failures in a row open it.
FAILURES: Final = 5

#: How long it stays open the first time, and at most (seconds).
SHORTEST: Final = 30.0
LONGEST: Final = 600.0

#: It stays open for up to this much longer, so that many do not come back in one moment.
_SPREAD: Final = 0.25


@dataclass(frozen=True)
class Breaker:
    """``until`` is the moment (seconds on a monotonic clock) at which it is half open; None while it is closed."""

    failures: int = 0
    until: float | None = None
    openings: int = 0

    @property
    def is_closed(self) -> bool:
        return self.until is None

    def ready_in(self, now: float) -> float:
        """After how many seconds a letter may go out; 0: now."""
        return 0.0 if self.until is None else max(0.0, self.until - now)

    def succeeded(self) -> Breaker:
        """The service answered as it should."""
        return Breaker()

    def failed(self, now: float, chance: float) -> Breaker:
        """The service was in trouble; ``chance`` (0 to 1) spreads the moment at which it is tried again."""
        if self.until is not None and now < self.until:
            return self  # on its way since before it opened: that says nothing new
        if self.until is None and self.failures + 1 < FAILURES:
            return replace(self, failures=self.failures + 1)
        rest = min(SHORTEST * 2.0 ** min(self.openings, 10), LONGEST)
        return Breaker(self.failures, now + rest * (1 + _SPREAD * chance), self.openings + 1)
