"""Whether intake stands still: a server whose disk was full answers all, and stores nothing until it restarts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from events.clock import Clock

#: Trouble that passes, such as a server that starts anew, is over sooner.
_LONG: Final = timedelta(seconds=30)

#: What is tried at all is tried more often: after so long without, another instance has it, or nobody.
_STILL: Final = timedelta(minutes=1)


class StandstillError(RuntimeError):
    """Nothing goes into the log; the message says since when, and what may help."""


class Standstill:
    """Hears of every batch whether it went on; ``check()`` raises StandstillError while none has for long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing: tuple[datetime, datetime, Exception] | None = None  # from, to

    def went_on(self) -> None:
        """A batch came to its end."""
        self._failing = None

    def failed(self, error: Exception) -> None:
        """A batch has to be tried again."""
        now = self._clock.now()
        self._failing = (now if self._failing is None else self._failing[0], now, error)

    def check(self) -> None:
        """Raises StandstillError where batches have failed for long, and do."""
        if self._failing is None:
            return
        since, last, error = self._failing
        if last - since >= _LONG and self._clock.now() - last < _STILL:
            raise StandstillError(
                f"nothing goes into the log since {since:%Y-%m-%dT%H:%M:%SZ} ({type(error).__name__}): "
                "if the server's disk was full, make room on it and start the server again"
            )
