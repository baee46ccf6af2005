"""A real server for a test, and connections to it as anybody who takes part."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nats
from nats.aio.client import Client
from nats.errors import Error

from services.credentials import Credential, credential
from services.ending import within
from services.home import HomeFolder
from services.parties import add_party
from services.rights import inbox_prefix
from services.server import EmbeddedServer

#: A connection whose server reads no more has so long to close (seconds).
_CLOSING = 10.0
#: A connection whose server was killed tries again without end, as those of the services do, and sooner than they.
_AGAIN = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.05}


class ChainServer:
    """``url`` and ``home`` of a running server; ``connect(who)`` as a service, ``operator``, ``keeper`` or a party."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.embedded = EmbeddedServer(home)
        self._clients: list[Client] = []

    @property
    def url(self) -> str:
        return self.embedded.url

    async def __aenter__(self) -> Self:
        await self.embedded.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            with suppress(TimeoutError):
                await within(_CLOSING, client.close())
        await self.embedded.stop()

    async def connect(self, who: str, **options: Any) -> Client:
        """Connect as one of our own users or as a party; a party that is new is registered first."""
        if ":" in who:
            await self.add_party(who)
        secret = credential(self.home, who)
        client = await nats.connect(
            self.url,
            **{**secret.options, "inbox_prefix": inbox_prefix(who)},
            **{"error_cb": _quiet, **_AGAIN, **options},
        )
        self._clients.append(client)
        return client

    async def restore(self, backup: Path) -> None:
        """Kill the server, put ``backup`` (of an earlier ``back_up``) in the place of its store, and start it again."""
        os.kill(self.embedded.pid, signal.SIGKILL)
        await self.embedded.wait()
        store = self.embedded.folder.store
        await asyncio.to_thread(shutil.rmtree, store)
        await asyncio.to_thread(shutil.copytree, backup, store)
        await self.embedded.start()

    async def back_up(self, backup: Path) -> None:
        """Stop the server, copy its store to ``backup``, and start it again."""
        await self.embedded.stop()
        await asyncio.to_thread(shutil.copytree, self.embedded.folder.store, backup)
        await self.embedded.start()

    async def add_party(self, party: str, **card: str) -> None:
        """Register ``party`` with the running server."""
        await asyncio.to_thread(partial(add_party, self.home, party, **card))

    async def lets_in(self, secret: Credential | None) -> bool:
        """Whether the server accepts this login; without one, whether it lets in whoever comes."""
        options: dict[str, Any] = {} if secret is None else dict(secret.options)
        try:
            client = await nats.connect(self.url, **options, allow_reconnect=False, connect_timeout=2, error_cb=_quiet)
        except Error:
            return False
        await client.close()
        return True


def refusals(home: Path) -> list[str]:
    """What the server of ``home`` has refused for want of a permission, as its log has it."""
    lines = (HomeFolder(home).nats / "server.log").read_text(errors="replace").splitlines()
    return [line for line in lines if " Violation" in line]


async def _quiet(error: Exception) -> None:
    """Refusals are what many tests provoke; the assertion speaks of them, not standard error."""
