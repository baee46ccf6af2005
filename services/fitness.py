"""Whether a server is one that the chain may run on: new enough, closed to strangers, and private on the way there.

A NATS server greets whoever connects, before any secret is said: that greeting is read here. Only the standard library
is imported, so that the command line can look as well.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

#: Earlier ones let holes stand that matter where partners are let in.
OLDEST_SERVER: Final = (2, 14, 3)

_DEFAULT_PORT: Final = 4222
_LONGEST_GREETING: Final = 1024 * 1024
_PATIENCE: Final = 5.0


class UnfitServerError(ValueError):
    """The chain may not run on that server; the message says why and what to do."""


@dataclass(frozen=True)
class Greeting:
    """What a server says of itself; ``version`` is as text, whatever it is."""

    version: str
    auth_required: bool
    tls_required: bool


@dataclass(frozen=True)
class Trust:
    """What vouches for a server elsewhere, and for us: files in PEM; ``allow_plain`` asks for no TLS at all."""

    ca: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    allow_plain: bool = False


def is_local(url: str) -> bool:
    """Whether ``url`` names this machine, so that nobody else is on the way."""
    host = urlsplit(url if "://" in url else f"nats://{url}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_new_enough(version: str) -> bool:
    """Whether that version is one that we run on; what cannot be read is not."""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) >= OLDEST_SERVER


def greeting(url: str) -> Greeting:
    """What the server at ``url`` says of itself. Raises OSError if nobody greets there."""
    place = urlsplit(url if "://" in url else f"nats://{url}")
    said = b""
    with socket.create_connection((place.hostname or "", place.port or _DEFAULT_PORT), timeout=_PATIENCE) as server:
        while not said.endswith(b"\n") and len(said) < _LONGEST_GREETING:
            more = server.recv(65_536)
            if not more:
                break
            said += more
    try:
        info = json.loads(said.decode().removeprefix("INFO "))
        return Greeting(str(info["version"]), bool(info.get("auth_required")), bool(info.get("tls_required")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConnectionError(f"what answers at {place.hostname} is no NATS server") from None


def require_fit(url: str, trust: Trust) -> Greeting:
    """What the server at ``url`` says of itself, if the chain may run on it.

    Raises UnfitServerError if it is too old, lets everybody in, or would hear our password over a wire that others
    read; OSError if nobody greets there.
    """
    found = greeting(url)
    if not is_new_enough(found.version):
        oldest = ".".join(map(str, OLDEST_SERVER))
        raise UnfitServerError(f"the server at {url} is nats-server {found.version}: install {oldest} or newer")
    if not found.auth_required:
        raise UnfitServerError(
            f"the server at {url} lets everybody in: start it with nats-server.conf and accounts.conf of the home"
        )
    if not is_local(url) and not found.tls_required and not trust.allow_plain:
        raise UnfitServerError(
            f"the server at {url} is on another machine and does not ask for TLS, so others could read along: give it "
            "a certificate, or set nats_allow_plain = true if nobody else is on that network"
        )
    return found


def tls_of(url: str, trust: Trust) -> ssl.SSLContext | None:
    """What to verify the server with, and to show it; None where the way to it needs no TLS.

    Raises UnfitServerError for a file that cannot be used.
    """
    asked = trust.ca is not None or trust.certificate is not None
    if not asked and not url.startswith("tls://") and (is_local(url) or trust.allow_plain):
        return None
    try:
        context = ssl.create_default_context(cafile=trust.ca)
        if trust.certificate is not None:
            context.load_cert_chain(trust.certificate, trust.certificate_key)
    except OSError as error:  # ssl.SSLError is one
        raise UnfitServerError(f"nats_ca, nats_certificate or its key cannot be used: {error}") from None
    return context
