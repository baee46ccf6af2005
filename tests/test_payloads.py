"""Submissions that nobody should hand in: each is accounted for. bench/payloads.py hands in a million."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.counting import counting
from tests.reliability.payloads import payloads
from tests.waiting import eventually

_COUNT = 10_000


@pytest.mark.timeout(150)
async def test_what_was_received_is_accepted_or_a_duplicate_or_rejected_or_held(tmp_path: Path) -> None:
    async with counting(tmp_path / "home") as run:
        await run.hand_in(payloads(_COUNT, drawn=100))  # drawing them takes longer than the rest of making them
        await eventually(run.balances, "everything is accounted for", patience=100)
    outcomes = run.count.outcomes
    first = sum(len(run.count.heard[place]) for place in run.count.received)
    assert first == len(run.count.received)
    # The payloads are worth their name: each end is reached often. Of twice as many, four times as many come twice.
    assert all(outcomes[each] > _COUNT / 100 for each in ("accepted", "rejected", "held")), outcomes
    assert outcomes["duplicate"] > (_COUNT / 1_000) ** 2, outcomes
