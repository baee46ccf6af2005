"""The NATS client of our services: nats-py's, but for what would end it, or takes it too long."""

from __future__ import annotations

import asyncio

from services.headers import HeaderClient


class ChainClient(HeaderClient):
    """Goes on reading when an answer comes for which nobody waits any more.

    In nats-py that of a server which took longer than ``flush`` was to wait, or of a flush that was cancelled, ends the
    reading of the connection for good. It passes for connected then, and hears nothing for minutes.
    """

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()
