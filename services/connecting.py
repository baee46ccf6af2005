"""How to reach the server, with an address and a login from the settings and the home folder; and how to leave it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.protocol.parser import PERMISSIONS_ERR

from services.credentials import Credential, credential
from services.ending import look_at_its_end, within
from services.fitness import require_fit, tls_of
from services.home import read_json
from services.natsclient import ChainClient
from services.rights import inbox_prefix
from services.settings import Settings, SettingsError
from services.stopping import CLOSING, LEAVING

T = TypeVar("T")

_log = structlog.get_logger("connecting")


@dataclass(frozen=True)
class Login:
    """Address, credential, and how to verify the server; secrets are kept out of ``repr``."""

    url: str
    credential: Credential
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)


def login(settings: Settings, who: str) -> Login:
    """How ``who`` (a service, ``operator``, ``keeper`` or a party) connects.

    A user and password in the settings win over the home's credentials. Raises SettingsError if no server is named
    and none runs on the home, CredentialError if there is no credential, UnfitServerError for a certificate that cannot
    be used.
    """
    url = settings.nats_url or running_url(settings)
    if url is None:
        raise SettingsError(
            f"no chain runs on {settings.home}: start one with 'repairchain up', "
            "or name a server with the setting nats_url"
        )
    if settings.nats_user is not None:
        given = Credential(settings.nats_user, settings.nats_password or "")
        return Login(url, given, tls_of(url, settings.trust))
    return Login(url, credential(settings.home, who), tls_of(url, settings.trust))


def running_url(settings: Settings) -> str | None:
    """Address of the server that `repairchain up` started on this home; None if none was."""
    running = read_json(settings.folder.server_file)
    return None if running is None else str(running["url"])


async def require_fit_server(settings: Settings) -> None:
    """Return if the chain may run on the server of ``settings``, or if there is none to look at yet.

    Raises UnfitServerError if it may not, OSError if the server does not answer.
    """
    url = settings.nats_url or running_url(settings)
    if url is not None:
        await asyncio.to_thread(require_fit, url, settings.trust)


async def connect(settings: Settings, who: str, *, name: str = "repairchain", **options: Any) -> Client:
    """A connection as ``who`` that never gives up reconnecting; ``name`` is shown in the server's lists.

    ``options`` are nats.connect's, for whoever wants it otherwise.
    """
    found = login(settings, who)
    tls = {} if found.tls is None else {"tls": found.tls}
    client = ChainClient()
    await client.connect(
        found.url,
        name=name,
        inbox_prefix=inbox_prefix(who),
        error_cb=note,
        **{"max_reconnect_attempts": -1, "reconnect_time_wait": 0.2, **found.credential.options, **tls, **options},
    )
    return client


#: Without a server nothing comes to its end any more, unless the server is back within this (seconds).
_BACK_WITHIN: Final = 1.0
_LOOK_EVERY: Final = 0.1


class Connection(Protocol):
    """As much of a connection as tells whether there is a server."""

    @property
    def is_connected(self) -> bool: ...


class Leavable(Connection, Protocol):
    """As much of a connection as leaving it takes."""

    async def drain(self) -> None: ...
    async def close(self) -> None: ...


async def while_there(connection: Connection, seconds: float, step: Coroutine[Any, Any, T]) -> T:
    """What ``step`` returns, which needs the server to come to its end. For stopping, when nobody should wait long.

    Raises what it raises, and TimeoutError when it takes longer, or there has been no server for a second.
    """
    clock = asyncio.get_running_loop().time
    over, seen = clock() + seconds, clock()
    task = asyncio.create_task(step)
    try:
        while not task.done():
            now = clock()
            if connection.is_connected:
                seen = now
            left = min(over, seen + _BACK_WITHIN) - now
            if left <= 0:
                raise TimeoutError("not done" if connection.is_connected else "no server")
            await asyncio.wait([task], timeout=min(left, _LOOK_EVERY))
        return task.result()
    finally:
        task.cancel()
        task.add_done_callback(look_at_its_end)


async def leave(connection: Leavable) -> None:
    """Finish what is at hand and disconnect; at once if there is no server to say it to.

    nats-py may wait for ever for what nobody will say any more: we wait no longer than stopping.py says.
    """
    steps = ((LEAVING, connection.drain), (CLOSING, connection.close))
    for seconds, step in steps if connection.is_connected else steps[1:]:
        try:
            await within(seconds, step())
        except Exception as error:  # noqa: BLE001 - when the server has gone, nats-py raises whatever its transport does
            _log.debug("leaving", error=repr(error))


#: What a connection that is lost, or refused, brings about.
_CONNECTION: Final = (nats.errors.Error, nats.js.errors.Error, OSError, EOFError)


async def note(error: Exception) -> None:
    """For nats-py, which would print a traceback for every lost connection: that is noticed elsewhere, too.

    Whatever else it brings here was raised by one of us who was handed a message, and is told nowhere else.
    """
    if PERMISSIONS_ERR in str(error).lower():
        _log.warning("the server does not let this service do what it asked for", error=repr(error))
    elif isinstance(error, _CONNECTION):
        _log.debug("connection", error=repr(error))
    else:
        _log.error("a message from the server hit a fault", exc_info=error)
