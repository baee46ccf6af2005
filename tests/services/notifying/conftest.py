"""Fixtures of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.database import open_database
from tests.services.notifying.chain import Chain


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without facts; a copy of it opens ten times sooner than one is made."""
    path = tmp_path_factory.mktemp("empty") / "chain.duckdb"
    open_database(path).close()
    return path


@pytest.fixture
def chain(tmp_path: Path, empty_database: Path) -> Iterator[Chain]:
    """A log in memory with the real read models over it."""
    found = Chain(Path(shutil.copy(empty_database, tmp_path)))
    yield found
    found.close()
