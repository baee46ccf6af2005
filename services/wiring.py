"""The composition root: the one place where services are put together from settings, a clock and connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import nats.errors
import structlog
import uvloop
from faststream.nats import NatsBroker
from faststream.security import SASLPlaintext
from nats.aio.client import Client

from events import log, names
from events.clock import Clock, SystemClock
from services import importer, repairer, retailer
from services.answering import asker
from services.connecting import connect, login, note_quietly
from services.delivery import AppriseDelivery
from services.health import Check, serve_health
from services.intake.service import Intake
from services.logs import configure_logs
from services.notices import Notice, send_notice
from services.notifier import build_notifier
from services.parties import list_parties
from services.projector import Projector
from services.settings import Settings
from services.watchdog import Watchdog

_log = structlog.get_logger("wiring")

#: The first connection may have to wait for a server that starts beside us (seconds between tries).
_TRY_AGAIN: Final = 0.5


class Service(Protocol):
    """What every service is to those who run it."""

    async def start(self) -> None:
        """Return when it works."""

    async def stop(self) -> None:
        """Finish what is at hand and return when nothing runs any more."""

    async def check(self) -> str:
        """Really ask what the service needs; a few words on how it stands. Raises if it does not stand."""


#: Makes a service from settings and a clock.
Builder = Callable[[Settings, Clock], Service]


class UnknownServiceError(ValueError):
    """There is no service of that name."""


def make_broker(settings: Settings, service: str) -> NatsBroker:
    """A FastStream broker that never gives up reconnecting; when it did, its pull loop would spin for ever."""
    found = login(settings)
    return NatsBroker(
        found.url,
        security=SASLPlaintext(username=found.user, password=found.password),
        name=f"repairchain {service}",
        apply_types=False,  # handlers take what the decoder makes, as it is
        logger=logging.getLogger("repairchain.faststream"),
        log_level=logging.DEBUG,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # nats-py takes fractions of a second, the annotation does not
        error_cb=note_quietly,
        graceful_timeout=5.0,
    )


def _connector(settings: Settings, service: str) -> Callable[[], Awaitable[Client]]:
    async def connection() -> Client:
        return await connect(settings, name=f"repairchain {service}")

    return connection


def _intake(role: str, build_role: Callable[[NatsBroker, Clock, Path], Intake]) -> Builder:
    def built(settings: Settings, clock: Clock) -> Service:
        return build_role(make_broker(settings, role), clock, settings.folder.state)

    return built


def _projector(settings: Settings, clock: Clock) -> Service:
    return Projector(_connector(settings, "projector"), settings.folder.database, clock)


def _notifier(settings: Settings, clock: Clock) -> Service:
    delivery = AppriseDelivery(settings.email_url, outbox=settings.outbox_folder, sender=settings.sender_address)
    return Connected(
        _connector(settings, "notifier"),
        lambda connection: build_notifier(
            make_broker(settings, "notifier"), clock, asker(connection), delivery, lambda: list_parties(settings.home)
        ),
    )


def _watchdog(settings: Settings, clock: Clock) -> Service:
    def built(connection: Client) -> Watchdog:
        js = connection.jetstream()

        async def notify(party: str, notice: Notice) -> None:
            await send_notice(connection, party, notice)

        return Watchdog(
            asker(connection),
            partial(log.append, js),
            notify,
            clock,
            settings.beat_seconds,
            partial(log.last_position, js),
        )

    return Connected(_connector(settings, "watchdog"), built)


class Connected:
    """A service that needs a connection of its own before it can be made."""

    def __init__(self, connection: Callable[[], Awaitable[Client]], built: Callable[[Client], Service]) -> None:
        self._connection = connection
        self._built = built
        self.service: Service | None = None

    async def start(self) -> None:
        self._client = await self._connection()
        try:
            service = self._built(self._client)
            await service.start()
        except BaseException:
            await self._client.close()  # or it would go on reconnecting by itself
            raise
        self.service = service

    async def stop(self) -> None:
        if self.service is not None:
            await self.service.stop()
        with contextlib.suppress(nats.errors.Error):
            await self._client.close()

    async def check(self) -> str:
        if self.service is None:
            raise RuntimeError("not started yet")
        return await self.service.check()


_BUILDERS: Final[Mapping[str, Builder]] = {
    "projector": _projector,
    "retailer": _intake("retailer", retailer.build),
    "importer": _intake("importer", importer.build),
    "repairer": _intake("repairer", repairer.build),
    "notifier": _notifier,
    "watchdog": _watchdog,
}


def build(name: str, settings: Settings, clock: Clock) -> Service:
    """The service ``name``, not yet started. Raises UnknownServiceError."""
    builder = _BUILDERS.get(name)
    if builder is None:
        raise UnknownServiceError(f"there is no service '{name}': there are {', '.join(names.SERVICES)}")
    return builder(settings, clock)


async def _start(service: Service, name: str) -> None:
    """Start, and try again while the server is not there yet: services and server may come up in any order."""
    while True:
        try:
            await service.start()
            return
        except (nats.errors.NoServersError, nats.errors.ConnectionClosedError, OSError, TimeoutError) as error:
            _log.warning("waiting for the server", error=str(error) or repr(error))
            await asyncio.sleep(_TRY_AGAIN)


async def _serve(name: str, settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    settings.folder.create()
    service = build(name, settings, SystemClock())
    starting = asyncio.create_task(_start(service, name))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return
    starting.result()
    checks: dict[str, Check] = {name: service.check}
    port = settings.health_port_of(name)
    async with serve_health(settings.folder, name, checks, host=settings.health_host, port=port) as url:
        _log.info("ready", health=url)
        await stopped
        _log.info("stopping")
    await service.stop()


def run_service(name: str, settings: Settings) -> None:
    """Run one service in this process until SIGINT or SIGTERM. Raises what settings and starting raise."""
    if name not in _BUILDERS:
        raise UnknownServiceError(f"there is no service '{name}': there are {', '.join(names.SERVICES)}")
    configure_logs(name, level=settings.log_level, form=settings.log_format)
    uvloop.run(_serve(name, settings))
