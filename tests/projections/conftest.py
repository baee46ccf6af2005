"""Databases for the read models' tests, and the teller of stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.envelope import Event
from projections.database import Database
from tests.projections.story import Given, Story, new_database, tell, throw_away


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as database:
        yield database


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Given]:
    told: list[Story] = []

    def tell_it(*facts: Event) -> Story:
        told.append(tell(tmp_path, facts))
        return told[-1]

    yield tell_it
    for story in told:
        throw_away(story.database)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """A story without facts, one for all tests of a module."""
    with new_database(tmp_path_factory.mktemp("empty")) as database:
        yield lambda: Story(database)
