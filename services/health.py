"""Health checks over HTTP: /livez says that the process runs, /readyz that what it needs really answers.

``python -m services.health URL`` asks one and exits with 0 or 1; containers are probed with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from services.home import HomeFolder, read_json, write_json
from services.stopping import HEALTH

#: Looks at one thing that the service needs. Returns a word or two for the report, raises if it is not to be had.
Check = Callable[[], Awaitable[str]]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_TIME_LIMIT: Final = 2.0
_BEING_STOPPED: Final = {"ok": False, "detail": "the service is being stopped", "milliseconds": 0.0}


class HealthPortError(OSError):
    """The port for health checks cannot be had; the message says which and what to do."""


def application(
    service: str, checks: Mapping[str, Check], leaving: asyncio.Event, *, time_limit: float = _TIME_LIMIT
) -> Application:
    """The ASGI application: every /readyz makes all ``checks``, at the same time, within ``time_limit`` seconds; once
    ``leaving`` is set it waits for none of them."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _reply(send, 405, {"error": "only GET is answered here"})
        elif scope["path"] == "/livez":
            await _reply(send, 200, {"service": service, "alive": True})
        elif scope["path"] == "/readyz":
            found = await _found(checks, time_limit, leaving)
            ready = all(result["ok"] for result in found)
            report = {"service": service, "ready": ready, "checks": dict(zip(checks, found, strict=True))}
            await _reply(send, 200 if ready else 503, report)
        else:
            await _reply(send, 404, {"error": "there are /livez and /readyz"})

    return answer


async def _found(checks: Mapping[str, Check], time_limit: float, leaving: asyncio.Event) -> list[dict[str, Any]]:
    async def all_of_them() -> list[dict[str, Any]]:
        return await asyncio.gather(*(_make(check, time_limit) for check in checks.values()))

    # A task, since asyncio complains of a gathering that was cancelled.
    making, left = asyncio.create_task(all_of_them()), asyncio.create_task(leaving.wait())
    try:
        await asyncio.wait((making, left), return_when=asyncio.FIRST_COMPLETED)
        return making.result() if making.done() else [_BEING_STOPPED for _ in checks]
    finally:
        making.cancel()
        left.cancel()


async def _make(check: Check, time_limit: float) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(time_limit):
            ok, detail = True, await check()
    except TimeoutError:
        ok, detail = False, f"no answer within {time_limit:g} s"
    except Exception as error:  # noqa: BLE001  # whatever is wrong is the answer to the question
        ok, detail = False, str(error) or type(error).__name__
    return {"ok": ok, "detail": detail, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}


async def _reply(send: Send, status: int, body: Mapping[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def serve_health(
    folder: HomeFolder,
    service: str,
    checks: Mapping[str, Check],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    time_limit: float = _TIME_LIMIT,
) -> AsyncIterator[str]:
    """Answer health checks of ``service`` for as long as the context lasts; yields the address (``http://…``).

    Port 0 takes a free one. Address and process id stand in ``run/<service>.json`` of the home meanwhile. Raises
    HealthPortError if the port cannot be had.
    """
    import uvicorn  # here, so that a probe does not pay for it

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals belong to the service."""
            yield

    leaving = asyncio.Event()
    config = uvicorn.Config(
        application(service, checks, leaving, time_limit=time_limit),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=HEALTH,
    )
    server = Server(config)
    with _listening(host, port, service) as listener:
        url = f"http://{_shown(host)}:{listener.getsockname()[1]}"
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            write_json(folder.service_file(service), {"url": url, "pid": os.getpid()})
            yield url
        finally:
            leaving.set()
            server.should_exit = True
            await running
            _forget(folder, service)


def _listening(host: str, port: int, service: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=32)
    except OSError as error:
        raise HealthPortError(
            f"{service} cannot answer health checks on {host}:{port} ({os.strerror(error.errno or 0)}): "
            "set health_port, 0 takes a free one"
        ) from None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _forget(folder: HomeFolder, service: str) -> None:
    """Remove our own note; another instance may have written its own over it."""
    noted = read_json(folder.service_file(service))
    if noted is not None and noted.get("pid") == os.getpid():
        folder.service_file(service).unlink(missing_ok=True)


def probe(url: str, *, timeout: float = 5.0) -> tuple[bool, str]:
    """Ask a health address; whether it is well, and what it said."""
    if not url.startswith("http://"):
        return False, f"{url} is not an http:// address"
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310  # the scheme is checked above
            return answer.status == 200, answer.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode(errors="replace")
    except (OSError, ValueError) as error:
        return False, f"{url} does not answer: {error}"


def main() -> int:
    """``python -m services.health URL``."""
    if len(sys.argv) != 2:
        print("usage: python -m services.health http://HOST:PORT/readyz", file=sys.stderr)
        return 2
    well, said = probe(sys.argv[1])
    print(said)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
