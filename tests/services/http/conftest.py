"""The counter that most tests here come to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.chainserver import ChainServer, refusals
from tests.services.http.counter import Counter, open_counter


@pytest.fixture
async def counter(chain_server: ChainServer) -> AsyncIterator[Counter]:
    """A chain with its door open; in the end nothing was tried that is not allowed."""
    async with open_counter(chain_server) as opened:
        yield opened
    assert refusals(chain_server.home) == []
