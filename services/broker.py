"""FastStream's broker with the NATS client of our services."""

from __future__ import annotations

from faststream.nats import NatsBroker
from nats.aio.client import Client

from services.natsclient import ChainClient


class Broker(NatsBroker):
    """As FastStream has it, but for the client."""

    async def _connect(self) -> Client:
        connection = ChainClient()
        await connection.connect(**self._connection_kwargs)
        self.config.connect(connection)
        return connection
