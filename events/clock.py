"""Time as an argument: the real clock, and one that is set by hand for stories, the demo and backtests."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, tzinfo
from typing import Protocol


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """``moment`` by the clocks of ``zone`` (None is that of this machine), or as it is where these have no such day.

    Systems that say 9999-12-31T23:59:59Z for "never" do so everywhere, and east of Greenwich that is the year 10000.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


class Clock(Protocol):
    """Where all code takes the time from."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""

    async def wait_until(self, moment: datetime) -> None:
        """Return once ``moment`` has come on this clock; at once if it is past."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, moment: datetime) -> None:
        # The wall clock may be set while we wait, so look again at least once a minute.
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - nothing announces the wall clock
            await asyncio.sleep(min(left, 60.0))


class SimulatedClock:
    """A clock that stands still until it is set. It never runs backwards."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._order = itertools.count()
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        """Move on to ``moment`` and wake whoever waited for it. Raises ValueError for a moment in the past."""
        moment = moment.astimezone(UTC)
        if moment < self._now:
            raise ValueError(
                f"the clock stands at {self._now:%Y-%m-%d %H:%M} and cannot go back to {moment:%Y-%m-%d %H:%M}"
            )
        self._now = moment
        while self._waiting and self._waiting[0][0] <= moment:
            _, _, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                waiter.set_result(None)

    async def wait_until(self, moment: datetime) -> None:
        if moment <= self._now:
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (moment.astimezone(UTC), next(self._order), waiter))
        await waiter
