"""Messages that wait for their moment: a morning, a retry, a claim that runs out. On the clock that is handed in.

Nothing is lost with it: whatever has no outcome is found again in the read models.
"""

from __future__ import annotations

import heapq
from datetime import datetime

from events.envelope import Event

#: An order and the id of a message about it.
Waiter = tuple[str, str]


class AgainLaterError(Exception):
    """The message did not leave; look at ``message`` again after ``delay`` seconds."""

    def __init__(self, delay: float, message: str = "") -> None:
        super().__init__(f"again in {delay:g} s")
        self.delay = delay
        self.message = message


class NotYetError(Exception):
    """The cue has come too early to be told: look at it again after ``delay`` seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"in {delay:g} s")
        self.delay = delay


class LapsedError(Exception):
    """The message has waited until it was true no longer, and what ``trigger`` says has to be told in other words."""

    def __init__(self, trigger: Event) -> None:
        super().__init__(f"{trigger.name} is to be told anew")
        self.trigger = trigger


class Waiting:
    """What waits, by the moment at which it is looked at again; each message once, for the earliest of its moments."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, Waiter]] = []
        self._moments: dict[Waiter, datetime] = {}

    def add(self, moment: datetime, waiter: Waiter) -> None:
        """Have ``waiter`` come up at ``moment``, unless it does so sooner anyway."""
        known = self._moments.get(waiter)
        if known is None or moment < known:
            self._moments[waiter] = moment
            heapq.heappush(self._heap, (moment, waiter))

    def bring_up(self, moment: datetime) -> None:
        """Have all of them come up at ``moment``, or sooner."""
        for waiter in list(self._moments):
            self.add(moment, waiter)

    def next(self) -> datetime | None:
        """When the next one comes up."""
        self._drop_outdated()
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> list[Waiter]:
        """Take out those whose moment has come, the earliest first."""
        found = []
        while (moment := self.next()) is not None and moment <= now:
            _, waiter = heapq.heappop(self._heap)
            del self._moments[waiter]
            found.append(waiter)
        return found

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._moments

    def __len__(self) -> int:
        return len(self._moments)

    def _drop_outdated(self) -> None:
        while self._heap and self._moments.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
