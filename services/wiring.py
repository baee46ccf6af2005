"""The composition root: the one place where services are put together from settings, a clock and connections."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from nats.aio.client import Client

from events import log, names
from events.clock import Clock
from services.answering import asker
from services.connecting import connect, login, note
from services.credentials import Credential
from services.logs import FASTSTREAM
from services.notices import Notice, send_notice
from services.parties import list_parties
from services.rights import inbox_prefix
from services.settings import Settings
from services.stopping import AT_HAND
from services.wrapping import BesideIt, Closing, Connected, Service

# A process is one service: it starts in half the time and needs half the memory without the libraries of the others,
# so each builder below imports what it builds.
if TYPE_CHECKING:
    from ssl import SSLContext

    from faststream.nats import NatsBroker
    from faststream.security import BaseSecurity

    from services.watchdog import Watchdog

#: Makes a service from settings and a clock.
Builder = Callable[[Settings, Clock], Service]


class UnknownServiceError(ValueError):
    """There is no service of that name."""


def make_broker(settings: Settings, service: str) -> NatsBroker:
    """A FastStream broker that never gives up reconnecting; when it did, its pull loop would spin for ever."""
    from services.broker import Broker

    found = login(settings, service)
    return Broker(
        found.url,
        security=security_of(found.credential, found.tls),
        name=f"repairchain {service}",
        inbox_prefix=inbox_prefix(service),
        apply_types=False,  # handlers take what the decoder makes, as it is
        logger=logging.getLogger(FASTSTREAM),
        log_level=logging.DEBUG,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # nats-py takes fractions of a second, the annotation does not
        error_cb=note,
        graceful_timeout=AT_HAND,
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
    from services.notifier import Notifier
    from services.notifying.templating import VARIABLE

    delivery_of(settings, clock.now).close()  # whoever set it wrong hears it before anything is started
    if settings.templates is not None:
        os.environ[VARIABLE] = str(settings.templates)  # also where only the file of settings names it

    def built(connection: Client) -> Service:
        ask, delivery = asker(connection), delivery_of(settings, clock.now)
        notifier = Notifier(
            make_broker(settings, "notifier"),
            clock,
            ask,
            delivery,
            lambda: list_parties(settings.home),
            limits=settings.limits,
            daily_list=settings.daily_list,
        )
        desk = Desk(connection, ask, clock, letter_folders(settings), delivery.serves)
        return Closing(BesideIt(notifier, desk), delivery.close)

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


def require_known(name: str) -> None:
    """Raises UnknownServiceError if there is no service of that name."""
    if name not in _BUILDERS:
        raise UnknownServiceError(f"there is no service '{name}': there are {', '.join(names.ALL_SERVICES)}")


def build(name: str, settings: Settings, clock: Clock) -> Service:
    """The service ``name``, not yet started. Raises UnknownServiceError."""
    require_known(name)
    return _BUILDERS[name](settings, clock)
