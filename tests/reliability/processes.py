"""The whole chain as operating-system processes, each of which can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from nats.aio.client import Client

from events import names
from services.connecting import connect
from services.health import probe
from services.home import read_json
from services.parties import add_party
from services.server import EmbeddedServer
from services.settings import PREFIX, Settings, load_settings
from tests.anyhour import ANY_HOUR, adopted
from tests.reliability import forked
from tests.waiting import eventually

SERVER = "server"

_STOP_SECONDS = 10.0


class ProcessChain:
    """A server and every service on ``home``, started together and stopped together.

    What the processes say stands in ``<home>/logs``.
    """

    def __init__(self, home: Path, parties: dict[str, dict[str, str]]) -> None:
        self.settings: Settings = load_settings(home=home, nats_port=_free_port(), health_port=0, beat_seconds=0.5)
        self.server = EmbeddedServer(home, port=self.settings.nats_port)
        self._parties = parties
        self._logs = home / "logs"
        self._processes: dict[str, BaseProcess] = {}
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True)
        self.settings.policy_file.write_text(ANY_HOUR)
        await self.server.start()
        for party, card in self._parties.items():
            await asyncio.to_thread(add_party, self.settings.home, party, **card)
        await asyncio.gather(*(self._start(name) for name in names.SERVICES))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.close()
        for process in self._processes.values():
            process.kill()
            await _end_of(process)
        await self.server.stop()

    async def connect(self, who: str) -> Client:
        """A connection as ``keeper``, ``operator`` or a party, over all kills of the server."""
        client = await connect(self.settings.model_copy(update={"nats_url": self.server.url}), who)
        self._clients.append(client)
        return client

    async def kill(self, name: str) -> None:
        """SIGKILL, and start again at once. Whether a service is ready again is not waited for."""
        if name == SERVER:
            await self.lose_server()
            await self.server.start()
            return
        process = self._processes[name]
        process.kill()
        code = await _end_of(process)
        assert code == -signal.SIGKILL, f"{name} had ended by itself with {code}:\n{self.last_words(name)}"
        await self._start(name)

    async def lose_server(self) -> None:
        """SIGKILL to the server, which does not come back."""
        os.kill(self.server.pid, signal.SIGKILL)
        await self.server.wait()

    async def ready(self, name: str, patience: float = 60.0) -> None:
        """Return once the service answers that it is ready."""
        process = self._processes[name]

        async def is_ready() -> bool:
            assert process.exitcode is None, f"{name} ended with {process.exitcode}:\n{self.last_words(name)}"
            noted = read_json(self.settings.folder.service_file(name))
            if noted is None or noted["pid"] != process.pid:
                return False
            well, _ = await asyncio.to_thread(probe, f"{noted['url']}/readyz")
            return well

        await eventually(is_ready, f"{name} ready", patience=patience)

    async def all_ready(self) -> None:
        """Return once every service answers that it is ready, and messages go out at any hour."""
        await asyncio.gather(*(self.ready(name) for name in names.SERVICES))
        await adopted(await self.connect("operator"))

    async def stop(self) -> dict[str, int]:
        """SIGTERM to every service; their exit codes. Raises TimeoutError if one does not end in ten seconds."""
        for process in self._processes.values():
            process.terminate()
        return {name: await _end_of(process) for name, process in self._processes.items()}

    def last_words(self, name: str) -> str:
        """The end of what the service said."""
        return "\n".join((self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-30:])

    def words(self) -> str:
        """Everything that every service said."""
        return "\n".join(file.read_text(errors="replace") for file in sorted(self._logs.iterdir()))

    async def _start(self, name: str) -> None:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        own = self.settings.as_environment() | {f"{PREFIX}NATS_URL": self.server.url}
        log = self._logs / f"{name}.log"
        log.touch()
        arguments = ["run", "--narrated", name]
        self._processes[name] = await asyncio.to_thread(forked.start, arguments, inherited | own, log)


async def _end_of(process: BaseProcess) -> int:
    """Its exit code. Raises TimeoutError if it does not end in ten seconds."""
    await asyncio.to_thread(process.join, _STOP_SECONDS)
    if process.exitcode is None:
        raise TimeoutError(f"process {process.pid} does not end")
    return process.exitcode


def _free_port() -> int:
    """A free port below those that outgoing connections are given.

    A client that tries again and again to reach a dead server on such a port may by chance be given that very port, and
    then it talks to itself, and the server cannot come back.
    """
    for port in range(20_000 + os.getpid() % 9_000, 32_000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
