"""Databases for the read models' tests, and the teller of stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.envelope import Event
from projections.database import Database
from tests.projections.story import Given, Story, new_database, tell, throw_away


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the empty database is kept that others are copied from."""
    return tmp_path_factory.mktemp("base")


@pytest.fixture
def database(tmp_path: Path, base: Path) -> Iterator[Database]:
    with new_database(tmp_path, base) as database:
        yield database


@pytest.fixture
def given(tmp_path: Path, base: Path) -> Iterator[Given]:
    told: list[Story] = []

    def tell_it(*facts: Event) -> Story:
        told.append(tell(tmp_path, base, facts))
        return told[-1]

    yield tell_it
    for story in told:
        throw_away(story.database)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Iterator[Given]:
    """A story without facts, one for all tests of a module."""
    with new_database(tmp_path_factory.mktemp("empty"), base) as database:
        yield lambda: Story(database)
