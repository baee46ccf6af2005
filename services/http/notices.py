"""Notices as they are said, remembered for partners who ask for them over HTTP: those since the service began."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict, deque
from typing import Any, Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.names import NOTICES_ROOT
from events.subjects import party_of_subject

#: So many notices of one party are remembered, and of all together: of those who were told something most recently.
KEPT: Final = 1_000
KEPT_IN_ALL: Final = 20_000

Numbered = tuple[int, dict[str, Any]]


class Notices:
    """``await start()``, then what is said is remembered.

    A cursor is a text that says how far somebody has read, and in which run of the service: with one of an earlier run
    all that is remembered is told, since nobody knows how much of it is new.
    """

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._run = secrets.token_hex(4)
        self._latest: OrderedDict[str, deque[Numbered]] = OrderedDict()
        self._number = 0
        self._count = 0

    async def start(self) -> None:
        """Listen. The subscription is in place when this returns."""
        await self._connection.subscribe(f"{NOTICES_ROOT}.>", cb=self._hear)
        await self._connection.flush()

    async def _hear(self, message: Msg) -> None:
        self.add(party_of_subject(message.subject), orjson.loads(message.data))

    def add(self, party: str, notice: dict[str, Any]) -> None:
        """Remember one notice."""
        self._number += 1
        latest = self._latest.setdefault(party, deque(maxlen=KEPT))
        self._count += len(latest) < KEPT
        latest.append((self._number, notice))
        self._latest.move_to_end(party)
        while self._count > KEPT_IN_ALL:
            _, gone = self._latest.popitem(last=False)
            self._count -= len(gone)

    def after(self, party: str, cursor: str, limit: int) -> dict[str, Any]:
        """The notices of ``party`` after ``cursor`` ("" is the beginning), as they came, and the cursor to go on."""
        run, _, number = cursor.partition("-")
        seen = int(number) if run == self._run and re.fullmatch(r"[0-9]{1,15}", number) else 0
        new = [(at, notice) for at, notice in self._latest.get(party, ()) if at > seen][:limit]
        return {"notices": [notice for _, notice in new], "cursor": f"{self._run}-{new[-1][0] if new else seen}"}
