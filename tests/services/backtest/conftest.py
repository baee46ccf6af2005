"""Each backtest has a database of its own: here it is lent one (tests/ready.py)."""

from __future__ import annotations

import pytest

from tests.ready import lent_database


@pytest.fixture(autouse=True)
def databases_are_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database is put where the backtest opens one."""
    monkeypatch.setattr("services.backtest.run.open_database", lambda *_, **__: lent_database())
