"""A chain for each test, and read models that are lent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chainserver import ChainServer
from tests.ready import projectors_borrow
from tests.services.projector.projected import Chain


@pytest.fixture
async def chain(chain_server: ChainServer) -> Chain:
    chain = Chain(chain_server)
    await chain.connect()
    return chain


@pytest.fixture
def lent() -> Iterator[None]:
    """The projector works in a lent database, for tests that are not about its file."""
    with projectors_borrow():
        yield
