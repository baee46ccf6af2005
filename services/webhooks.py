"""Webhooks: shops that write to their customers themselves, where their messages go, and the secrets that sign them.

One file per party in the home's folder ``webhooks``, readable by its owner only:
``{"party": …, "url": …, "secrets": [{"secret": "whsec_…", "until": …}]}``. The first secret is the one in force; those
that it took the place of sign as well until their time is up, so that a shop can change over without a gap.
"""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

import idna
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.credentials import file_name
from services.home import HomeFolder, read_json, write_json

#: How long a secret that was replaced goes on signing.
OVERLAP: Final = timedelta(days=1)

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_LONGEST_URL: Final = 2_000
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NO_URL: Final = "the webhook is not a web address: write one such as https://shop.example/messages"


class WebhookError(ValueError):
    """There is no such webhook, or its address cannot be used; the message says why, and repeats no secret."""


def check_url(text: str) -> str:
    """``text`` as the address of a webhook. Raises WebhookError.

    ``https``, or ``http`` to this very machine. It may hold a token of the shop's, but no user and password.
    """
    try:
        parts = urlsplit(text)
        port, host = parts.port, host_of(parts)
    except ValueError:  # UnicodeError is one
        raise WebhookError(_NO_URL) from None
    if parts.scheme not in ("https", "http") or not host or len(text) > _LONGEST_URL:
        raise WebhookError(_NO_URL)
    if parts.username is not None or parts.password is not None:
        raise WebhookError("the webhook has a user or a password in its address: leave them out, messages are signed")
    if parts.fragment or port == 0 or not text.isascii() or any(char.isspace() for char in text):
        raise WebhookError("the webhook has something in its address that is never sent: write it without")
    if parts.scheme == "http" and not is_loopback(host):
        raise WebhookError("the webhook must begin with https://; without it anybody on the way could read names")
    return text


def host_of(parts: SplitResult) -> str:
    """The host, in ASCII. Raises UnicodeError for a name that can be none."""
    host = parts.hostname or ""
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def is_loopback(host: str) -> bool:
    """Whether ``host``, as it is written, is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_public(text: str) -> bool:
    """Whether this IP address is one of the internet at large, also if it is another one in disguise.

    Raises ValueError for what is no IP address.
    """
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour
        if hidden is None and address in _NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        address = hidden or address
    return address.is_global and not address.is_multicast


def is_private(host: str) -> bool:
    """Whether ``host``, as it is written, is seen to be private; a name is looked up only when it is called."""
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost"


class Secret(BaseModel):
    """``until`` is None for the one in force."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: str = Field(repr=False)
    until: AwareDatetime | None = None


class Webhook(BaseModel):
    """Where the messages of ``party`` go. Its address may hold a token: it stays out of ``repr``, as the secrets do."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    party: str
    url: Annotated[str, AfterValidator(check_url)] = Field(repr=False)
    secrets: tuple[Secret, ...] = Field(min_length=1)

    def signing(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign what leaves ``now``, the one in force first."""
        return tuple(each.secret for each in self.secrets if each.until is None or now < each.until)

    @property
    def origin(self) -> str:
        """Its address without what may be a token: for people to see."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def webhook_file(folder: HomeFolder, party: str) -> Path:
    """Where the webhook of ``party`` lies, or will lie."""
    return folder.webhooks / file_name(party)


def read_webhook(path: Path) -> Webhook | None:
    """The webhook in ``path``; None if there is no such file. Raises WebhookError for any other content."""
    try:
        stored = read_json(path)
        return None if stored is None else Webhook.model_validate(stored)
    except (OSError, ValidationError, ValueError):
        raise WebhookError(f"{path} does not hold a webhook: set it anew with 'repairchain partner add'") from None


def list_webhooks(home: Path) -> dict[str, Webhook]:
    """All of them, by party. Raises WebhookError for a file that is none."""
    found = [read_webhook(path) for path in sorted(HomeFolder(home).webhooks.glob("*.json"))]
    return {each.party: each for each in found if each is not None}


def set_webhook(home: Path, party: str, url: str) -> tuple[Webhook, bool]:
    """Have the messages of ``party`` go to ``url``, and whether the webhook is new: then it has a new secret.

    Raises WebhookError for an address that cannot be used.
    """
    folder = HomeFolder(home)
    check_url(url)
    with folder.changing():
        known = read_webhook(webhook_file(folder, party))
        keys = known.secrets if known is not None else (_new_secret(),)
        return _write(folder, Webhook(party=party, url=url, secrets=keys)), known is None


def rotate_secret(home: Path, party: str, now: datetime) -> Webhook:
    """Give the webhook of ``party`` a new secret; the one that it had goes on signing for a day.

    Raises WebhookError if it has no webhook.
    """
    folder = HomeFolder(home)
    with folder.changing():
        known = read_webhook(webhook_file(folder, party))
        if known is None:
            raise WebhookError(f"{party} has no webhook: set one with --webhook https://…")
        ends = [(each.secret, each.until or now + OVERLAP) for each in known.secrets]
        kept = [Secret(secret=secret, until=until) for secret, until in ends if now < until]
        return _write(folder, known.model_copy(update={"secrets": (_new_secret(), *kept)}))


def remove_webhook(home: Path, party: str) -> bool:
    """Have the messages of ``party`` go to its customers again; whether it had a webhook."""
    folder = HomeFolder(home)
    with folder.changing():
        path = webhook_file(folder, party)
        found = path.exists()
        path.unlink(missing_ok=True)
        return found


def _write(folder: HomeFolder, webhook: Webhook) -> Webhook:
    write_json(webhook_file(folder, webhook.party), webhook.model_dump(mode="json", exclude_none=True))
    return webhook


def _new_secret() -> Secret:
    return Secret(secret=_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii"))


def webhook_finder(home: Path) -> Callable[[str], Webhook | None]:
    """Finds the webhook of a party, as its file is at that moment; each is read again only when it has changed."""
    folder = HomeFolder(home)
    known: dict[str, tuple[tuple[int, int, int], Webhook | None]] = {}

    def find(party: str) -> Webhook | None:
        path = webhook_file(folder, party)
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)  # a change is a new file
        if party not in known or known[party][0] != state:
            known[party] = (state, read_webhook(path))
        return known[party][1]

    return find
