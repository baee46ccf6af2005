from __future__ import annotations

import pytest
from nats.js import JetStreamContext

from tests.chainserver import ChainServer
from tests.events.facts import declared


@pytest.fixture
async def js(chain_server: ChainServer) -> JetStreamContext:
    """As the keeper, on a server of its own that has the streams."""
    return await declared(chain_server)
