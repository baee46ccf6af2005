"""Runs what compose.yaml names without an engine: the same commands with the same environment, as plain processes.

Only what a container would have of its own is replaced: mount points by folders, the server's name by its address, and
ports by free ones. The command ``repairchain`` is forked from a process that has imported it (reliability/forked.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sysconfig
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from services.home import read_json
from services.processes import die_with_parent
from services.server import find_server
from services.settings import PREFIX
from tests.reliability import forked
from tests.waiting import eventually

COMPOSE = Path(__file__).parents[1] / "compose.yaml"
SERVER = "nats"

_HOME = "var/lib/repairchain"
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class _Running:
    """A process, whoever started it; ``code`` is None until it has ended."""

    pid: int
    code: Callable[[], int | None]
    terminate: Callable[[], None]
    kill: Callable[[], None]

    async def end(self, patience: float = _STOP_SECONDS) -> int:
        """Its exit code, once it has ended."""
        await eventually(lambda: self.code() is not None, f"process {self.pid} ends", patience=patience)
        code = self.code()
        assert code is not None
        return code


class Containers:
    """The services of compose.yaml; ``up`` starts one and waits until it is healthy."""

    def __init__(self, folder: Path) -> None:
        composed = yaml.safe_load(COMPOSE.read_text())
        self.services: dict[str, dict[str, Any]] = composed["services"]
        self._folder = folder
        self.volumes = {name: folder / "volumes" / name for name in composed["volumes"]}
        self.home = self.root("setup") / _HOME
        self.url = ""
        self._processes: dict[str, _Running] = {}

    async def __aenter__(self) -> Self:
        for volume in self.volumes.values():
            volume.mkdir(parents=True)
        for name, service in self.services.items():
            (self.root(name) / _HOME).mkdir(parents=True)
            for mount in service.get("volumes", []):
                volume, path, *_ = mount.split(":")
                target = self.root(name) / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(self.volumes[volume])
        return self

    def root(self, name: str) -> Path:
        """What stands for the file system of a container: in it, nothing but its own mounts."""
        return self._folder / "containers" / name

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.kill()
            await process.end()

    async def run(self, name: str, *command: str) -> None:
        """``docker compose run --rm NAME COMMAND``; without a command, the service's own. It must succeed."""
        arguments = self._arguments(name, [*command] or self.services[name]["command"])
        process = self._start(name, arguments)
        assert await process.end(60) == 0, self.said(name)

    async def up(self, name: str) -> None:
        """Start the service, and wait until its health check says that it is well."""
        arguments = self._arguments(name, self.services[name]["command"])
        if name == SERVER:
            ports = ["--port=-1", "--http_port=-1", f"--ports_file_dir={self._folder}"]
            arguments = [str(find_server()), *(argument for argument in arguments), *ports]
        process = self._processes[name] = self._start(name, arguments)

        async def healthy() -> bool:
            assert process.code() is None, f"{name} ended with {process.code()}:\n{self.said(name)}"
            return await self._is_healthy(name, process)

        await eventually(healthy, f"{name} healthy", patience=60)

    async def stop(self, name: str) -> int:
        """``docker compose stop NAME``: the exit code, after SIGTERM."""
        process = self._processes[name]
        process.terminate()
        return await process.end()

    def mounted_read_only(self) -> dict[Path, int]:
        """What lies in the volumes that no service may write to, with the time of its last change."""
        services = [service for name, service in self.services.items() if name != "setup"]
        mounts = [mount for service in services for mount in service.get("volumes", [])]
        writable = {mount.split(":")[0] for mount in mounts if not mount.endswith(":ro")}
        folders = [folder for name, folder in self.volumes.items() if name not in writable]
        return {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}

    def said(self, name: str) -> str:
        """What the service wrote to its output."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(self, name: str, arguments: list[str]) -> _Running:
        file = self._folder / f"{name}.log"
        environment = self._environment(name)
        if arguments[0] == "repairchain":
            forking = forked.start(arguments[1:], environment, file, self._folder)
            assert forking.pid is not None
            return _Running(forking.pid, lambda: forking.exitcode, forking.terminate, forking.kill)
        with file.open("ab") as log:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._folder,
                preexec_fn=die_with_parent(),
            )
        return _Running(process.pid, process.poll, process.terminate, process.kill)

    async def _is_healthy(self, name: str, process: _Running) -> bool:
        """Make the health check of compose.yaml, in whose address only the port is another."""
        kind, *command = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        address = self._ports(process.pid) if name == SERVER else self._noted(name, process.pid)
        if address is None:
            return False
        *command, url = command
        checked = re.sub(r"^http://127\.0\.0\.1:\d+", address, url)
        assert checked.startswith(address), url
        if not await asyncio.to_thread(_is_well, checked):
            return False  # a process of its own, again and again, would keep the services from starting
        check = await asyncio.create_subprocess_exec(
            *command,
            checked,
            env=self._environment(name),
            cwd=self._folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await check.wait() == 0

    def _ports(self, pid: int) -> str | None:
        file = self._folder / f"nats-server_{pid}.ports"
        with suppress(FileNotFoundError, json.JSONDecodeError):
            ports = json.loads(file.read_text())
            self.url = ports["nats"][0]
            return str(ports["monitoring"][0])
        return None

    def _noted(self, name: str, pid: int) -> str | None:
        noted = read_json(self.root(name) / _HOME / "run" / f"{name}.json")
        return str(noted["url"]) if noted is not None and noted["pid"] == pid else None

    def _arguments(self, name: str, command: list[str]) -> list[str]:
        return [self._here(name, argument) for argument in command]

    def _environment(self, name: str) -> dict[str, str]:
        """The path that an image has, what compose.yaml says, and a free port for health checks."""
        given: Mapping[str, str] = self.services[name].get("environment", {})
        said = {key: self._here(name, _interpolated(value)) for key, value in given.items()}
        path = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
        # An image holds this very tree; what is installed here may be another.
        return {"PATH": path, "PYTHONPATH": str(COMPOSE.parent), **said, f"{PREFIX}HEALTH_PORT": "0"}

    def _here(self, name: str, text: str) -> str:
        """A path in a container as one of this machine, and likewise the address of the server."""
        text = text.replace("nats://nats:4222", self.url).replace("--addr=0.0.0.0", "--addr=127.0.0.1")
        return text.replace("/var/lib/", f"{self.root(name)}/var/lib/")


def _is_well(url: str) -> bool:
    """Whether the answer is that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of this test's own
            return bool(answer.status == 200)
    except OSError:
        return False


def _interpolated(value: str) -> str:
    """``${NAME:-default}`` as compose reads it when nothing of that name is set."""
    return _VARIABLE.sub(lambda found: found[2], value)
