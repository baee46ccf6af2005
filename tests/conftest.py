"""Fixtures shared by all rooms: a home folder, and a real server on a free port."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from services.settings import PREFIX
from tests.chainserver import ChainServer


@pytest.fixture(autouse=True, scope="session")
def plain_tracebacks() -> None:
    """As in the services themselves (logs.py). Colouring one with all its variables takes longer than most tests."""
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, renderer])


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """What a test sets up for its logs ends with it, and so does the stream that they went to."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees no REPAIRCHAIN_… variables but its own."""
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)


@pytest.fixture
def free_home(tmp_path: Path) -> Path:
    """A home folder that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
async def chain_server(free_home: Path) -> AsyncIterator[ChainServer]:
    """A real nats-server on a free port with a store, accounts and credentials of its own; see ChainServer."""
    async with ChainServer(free_home) as server:
        yield server
