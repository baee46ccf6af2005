"""Where the door stands and how it is served: on loopback, or elsewhere with TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from services.settings import Settings, SettingsError
from services.stopping import DISCONNECTED
from services.webhooks import is_loopback

#: Connections beyond these are told to come again (503).
_MOST_AT_A_TIME: Final = 1_000

#: So long a connection may be there without asking for anything, or be about to (seconds): nobody has shown a key until
#: then, and a thousand that only hang on would keep everybody else out.
_IDLE: Final = 15


@dataclass(frozen=True, slots=True)
class Where:
    """Address and port; certificate and its key, or neither."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def listening_as(settings: Settings) -> Where:
    """Where to listen, as the settings have it. Raises SettingsError for what would be open to be overheard."""
    if settings.http_port is None:
        raise SettingsError("there is no port for HTTP: set http_port")
    certificate, key = settings.http_certificate, settings.http_certificate_key
    if (certificate is None) != (key is None):
        raise SettingsError("http_certificate and http_certificate_key go together: set both, or neither")
    if certificate is None and not is_loopback(settings.http_host) and not settings.http_behind_proxy:
        raise SettingsError(
            f"http_host is {settings.http_host}, which others reach, and keys would travel in the clear: set "
            "http_certificate and http_certificate_key, or http_behind_proxy = true if something before it speaks TLS"
        )
    if certificate is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"http_certificate cannot be used: {error}") from None
    return Where(settings.http_host, settings.http_port, certificate, key)


class _Protocol(H11Protocol):
    """Hangs up on whoever takes longer than ``_IDLE`` to ask. uvicorn does so only if nothing comes after an answer."""

    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wait_no_longer()

    def _look(self) -> None:
        """What comes after an answer is the rest of a body that nobody reads, or the beginning of the next request."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_no_longer()
        elif self._hang_up is None:
            self._hang_up = self.loop.call_later(_IDLE, self.transport.abort)

    def _wait_no_longer(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the service."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, where: Where) -> AsyncIterator[str]:
    """Serve ``app`` for as long as the context lasts; yields its address. Port 0 takes a free one.

    Raises SettingsError if the port cannot be had.
    """
    config = uvicorn.Config(
        app,
        http=_Protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_MOST_AT_A_TIME,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=DISCONNECTED,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.key,
    )
    server = _Server(config)
    with _listening(where) as listener:
        scheme = "http" if where.certificate is None else "https"
        host = f"[{where.host}]" if ":" in where.host else where.host
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"{scheme}://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def _listening(where: Where) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        listener = socket.create_server((where.host, where.port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(
            f"http_port {where.port} on {where.host} cannot be had ({os.strerror(error.errno or 0)}): choose another, "
            "0 takes a free one"
        ) from None
    # Connections take it over. Without it a body waits 40 ms for the receipt of the headers before it: asyncio sets it
    # only on sockets that it made itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
