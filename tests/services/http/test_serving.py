"""Where the door stands: on loopback, elsewhere with TLS only, and as a process of its own."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import nats.errors
import pytest
import requests
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from events.clock import SimulatedClock
from services.home import read_json
from services.http import serving as serving_module
from services.http.app import Door, make_app
from services.http.serving import Where, listening_as, serving
from services.settings import Settings, SettingsError, load_settings
from services.supervisor import services_of
from services.wiring import build
from tests.chainserver import ChainServer
from tests.services.http.counter import NOW


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody vouches for, and its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_it_needs_no_certificate(host: str) -> None:
    assert listening_as(load_settings(http_port=8443, http_host=host)) == Where(host, 8443)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "door.example.org", ""])  # noqa: S104
def test_elsewhere_it_is_refused_without_tls(host: str) -> None:
    with pytest.raises(SettingsError, match="http_certificate"):
        listening_as(load_settings(http_port=8443, http_host=host))


def test_elsewhere_with_tls_or_behind_something_that_speaks_it(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    host = "0.0.0.0"  # noqa: S104 - what it is asked for
    chosen = load_settings(http_port=8443, http_host=host, http_certificate=certificate, http_certificate_key=key)
    assert listening_as(chosen) == Where(host, 8443, certificate, key)
    assert listening_as(load_settings(http_port=1, http_host=host, http_behind_proxy=True)) == Where(host, 1)


def test_half_a_pair_or_none_that_fits_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    wrong: list[Settings] = [
        load_settings(http_port=1, http_certificate=certificate),
        load_settings(http_port=1, http_certificate_key=key),
        load_settings(http_port=1, http_certificate=key, http_certificate_key=certificate),
        load_settings(http_port=1, http_certificate=tmp_path / "none", http_certificate_key=key),
    ]
    for settings in wrong:
        with pytest.raises(SettingsError, match="http_certificate"):
            listening_as(settings)


def test_it_runs_only_where_a_port_is_named() -> None:
    assert "http" not in services_of(load_settings())
    assert services_of(load_settings(http_port=0))[-1] == "http"
    with pytest.raises(SettingsError, match="http_port"):
        listening_as(load_settings())


async def test_with_a_certificate_it_speaks_tls_and_nothing_else(
    pair: tuple[Path, Path], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = pair
    # The connection without TLS hangs on: at its end the door waits for it in vain, here not for three seconds.
    monkeypatch.setattr(serving_module, "DISCONNECTED", 1)
    async with serving(make_app(door), Where("127.0.0.1", 0, certificate, key)) as url:
        assert url.startswith("https://")
        answer = await asyncio.to_thread(requests.get, f"{url}/openapi.json", verify=str(certificate), timeout=10)
        assert answer.json()["openapi"] == "3.1.0"
        with pytest.raises(requests.exceptions.ConnectionError):
            await asyncio.to_thread(requests.get, url.replace("https", "http"), timeout=10)


@pytest.fixture
def door() -> Door:
    """One that nobody comes in by: what needs no key is answered all the same."""
    return Door(None, None, None, None, None, dict, None, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        [],
        [b"POST /events HTTP/1.1\r\nHo"],
        [b"POST /nowhere HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n", b"a body that nobody reads"],
        [b"GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n", b"GET /openapi.js"],
    ],
    ids=["nothing", "half a head", "the rest of a body", "half of the next head"],
)
async def test_whoever_asks_for_nothing_is_hung_up_on(
    door: Door, monkeypatch: pytest.MonkeyPatch, said: list[bytes]
) -> None:
    monkeypatch.setattr(serving_module, "_IDLE", 0.2)
    async with serving(make_app(door), Where("127.0.0.1", 0)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        for number, part in enumerate(said):
            if number:
                assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 404")
            writer.write(part)
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                await reader.read()
        writer.close()


async def test_a_request_that_is_worked_on_is_not_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "_IDLE", 0.05)

    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(0.2)
        await Response("done")(scope, receive, send)

    async with serving(slowly, Where("127.0.0.1", 0)) as url:
        assert (await asyncio.to_thread(requests.post, url, data="x", timeout=10)).text == "done"


async def test_a_port_that_is_taken_is_said(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="http_port"):
        async with serving(make_app(door), Where("127.0.0.1", taken.getsockname()[1])):
            pass


async def test_the_service_is_built_writes_its_address_and_checks_the_server(chain_server: ChainServer) -> None:
    settings = load_settings(home=chain_server.home, nats_url=chain_server.url, http_port=0)
    service = build("http", settings, SimulatedClock(NOW))
    await service.start()
    try:
        noted = read_json(settings.folder.http_file)
        assert noted is not None
        answer = await asyncio.to_thread(requests.get, f"{noted['url']}/openapi.json", timeout=10)
        assert answer.status_code == 200
        assert noted["url"] in await service.check()
        await chain_server.embedded.stop()
        with pytest.raises((ConnectionError, nats.errors.Error)):
            await service.check()
    finally:
        await service.stop()
    assert read_json(settings.folder.http_file) is None
