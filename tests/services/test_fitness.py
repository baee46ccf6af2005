"""A server that the chain may not run on is told apart before any secret is said to it."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest

from cli.checks.there import access
from cli.place import Place
from services import fitness
from services.connecting import connect, require_fit_server
from services.credentials import prepare
from services.fitness import OLDEST_SERVER, Greeting, Trust, UnfitServerError, greeting, is_local, require_fit, tls_of
from services.home import HomeFolder
from services.server import EmbeddedServer, ServerError
from services.settings import load_settings
from tests.chainserver import ChainServer
from tests.cli.running import process

GOOD: dict[str, Any] = {"version": "2.15.1", "auth_required": True, "tls_required": False}


@asynccontextmanager
async def greeter(said: bytes) -> AsyncIterator[str]:
    """Something that greets like that, and hears nothing; its address."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"nats://{host}:{port}"


def info(**more: Any) -> bytes:
    return b"INFO " + json.dumps(GOOD | more).encode() + b" \r\n"


async def refusal(said: bytes, trust: Trust | None = None) -> str:
    async with greeter(said) as url:
        with pytest.raises((UnfitServerError, OSError)) as refused:
            await asyncio.to_thread(require_fit, url, trust or Trust())
    return str(refused.value)


@pytest.mark.parametrize("version", ["2.14.2", "2.9.25", "1.4.0", "newest", ""])
async def test_one_that_is_too_old_is_refused(version: str) -> None:
    assert "install 2.14.3 or newer" in await refusal(info(version=version))


@pytest.mark.parametrize("version", ["2.14.3", "2.14.10", "2.15.0", "2.16.0-preview.1", "3.0.0"])
async def test_one_that_is_new_enough_is_taken(version: str) -> None:
    async with greeter(info(version=version)) as url:
        assert (await asyncio.to_thread(require_fit, url, Trust())).version == version


async def test_one_that_lets_everybody_in_is_refused() -> None:
    assert "lets everybody in" in await refusal(info(auth_required=False))


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"INFO []\r\n", b"INFO {}\r\n", b"\xff\xfe\n"])
async def test_what_is_no_server_is_told_apart(said: bytes) -> None:
    assert "is no NATS server" in await refusal(said)


@pytest.mark.parametrize(
    ("tls_required", "trust", "taken"),
    [(False, Trust(), False), (False, Trust(allow_plain=True), True), (True, Trust(), True)],
)
def test_one_elsewhere_asks_for_tls_or_is_allowed_not_to(
    monkeypatch: pytest.MonkeyPatch, tls_required: bool, trust: Trust, taken: bool
) -> None:
    monkeypatch.setattr(fitness, "greeting", lambda url: Greeting("2.15.1", True, tls_required))
    if taken:
        require_fit("nats://nats.example:4222", trust)
    else:
        with pytest.raises(UnfitServerError, match=r"on another machine and does not ask for TLS.*nats_allow_plain"):
            require_fit("nats://nats.example:4222", trust)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("nats://127.0.0.1:4222", True),
        ("127.0.0.2:1", True),
        ("nats://[::1]:4222", True),
        ("tls://localhost", True),
        ("nats://nats:4222", False),
        ("nats://10.0.0.1", False),
        ("nats://127.0.0.1.example:4222", False),
        ("nats://me:127.0.0.1@host.example", False),
    ],
)
def test_what_is_on_this_machine(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_there_is_something_to_verify_with_where_it_is_needed(tmp_path: Path) -> None:
    assert tls_of("nats://127.0.0.1:4222", Trust()) is None
    assert tls_of("nats://nats:4222", Trust(allow_plain=True)) is None
    for context in (tls_of("nats://nats:4222", Trust()), tls_of("tls://127.0.0.1:4222", Trust())):
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    with pytest.raises(UnfitServerError, match="nats_ca, nats_certificate or its key cannot be used"):
        tls_of("nats://nats:4222", Trust(ca=tmp_path / "none.pem"))


async def test_the_embedded_server_is_fit(chain_server: ChainServer) -> None:
    found = await asyncio.to_thread(greeting, chain_server.url)
    assert (found.auth_required, found.tls_required) == (True, False)
    await require_fit_server(load_settings(home=chain_server.home))


async def test_the_embedded_server_does_not_start_open(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(fitness.__file__).with_name("nats-server.conf").read_text()
    opened = free_home.parent / "open.conf"
    opened.write_text(config.replace("include accounts.conf", ""))
    monkeypatch.setattr("services.credentials.SERVER_CONFIG", opened)
    with pytest.raises(ServerError, match="lets everybody in"):
        await EmbeddedServer(free_home).start()


async def test_the_embedded_server_does_not_start_if_it_is_too_old(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitness, "OLDEST_SERVER", (OLDEST_SERVER[0] + 90, 0, 0))
    with pytest.raises(ServerError, match=r"is nats-server 2\..*: install 92\.0\.0 or newer"):
        await EmbeddedServer(free_home).start()
    assert not HomeFolder(free_home).server_file.exists()


async def test_a_service_refuses_an_open_server_and_so_does_the_command_line(free_home: Path) -> None:
    prepare(free_home)
    async with greeter(info(auth_required=False)) as url:
        with pytest.raises(UnfitServerError, match="lets everybody in"):
            await require_fit_server(load_settings(home=free_home, nats_url=url))
    async with greeter(info(version="2.9.0")) as url:
        (free_home / "repairchain.toml").write_text(f'nats_url = "{url}"\nhealth_port = 0\n')
        _, said = await asyncio.to_thread(process("--home", free_home, "run", "watchdog").communicate, None, 60)
        assert said.startswith(
            f"repairchain: watchdog cannot run: the server at {url} is nats-server 2.9.0: install 2.14.3 or newer"
        )


@pytest.mark.parametrize(
    ("more", "ok", "found"),
    [
        ({}, True, "nobody gets in without a login; reached by this machine only"),
        ({"tls_required": True}, True, "reached by TLS"),
        ({"auth_required": False}, False, "lets everybody in"),
        ({"version": "2.14.2"}, False, "install 2.14.3 or newer"),
    ],
)
async def test_the_doctor_says_so(free_home: Path, more: dict[str, Any], ok: bool, found: str) -> None:
    async with greeter(info(**more)) as url:
        check = await asyncio.to_thread(access, Place(free_home, url), url)
    assert check.ok is ok
    assert found in check.found
    assert bool(check.advice) is not ok


@pytest.fixture
def certified(tmp_path: Path) -> Path:
    """A folder with ``cert.pem`` and ``key.pem`` for 127.0.0.1, which vouches for itself."""
    files = ("-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"))
    made_for = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", *files, *made_for]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


async def test_a_server_with_tls_is_verified(free_home: Path, certified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(fitness.__file__).with_name("nats-server.conf").read_text()
    with_tls = certified / "tls.conf"
    files = f'cert_file: "{certified / "cert.pem"}", key_file: "{certified / "key.pem"}"'
    with_tls.write_text(f"{config}\ntls {{ {files} }}\n")
    monkeypatch.setattr("services.credentials.SERVER_CONFIG", with_tls)
    async with EmbeddedServer(free_home) as server:
        url = f"tls://{server.url.partition('://')[2]}"
        vouched = load_settings(home=free_home, nats_url=url, nats_ca=certified / "cert.pem")
        await require_fit_server(vouched)
        connection = await connect(vouched, "operator")
        await connection.flush()
        await connection.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await nats.connect(url, tls=tls_of(url, Trust()), allow_reconnect=False, error_cb=_quiet)


async def _quiet(error: Exception) -> None:
    """The refusal is what the test is about."""
