"""Databases for the read models' tests, and the teller of stories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from events.envelope import Event
from projections.database import Database
from tests.projections.story import Given, Story, tell
from tests.ready import give_back, lent_database


@pytest.fixture
def database() -> Iterator[Database]:
    """One without facts. It is lent (tests/ready.py): a test that is about its file or closes it makes its own."""
    with lent_database() as database:
        yield database


@pytest.fixture
def given() -> Iterator[Given]:
    told: list[Story] = []

    def tell_it(*facts: Event) -> Story:
        told.append(tell(facts))
        return told[-1]

    yield tell_it
    for story in told:
        give_back(story.database)


@pytest.fixture(scope="module")
def empty() -> Iterator[Given]:
    """A story without facts, one for all tests of a module."""
    with lent_database() as database:
        yield lambda: Story(database)
