"""The embedded nats-server: found, started, proved durable, stopped.

One server owns one home folder. It listens on the loopback interface only and starts in some twenty
milliseconds, so every connected test has its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import json
import shutil
import sys
import sysconfig
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from events.streams import NoRoomError, StreamMismatchError
from services.credentials import CredentialError, prepare
from services.fitness import Trust, UnfitServerError, require_fit
from services.home import HomeFolder, read_json, write_json
from services.processes import Child, start_child

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.003
_LOCK_TRIES: Final = 20

#: With less room than this a server that starts anew would soon stand where it stood (bytes).
_ROOM: Final = 64 * 1024 * 1024


class ServerError(Exception):
    """The server cannot run; the message says why and what to do."""


def find_server() -> Path:
    """The nats-server program: the one installed with this environment, else the first on the path."""
    name = "nats-server.exe" if sys.platform == "win32" else "nats-server"
    for candidate in (Path(sysconfig.get_path("scripts")) / name, Path(sys.executable).parent / name):
        if candidate.is_file():
            return candidate
    found = shutil.which("nats-server")
    if found is None:
        raise ServerError("there is no nats-server program: install this project's requirements again")
    return Path(found)


class EmbeddedServer:
    """A nats-server on ``home``, as an async context manager.

    ``port`` 0 takes a free one; whichever it was, a later ``start`` of the same object takes it again, so
    that clients come back.
    """

    def __init__(self, home: Path, *, port: int = 0) -> None:
        self.folder = HomeFolder(home.absolute())
        self._port = port
        self._process: Child | None = None
        self._lock: IO[str] | None = None
        self.url = ""
        self.monitor_url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def running(self) -> bool:
        """Whether the process lives, as far as is known yet."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise ServerError("the server does not run")
        return self._process.pid

    async def start(self) -> None:
        """Start, and wait until clients can connect and durability is proved.

        Raises ServerError if the home is in use or broken, or the server will not run.
        """
        self.folder.create()
        await self._take_home()  # first: another chain may be at work on what is prepared
        try:
            try:
                prepare(self.folder.root)
            except CredentialError as error:
                raise ServerError(str(error)) from None
            await self._launch()
            await self._until_ready()
            await asyncio.to_thread(self._require_fit)
            await asyncio.to_thread(prove_durable, self.monitor_url)
            write_json(
                self.folder.server_file,
                {"url": self.url, "monitor_url": self.monitor_url, "pid": self.pid},
            )
            await self._make_boxes()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait until the process ends, for whatever reason, and return its exit code."""
        if self._process is None:
            raise ServerError("the server does not run")
        return await self._process.wait()

    async def end_if_it_stores_nothing(self) -> bool:
        """End the process if its disk was full and there is room again, so that ``wait`` returns; whether it was."""
        process = self._process
        if process is None or not self.running or not self.monitor_url:
            return False
        if not await asyncio.to_thread(found_no_room, self.monitor_url):
            return False
        try:
            free = shutil.disk_usage(self.folder.store).free
        except OSError:  # somebody took the folder away: a server that starts anew would begin with an empty log
            return False
        if free < _ROOM or process.returncode is not None:  # it ended meanwhile, and another may run by now
            return False
        process.terminate()
        return True

    async def stop(self) -> None:
        """Stop cleanly, or by force after ten seconds; give the home free. Does nothing if the server does not run."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._lock is not None:
            self.folder.server_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    async def _make_boxes(self) -> None:
        """Of every partner that is registered: one may have come while no server ran, or with an earlier version."""
        parties = read_json(self.folder.parties_file) or {}
        if not parties:
            return
        from services.boxes import open_boxes_as_keeper  # here: most servers that start know nobody yet
        from services.settings import load_settings

        settings = load_settings(home=self.folder.root, nats_url=self.url)
        try:
            await open_boxes_as_keeper(settings, list(parties))
        except (NoRoomError, StreamMismatchError) as error:
            raise ServerError(str(error)) from None

    def _require_fit(self) -> None:
        try:
            require_fit(self.url, Trust())
        except UnfitServerError as error:
            raise ServerError(str(error)) from None

    async def _take_home(self) -> None:
        """Lock the home. The server process inherits the lock, so it holds for as long as either of us lives."""
        if self._lock is not None:
            self._lock.close()
        self._lock = self.folder.lock_file.open("a")
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:  # perhaps somebody who only looks whether it is in use
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._lock.close()
        self._lock = None
        raise ServerError(
            f"{self.folder.root} is in use: a chain runs on it already; stop it, or choose another folder with --home"
        )

    async def _launch(self) -> None:
        for old in self.folder.run.glob("nats-server_*.ports"):
            old.unlink(missing_ok=True)
        command = [
            str(find_server()),
            *("--config", str(self.folder.server_config)),
            *("--addr", HOST, "--port", str(self._port or -1), "--http_port", "-1"),
            *("--store_dir", str(self.folder.store)),
            *("--ports_file_dir", str(self.folder.run)),
            *("--log", str(self._log_file)),
        ]
        assert self._lock is not None
        with self._log_file.open("ab") as log:  # for what it says before it has one of its own
            self._process = await start_child(command, log, self._lock.fileno())

    @property
    def _log_file(self) -> Path:
        return self.folder.nats / "server.log"

    async def _until_ready(self) -> None:
        """The server writes its addresses to a file once it listens: no port is guessed, none can be snatched away."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                while (ports := self._ports()) is None:
                    if not self.running:
                        raise ServerError(f"nats-server did not start: {self._last_words()}")
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            message = f"nats-server was not ready in {_START_SECONDS:.0f} s: {self._last_words()}"
            raise ServerError(message) from None
        self.url, self.monitor_url = ports["nats"][0], ports["monitoring"][0]
        self._port = int(self.url.rpartition(":")[2])

    def _ports(self) -> dict[str, list[str]] | None:
        file = self.folder.run / f"nats-server_{self.pid}.ports"
        try:
            ports: dict[str, list[str]] = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # not there yet, or half written
            return None
        file.unlink(missing_ok=True)
        return ports

    def _last_words(self) -> str:
        lines = self._log_file.read_text(errors="replace").splitlines() if self._log_file.exists() else []
        telling = [line for line in lines[-20:] if "[FTL]" in line or line.startswith("nats-server:")]
        line = (telling or lines or ["it said nothing"])[-1]
        words = line.partition("[FTL] ")[2] or line
        taken = "address already in use" in words
        return f"{words}; name another as nats_port in repairchain.toml, 0 takes a free one" if taken else words


def prove_durable(monitor_url: str) -> None:
    """Ask the server at ``monitor_url`` whether it writes every message to the disk before it acknowledges it.

    Raises ServerError if it does not: acknowledged facts could then be lost in a power cut.
    """
    config = _jetstream_config(monitor_url)
    if config.get("sync_always") is not True or config.get("strict") is not True:
        raise ServerError(
            "nats-server does not write facts to the disk before it acknowledges them: start it with "
            "services/nats-server.conf (jetstream { sync_interval: always, strict: true })"
        )


def found_no_room(monitor_url: str) -> bool:
    """Whether the disk was full when the server at ``monitor_url`` had to write.

    The stream that it was for takes nothing from then on, whatever room there is, until the server starts anew, and who
    hands in to it gets no answer (seen with nats-server 2.15.1).
    """
    try:
        try:
            # The address is one that our own server wrote down.
            with urllib.request.urlopen(f"{monitor_url}/healthz", timeout=5):  # noqa: S310 - our own, on loopback
                return False
        except urllib.error.HTTPError as error:  # unwell, and the answer says why; it may break off, too
            return b"no space left" in error.read()
    except (OSError, http.client.HTTPException):
        return False  # it ends, or only just comes


def _jetstream_config(monitor_url: str) -> dict[str, Any]:
    # The address comes from the server we started or from the settings, never from a partner.
    with urllib.request.urlopen(f"{monitor_url}/jsz?config=1", timeout=5) as answer:  # noqa: S310
        config = json.load(answer).get("config")
    return config if isinstance(config, dict) else {}
