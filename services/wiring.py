"""The composition root: the one place where services are put together from settings, a clock and connections."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote

import nats.errors
import nats.js.errors
import structlog
import uvloop
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from events import log, names
from events.clock import Clock, SystemClock
from services.answering import asker
from services.connecting import connect, leave, login, note_quietly, require_fit_server
from services.credentials import Credential
from services.ending import end
from services.garbage import collect_less_often
from services.health import Check, serve_health
from services.logs import configure_logs
from services.notices import Notice, send_notice
from services.parties import list_parties
from services.rights import inbox_prefix
from services.settings import Settings

# A process is one service: it starts in half the time and needs half the memory without the libraries of the others,
# so each builder below imports what it builds.
if TYPE_CHECKING:
    from ssl import SSLContext

    from faststream.nats import NatsBroker
    from faststream.security import BaseSecurity

    from services.watchdog import Watchdog

_log = structlog.get_logger("wiring")

#: A start may have to wait for a server that starts beside us (seconds between tries).
_TRY_AGAIN: Final = 0.5
_LOOK_AT_CONSUMER: Final = 15.0
_SAY_SO_EVERY: Final = 5.0
_TRANSIENT: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

#: Stopping takes no longer than this (seconds), whether the server is there or not. Nothing depends on a clean end.
_STOP_SECONDS: Final = 6.0
#: Within this the batch at hand ends, or comes again.
_BATCH_SECONDS: Final = 5.0


class Service(Protocol):
    """What every service is to those who run it."""

    async def start(self) -> None:
        """Return when it works."""

    async def stop(self) -> None:
        """Finish what is at hand and return when nothing runs any more."""

    async def check(self) -> str:
        """Really ask what the service needs; a few words on how it stands. Raises if it does not stand."""


class ConsumerGoneError(RuntimeError):
    """A durable consumer was deleted under a running service."""


#: Makes a service from settings and a clock.
Builder = Callable[[Settings, Clock], Service]


class UnknownServiceError(ValueError):
    """There is no service of that name."""


def make_broker(settings: Settings, service: str) -> NatsBroker:
    """A FastStream broker that never gives up reconnecting; when it did, its pull loop would spin for ever."""
    from faststream.nats import NatsBroker

    found = login(settings, service)
    return NatsBroker(
        found.url,
        security=security_of(found.credential, found.tls),
        name=f"repairchain {service}",
        inbox_prefix=inbox_prefix(service),
        apply_types=False,  # handlers take what the decoder makes, as it is
        logger=logging.getLogger("repairchain.faststream"),
        log_level=logging.DEBUG,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # nats-py takes fractions of a second, the annotation does not
        error_cb=note_quietly,
        graceful_timeout=_BATCH_SECONDS,
    )


def security_of(found: Credential, tls: SSLContext | None = None) -> BaseSecurity:
    """A login, as FastStream takes it."""
    from faststream.nats.security import NatsNKey
    from faststream.security import SASLPlaintext

    if found.seed:
        return NatsNKey.from_seed(found.seed, ssl_context=tls)
    return SASLPlaintext(username=found.user, password=found.password, ssl_context=tls)


def _connector(settings: Settings, service: str) -> Callable[[], Awaitable[Client]]:
    async def connection() -> Client:
        return await connect(settings, service, name=f"repairchain {service}")

    return connection


def _intake(settings: Settings, clock: Clock, role: str) -> Service:
    service: Service = import_module(f"services.{role}").build(
        make_broker(settings, role), clock, settings.folder.state, settings.limits, timedelta(days=settings.held_days)
    )
    return service


def _projector(settings: Settings, clock: Clock) -> Service:
    from services.projector import Projector

    return Projector(_connector(settings, "projector"), settings.folder.database, clock, limits=settings.limits)


def _notifier(settings: Settings, clock: Clock) -> Service:
    from services.delivery import delivery_of
    from services.desk.service import Desk
    from services.notifier import build_notifier
    from services.notifying.templating import VARIABLE

    delivery_of(settings, clock.now).close()  # whoever set it wrong hears it before anything is started
    if settings.templates is not None:
        os.environ[VARIABLE] = str(settings.templates)  # also where only the file of settings names it

    def built(connection: Client) -> Service:
        ask, delivery = asker(connection), delivery_of(settings, clock.now)
        notifier = build_notifier(
            make_broker(settings, "notifier"),
            clock,
            ask,
            delivery,
            lambda: list_parties(settings.home),
            limits=settings.limits,
            daily_list=settings.daily_list,
        )
        return Closing(BesideIt(notifier, Desk(connection, ask, clock, letter_folders(settings))), delivery.close)

    return Connected(_connector(settings, "notifier"), built)


def letter_folders(settings: Settings) -> tuple[Path, ...]:
    """Where letters lie that were written as files."""
    scheme, _, folder = settings.email_url.strip().partition("://")
    elsewhere = (Path(unquote(folder)),) if scheme.lower() == "outbox" and folder else ()
    return (settings.outbox_folder, *elsewhere)


def _watchdog(settings: Settings, clock: Clock) -> Service:
    from services.adopting import Adopting
    from services.watchdog import Watchdog

    def built(connection: Client) -> Watchdog:
        js = connection.jetstream()

        async def notify(party: str, notice: Notice) -> None:
            await send_notice(connection, party, notice)

        def person_of(party: str) -> str | None:
            card = list_parties(settings.home).get(party)
            return card.person if card is not None else None

        return Watchdog(
            asker(connection),
            partial(log.append, js),
            notify,
            clock,
            settings.beat_seconds,
            partial(log.last_position, js),
            Adopting(settings.policy_file),
            person_of,
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
            await leave(self._client)
            raise
        self.service = service

    async def stop(self) -> None:
        if self.service is not None:
            await self.service.stop()
        await leave(self._client)

    async def check(self) -> str:
        if self.service is None:
            raise RuntimeError("not started yet")
        return await self.service.check()


class Companion(Protocol):
    """What runs beside a service, in its process."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class BesideIt:
    """A service and what needs it to have started."""

    def __init__(self, service: Service, companion: Companion) -> None:
        self.service = service
        self._companion = companion

    async def start(self) -> None:
        await self.service.start()
        try:
            await self._companion.start()
        except BaseException:
            await self.service.stop()
            raise

    async def stop(self) -> None:
        await self._companion.stop()
        await self.service.stop()

    async def check(self) -> str:
        return await self.service.check()


class Closing:
    """A service that holds something open until it has stopped."""

    def __init__(self, service: Service, close: Callable[[], None]) -> None:
        self.service = service
        self._close = close

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        try:
            await self.service.stop()
        finally:
            self._close()

    async def check(self) -> str:
        return await self.service.check()


def _http(settings: Settings, clock: Clock) -> Service:
    from services.http.service import HttpService
    from services.http.serving import listening_as

    where = listening_as(settings)

    def built(connection: Client) -> Service:
        return HttpService(connection, clock, settings, where)

    return Connected(_connector(settings, names.HTTP), built)


_BUILDERS: Final[Mapping[str, Builder]] = {
    "projector": _projector,
    "retailer": partial(_intake, role="retailer"),
    "importer": partial(_intake, role="importer"),
    "repairer": partial(_intake, role="repairer"),
    "notifier": _notifier,
    "watchdog": _watchdog,
    names.HTTP: _http,
}


def build(name: str, settings: Settings, clock: Clock) -> Service:
    """The service ``name``, not yet started. Raises UnknownServiceError."""
    builder = _BUILDERS.get(name)
    if builder is None:
        raise UnknownServiceError(f"there is no service '{name}': there are {', '.join(names.ALL_SERVICES)}")
    return builder(settings, clock)


async def _started(name: str, settings: Settings) -> Service:
    """Build and start, from the beginning while the server is not there or goes away: they may come up in any order."""
    while True:
        service = build(name, settings, SystemClock())
        try:
            await require_fit_server(settings)
            await service.start()
            return service
        except _TRANSIENT as error:
            _log.warning("waiting for the server", error=str(error) or repr(error))
            await asyncio.sleep(_TRY_AGAIN)


async def _until_its_consumer_is_gone(service: Service) -> None:
    """A pull consumer that is deleted while we wait on it stays silent for ever: look from time to time."""
    while True:
        await asyncio.sleep(_LOOK_AT_CONSUMER)
        try:
            await service.check()
        except NotFoundError:
            return
        except Exception as error:  # noqa: BLE001 - other trouble passes, or readiness tells of it
            _log.debug("check", error=repr(error))


async def _serve(name: str, settings: Settings, *, narrated: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    settings.folder.run.mkdir(parents=True, exist_ok=True)  # what else it writes to, it makes itself
    starting = asyncio.create_task(_started(name, settings))
    stopped = asyncio.create_task(stopping.wait())
    while not starting.done():
        await asyncio.wait([starting, stopped], timeout=_SAY_SO_EVERY, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            await end(starting)  # however it ends, nobody needs to hear of it
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().stop()
            return
        if not starting.done():
            _log.warning("still waiting for the server", server=login(settings, name).url)
    service = starting.result()
    collect_less_often()
    checks: dict[str, Check] = {name: service.check}
    port = settings.health_port_of(name)
    async with serve_health(settings.folder, name, checks, host=settings.health_host, port=port) as url:
        (_log.debug if narrated else _log.info)("ready", health=url)
        gone = asyncio.create_task(_until_its_consumer_is_gone(service))
        await asyncio.wait([stopped, gone], return_when=asyncio.FIRST_COMPLETED)
        if gone.done() and not stopped.done():
            await service.stop()
            raise ConsumerGoneError(f"the consumer of {name} was deleted on the server: starting again makes it anew")
        gone.cancel()
        _log.info("stopping")
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await service.stop()
    except TimeoutError:
        _log.warning("stopped in the middle of something: it is taken up again at the next start")


def run_service(name: str, settings: Settings, *, narrated: bool = False) -> None:
    """Run one service in this process until SIGINT or SIGTERM; ``narrated`` if somebody else says that it is ready.

    Raises what settings and starting raise."""
    if name not in _BUILDERS:
        raise UnknownServiceError(f"there is no service '{name}': there are {', '.join(names.ALL_SERVICES)}")
    configure_logs(name, level=settings.log_level, form=settings.log_format)
    uvloop.run(_serve(name, settings, narrated=narrated))
