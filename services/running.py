"""One service as a process: it waits for the server, works, says how it is, and ends when it is told to."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

import nats.errors
import nats.js.errors
import structlog
import uvloop
from nats.js.errors import NotFoundError

from events.clock import SystemClock
from services.connecting import login, require_fit_server
from services.ending import end, end_process_after, within
from services.garbage import collect_less_often
from services.health import Check, serve_health
from services.logs import configure_logs
from services.settings import Settings
from services.stopping import ENDED, STOPPED
from services.wiring import build, require_known
from services.wrapping import Service

#: A start may have to wait for a server that starts beside us (seconds between tries).
_TRY_AGAIN: Final = 0.5
_LOOK_AT_CONSUMER: Final = 15.0
_SAY_SO_EVERY: Final = 5.0
#: Whether something hangs or the machine is busy, nobody can tell.
_CUT_OFF: Final = (
    f"not ended {ENDED:g} s after it was told to stop: the process ends now, and what was cut off comes again at the "
    "next start"
)
_TRANSIENT: Final = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger("running")


class ConsumerGoneError(RuntimeError):
    """A durable consumer was deleted under a running service."""


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
    stopping = _told_to_stop()
    settings.folder.run.mkdir(parents=True, exist_ok=True)  # what else it writes to, it makes itself
    starting = asyncio.create_task(_started(name, settings))
    stopped = asyncio.create_task(stopping.wait())
    while not starting.done():
        await asyncio.wait([starting, stopped], timeout=_SAY_SO_EVERY, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            await end(starting)  # however it ends, nobody needs to hear of it
            if not starting.cancelled() and starting.exception() is None:
                await _stop(starting.result())
            return
        if not starting.done():
            _log.warning("still starting", server=login(settings, name).url)
    service = starting.result()
    collect_less_often()
    checks: dict[str, Check] = {name: service.check}
    port = settings.health_port_of(name)
    try:
        async with serve_health(settings.folder, name, checks, host=settings.health_host, port=port) as url:
            (_log.debug if narrated else _log.info)("ready", health=url)
            gone = asyncio.create_task(_until_its_consumer_is_gone(service))
            await asyncio.wait([stopped, gone], return_when=asyncio.FIRST_COMPLETED)
            if not stopped.done():
                raise ConsumerGoneError(
                    f"the consumer of {name} was deleted on the server: starting again makes it anew"
                )
            gone.cancel()
            _log.info("stopping")
    finally:  # what it had taken comes again at once, in its order, whatever was wrong
        await _stop(service)


def _told_to_stop() -> asyncio.Event:
    """Is set when a signal to stop comes. From then on this process has so long to end, whatever hangs in it."""
    stopping = asyncio.Event()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            end_process_after(ENDED, lambda: _log.warning(_CUT_OFF))

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return stopping


async def _stop(service: Service) -> None:
    try:
        await within(STOPPED, service.stop())
    except TimeoutError:
        _log.warning("stopped in the middle of something: it is taken up again at the next start")


def run_service(name: str, settings: Settings, *, narrated: bool = False) -> None:
    """Run one service in this process until SIGINT or SIGTERM; ``narrated`` if somebody else says that it is ready.

    Raises what settings and starting raise."""
    require_known(name)
    configure_logs(name, level=settings.log_level, form=settings.log_format)
    uvloop.run(_serve(name, settings, narrated=narrated))
