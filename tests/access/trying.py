"""Tries subjects on a connection, many at a time, and hears which of them the server refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nats.aio.client import Client

from tests.chainserver import ChainServer

#: The protocol has refusals arrive before the answer to a ping: so many are tried between two of them.
_AT_A_TIME = 200

_REFUSED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


class Trying:
    """One principal at the server."""

    def __init__(self) -> None:
        self._refused: set[tuple[str, str]] = set()
        self._client: Client | None = None

    async def connect(self, server: ChainServer, who: str) -> None:
        self._client = await server.connect(who, error_cb=self._note)

    async def _note(self, error: Exception) -> None:
        found = _REFUSED.search(str(error))
        if found is not None:
            self._refused.add((found[1].lower(), found[2].lower()))  # nats-py tells it in small letters

    async def publish(
        self, subjects: Sequence[str], reply: str = "", headers: dict[str, str] | None = None
    ) -> dict[str, bool]:
        """Which of the subjects it may publish to."""
        client = self._client
        assert client is not None
        for begin in range(0, len(subjects), _AT_A_TIME):
            for subject in subjects[begin : begin + _AT_A_TIME]:
                await client.publish(subject, b"x", reply=reply, headers=headers)
            await client.flush(10)
        await client.flush(10)  # the first may have been answered for an earlier one
        return self._heard("publish", subjects)

    async def subscribe(self, subjects: Sequence[str]) -> dict[str, bool]:
        """Which of the subjects it may subscribe to."""
        client = self._client
        assert client is not None
        for begin in range(0, len(subjects), _AT_A_TIME):
            made = [await client.subscribe(subject) for subject in subjects[begin : begin + _AT_A_TIME]]
            await client.flush(10)
            for subscription in made:
                await subscription.unsubscribe()
            await client.flush(10)
        return self._heard("subscription", subjects)

    def _heard(self, what: str, subjects: Sequence[str]) -> dict[str, bool]:
        heard = {subject: (what, subject.lower()) not in self._refused for subject in subjects}
        self._refused.clear()
        return heard
