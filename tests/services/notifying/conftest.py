"""Fixtures of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ready import lent_database
from tests.services.notifying.chain import Chain


@pytest.fixture
def chain() -> Iterator[Chain]:
    """A log in memory with the real read models over it."""
    with lent_database() as database:
        yield Chain(database)
