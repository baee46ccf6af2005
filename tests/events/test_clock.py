"""The simulated clock wakes those whose moment has come, and no others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from events.clock import SimulatedClock, SystemClock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_waiters_wake_in_the_order_of_their_moments() -> None:
    clock = SimulatedClock(START)
    woken: list[int] = []

    async def wait(hours: int) -> None:
        await clock.wait_until(START + timedelta(hours=hours))
        woken.append(hours)

    tasks = [asyncio.create_task(wait(hours)) for hours in (3, 1, 2)]
    await asyncio.sleep(0)  # no time passes: each begins to wait
    clock.set(START + timedelta(hours=2))
    await asyncio.gather(tasks[1], tasks[2])
    assert woken == [1, 2]
    assert not tasks[0].done()
    clock.set(START + timedelta(hours=3))
    await tasks[0]
    assert clock.now() == START + timedelta(hours=3)


async def test_a_moment_that_is_past_needs_no_waiting() -> None:
    clock = SimulatedClock(START)
    await clock.wait_until(START - timedelta(days=1))
    await SystemClock().wait_until(START)


def test_time_never_runs_backwards() -> None:
    clock = SimulatedClock(START)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(START - timedelta(seconds=1))
    assert SystemClock().now().tzinfo is UTC
