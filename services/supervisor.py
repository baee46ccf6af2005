"""`repairchain up`: the server and every service as one tree of processes.

Whatever ends is started again, after a pause that doubles from try to try; but a service that is not set up right ends
the whole. SIGINT, SIGTERM and SIGHUP stop everything, the services before the server. Nothing outlives this process,
however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

from events import names
from services.ending import end
from services.expiring import end_in_time
from services.health import probe
from services.home import read_json
from services.processes import die_with_parent
from services.server import EmbeddedServer, ServerError
from services.settings import PREFIX, Settings, SettingsError
from services.stopping import KILLED

#: Makes the command line of a service.
Command = Callable[[str], Sequence[str]]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0
_STEADY_SECONDS: Final = 30.0  # what ran for so long starts again after the first pause
_LOOK_AGAIN_SECONDS: Final = 0.05
_LOOK_FOR_ROOM_SECONDS: Final = 5.0

#: To plan a statement DuckDB makes and frees many small things, of which glibc keeps but a few of each size at hand by
#: default. Elsewhere than on glibc it says nothing.
ALLOCATOR: Final = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=60000"}


async def up(settings: Settings, *, say: Callable[[str], None] = print) -> None:
    """Run the whole chain on ``settings.home`` until a signal comes; ``say`` is given one line for each thing of note.

    Raises ServerError if the server cannot run, CannotRunError if a service cannot, SettingsError if the settings are
    meant for something else.
    """
    if settings.nats_url is not None:
        raise SettingsError(
            "'repairchain up' starts a server of its own, and nats_url names another: leave it out, "
            "or run each service with 'repairchain run'"
        )
    if settings.health_port:
        raise SettingsError("health_port is one port for several services: leave it out, or set it to 0 for free ones")
    await Supervisor(settings, say=say).run()


def services_of(settings: Settings) -> tuple[str, ...]:
    """What runs on these settings: the one for HTTP only where a port is named."""
    return names.SERVICES if settings.http_port is None else names.ALL_SERVICES


def service_command(service: str) -> Sequence[str]:
    """How a service is started in this environment."""
    return (sys.executable, "-m", "cli.main", "run", "--narrated", service)


class CannotRunError(Exception):
    """A service cannot run as things are set up; the message says which."""


#: What the command line exits with when a person has something to mend.
_MEND_FIRST: Final = 2


class Supervisor:
    """Keeps the server and ``services`` running until ``stop`` is called or a signal comes; by default those services
    that the settings ask for.

    ``ready`` is set as soon as every service has once been ready. ``command`` makes the command line of a service.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        services: Sequence[str] | None = None,
        command: Command = service_command,
        say: Callable[[str], None] = print,
    ) -> None:
        self.ready = asyncio.Event()
        self.server = EmbeddedServer(settings.home, port=settings.nats_port)
        self._settings = settings
        self._services = services = services or services_of(settings)
        self._command = command
        self._say = say
        self._children: dict[str, Process] = {}
        self._never_ready = set(services)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin to stop; ``run`` returns when everything has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Start everything and keep it running. Raises ServerError or OSError if the server does not start the first
        time, CannotRunError if a service ends with exit code 2 before it was ever ready."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        try:
            async with self.server:
                self._tell("server", f"ready at {self.server.url}")
                await self._keep_all()
            self._tell("server", "stopped")
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def _keep_all(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        keepers = [asyncio.create_task(_keep("server", self._run_server, self._tell))]
        keepers += [asyncio.create_task(self._keep_service(service)) for service in self._services]
        keepers += [asyncio.create_task(end_in_time(self._settings.home, lambda said: self._tell("server", said)))]
        keepers += [asyncio.create_task(self._have_it_store())]
        try:
            done, _ = await asyncio.wait([stopping, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a keeper does not end by itself: this raises what went wrong in it
        finally:
            await end(stopping, *keepers)
            await self._stop_children()

    async def _keep_service(self, service: str) -> None:
        await _keep(service, lambda: self._run_service(service), self._tell)

    async def _run_server(self) -> str:
        """Wait until the server ends; start it first if it does not run. Returns what happened, in words."""
        if not self.server.running:
            try:
                await self.server.start()
            except ServerError as error:
                return str(error)
            self._tell("server", f"ready at {self.server.url}")
        return _ending(await self.server.wait())

    async def _have_it_store(self) -> NoReturn:
        """Look for ever whether the server stores nothing although there is room again: then it has to start anew."""
        while True:
            await asyncio.sleep(_LOOK_FOR_ROOM_SECONDS)
            if await self.server.end_if_it_stores_nothing():
                self._tell("server", "stores nothing since the disk was full, and there is room again")

    async def _run_service(self, service: str) -> str:
        """Start ``service`` and wait until it ends. Returns what happened, in words."""
        child = await asyncio.create_subprocess_exec(
            *self._command(service),
            stdin=asyncio.subprocess.DEVNULL,
            env=self._environment(),
            start_new_session=True,  # Ctrl-C in a terminal is for us alone
            preexec_fn=die_with_parent(),
        )
        self._children[service] = child
        watching = asyncio.create_task(self._tell_when_ready(service, child.pid))
        try:
            code = await child.wait()
        finally:
            watching.cancel()
        if code == _MEND_FIRST and service in self._never_ready:  # it would say the same for ever
            raise CannotRunError(f"{service} cannot run as it is set up: mend what it says above, and start again")
        return _ending(code)

    def _environment(self) -> dict[str, str]:
        own = self._settings.as_environment() | {f"{PREFIX}NATS_URL": self.server.url}
        if self._settings.nats_port == 0 and self._settings.health_port is None:
            own[f"{PREFIX}HEALTH_PORT"] = "0"  # whoever wants a free port wants to run beside another chain
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return ALLOCATOR | inherited | own

    async def _tell_when_ready(self, service: str, pid: int) -> None:
        file = self._settings.folder.service_file(service)
        while True:
            # A file may just be being replaced, on a file system without atomic renames.
            with contextlib.suppress(ValueError):
                noted = read_json(file)
                if noted is not None and noted["pid"] == pid:
                    well, _ = await asyncio.to_thread(probe, f"{noted['url']}/readyz")
                    if well:
                        break
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._tell(service, "ready")
        self._never_ready.discard(service)
        if not self._never_ready:
            self.ready.set()

    async def _stop_children(self) -> None:
        """Ask all to end, the last one started first; what has not ended by itself when it should have is killed."""
        living = {name: child for name, child in reversed(self._children.items()) if child.returncode is None}
        for child in living.values():
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        if living:
            await asyncio.wait([asyncio.create_task(child.wait()) for child in living.values()], timeout=KILLED)
        for name, child in living.items():
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
                self._tell(name, f"did not stop within {KILLED:g} s and was killed")
            else:
                self._tell(name, "stopped")

    def _tell(self, name: str, what: str) -> None:
        self._say(f"{name:<10} {what}")


async def _keep(name: str, run_once: Callable[[], Awaitable[str]], tell: Callable[[str, str], None]) -> None:
    """Call ``run_once``, which returns in words why it ended, again and again."""
    pause = _FIRST_PAUSE
    while True:
        started = time.monotonic()
        try:
            ended = await run_once()
        except OSError as error:  # a full disk, say, or no room for one more process: that passes
            ended = f"could not be started ({error.strerror or error})"
        if time.monotonic() - started > _STEADY_SECONDS:
            pause = _FIRST_PAUSE
        tell(name, f"{ended}; starting again in {pause:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _ending(code: int) -> str:
    return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
