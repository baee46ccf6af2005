"""The notifier dies at every step of telling, and a third of the answers are lost. bench/telling_kills.py goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chainserver import refusals
from tests.reliability.dying import STEPS
from tests.reliability.telling import campaign, telling


@pytest.mark.timeout(240)
async def test_no_cause_is_forgotten_and_nobody_is_told_twice(tmp_path: Path) -> None:
    async with telling(tmp_path / "home", seed=3) as scene:
        outcomes = await campaign(scene, rounds=1)
        assert scene.deaths == dict.fromkeys(STEPS, 1)
        assert outcomes["message.sent"] > 10
    assert refusals(tmp_path / "home") == []
