"""Each backtest has a database of its own: here it need not make it."""

from __future__ import annotations

import pytest

from tests.ready import open_empty_database


@pytest.fixture(autouse=True)
def databases_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database is put where the backtest opens one."""
    monkeypatch.setattr("services.backtest.run.open_database", open_empty_database)
