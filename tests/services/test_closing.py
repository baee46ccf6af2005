"""What a service held open is closed when it has stopped or could not start; and a shop's templates are found."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from events.clock import SystemClock
from services.notifying.templating import VARIABLE
from services.settings import Settings
from services.wiring import build
from services.wrapping import Closing, Connected


class Stopping:
    """A service that says what is done with it."""

    def __init__(
        self, said: list[str], trouble: Exception | None = None, trouble_first: Exception | None = None
    ) -> None:
        self._said, self._trouble, self._trouble_first = said, trouble, trouble_first

    async def start(self) -> None:
        if self._trouble_first is not None:
            raise self._trouble_first
        self._said.append("started")

    async def stop(self) -> None:
        self._said.append("stopped")
        if self._trouble is not None:
            raise self._trouble

    async def check(self) -> str:
        return "fine"


async def test_it_closes_after_it_has_stopped() -> None:
    said: list[str] = []
    service = Closing(Stopping(said), lambda: said.append("closed"))
    await service.start()
    assert await service.check() == "fine"
    await service.stop()
    assert said == ["started", "stopped", "closed"]


async def test_it_closes_although_stopping_failed() -> None:
    said: list[str] = []
    with pytest.raises(OSError, match="gone"):
        await Closing(Stopping(said, OSError("gone")), lambda: said.append("closed")).stop()
    assert said == ["stopped", "closed"]


async def test_it_closes_when_it_could_not_start() -> None:
    said: list[str] = []
    with pytest.raises(OSError, match="away"):
        await Closing(Stopping(said, trouble_first=OSError("away")), lambda: said.append("closed")).start()
    assert said == ["closed"]


async def test_a_connection_is_left_although_stopping_failed() -> None:
    said: list[str] = []
    client = Mock(is_connected=False, close=AsyncMock(side_effect=lambda: said.append("left")))
    service = Connected(AsyncMock(return_value=client), lambda _: Stopping(said, OSError("gone")))
    await service.start()
    with pytest.raises(OSError, match="gone"):
        await service.stop()
    assert said == ["started", "stopped", "left"]


def test_templates_that_only_the_settings_name_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    build("notifier", Settings(home=tmp_path, templates=tmp_path / "words"), SystemClock())
    assert os.environ[VARIABLE] == str(tmp_path / "words")
