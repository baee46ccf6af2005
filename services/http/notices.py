"""Notices as they are said, remembered for partners who ask for them over HTTP."""

from __future__ import annotations

from typing import Any, Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.names import NOTICES_ROOT
from events.subjects import party_of_subject
from services.http.remembered import Remembered

#: So many of all parties together are remembered.
_KEPT_IN_ALL: Final = 20_000


class Notices:
    """``await start()``, then what is said is ``remembered``."""

    def __init__(self, connection: Client) -> None:
        self.remembered: Remembered[dict[str, Any]] = Remembered(_KEPT_IN_ALL)
        self._connection = connection

    async def start(self) -> None:
        """Listen. The subscription is in place when this returns."""
        await self._connection.subscribe(f"{NOTICES_ROOT}.>", cb=self._hear)
        await self._connection.flush()

    async def _hear(self, message: Msg) -> None:
        self.remembered.add(party_of_subject(message.subject), orjson.loads(message.data))
