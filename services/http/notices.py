"""Notices as they are said, remembered for partners who ask for them over HTTP."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.names import NOTICES_ROOT
from events.subjects import party_of_subject
from services.http.remembered import Remembered
from services.http.told import Told

_KIND: Final = "notice"

#: So many of all parties together are remembered.
_KEPT_IN_ALL: Final = 20_000


class Notices:
    """``await start(told)``, then what is said is ``remembered``, and kept in ``told``."""

    def __init__(self, connection: Client) -> None:
        self.remembered: Remembered[dict[str, Any]] = Remembered(_KEPT_IN_ALL)
        self._connection = connection

    async def start(self, told: Told) -> None:
        """Recall what was said before, and listen. The subscription is in place when this returns."""
        self._told = told
        self.remembered.recall(*told.begin(_KIND), told.all_of(_KIND))
        self._subscription = await self._connection.subscribe(f"{NOTICES_ROOT}.>", cb=self._hear)
        await self._connection.flush()

    async def stop(self) -> None:
        """Hear no more."""
        with suppress(nats.errors.Error):
            await self._subscription.unsubscribe()

    async def _hear(self, message: Msg) -> None:
        party, notice = party_of_subject(message.subject), orjson.loads(message.data)
        number = self.remembered.add(party, notice)
        kept = {name: value for name, value in notice.items() if name != "person"}  # who has a name
        self._told.add(_KIND, [(number, party, kept)], self.remembered.in_all)
