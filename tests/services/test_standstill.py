"""That intake stands still is told once it has for long, and for as long as it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.clock import SimulatedClock
from services.intake.standstill import Standstill, StandstillError

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TROUBLE = TimeoutError()


def test_trouble_is_told_when_it_lasts_and_no_longer_than_it_does() -> None:
    clock = SimulatedClock(START)
    still = Standstill(clock)

    def failed_at(seconds: int) -> None:
        clock.set(START + timedelta(seconds=seconds))
        still.failed(TROUBLE)

    still.check()
    for seconds in (0, 29):
        failed_at(seconds)
        still.check()
    failed_at(30)
    with pytest.raises(StandstillError, match=r"since 2026-11-21T12:00:00Z \(TimeoutError\)"):
        still.check()
    clock.set(START + timedelta(seconds=90))  # another instance may have taken what failed here
    still.check()
    failed_at(91)
    still.went_on()
    still.check()
    failed_at(92)
    still.check()
