"""Any other service that Apprise knows, such as one for text messages: its address has {address} in it.

Apprise answers yes or no. No may mean that the number does not exist, that nobody was there, or that the answer was
lost on the way back, and each of them asks for something else. Nearly all of its plugins speak HTTP through requests;
so we look on there, in the thread that sends, and say that a letter did not leave only where the requests prove it:

- nobody could be connected to, by every request that was made: it may be tried again;
- the service refused (4xx, 503), and had accepted nothing before: for good or for now, by what it said;
- it sent us elsewhere (301, 302), where a request goes without what was in it: whatever is said there, nobody knows;
- everything else, and plugins that speak anything but HTTP: nobody knows.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import requests
from apprise import Apprise
from apprise.exception import AppriseImproperlyConfigured
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, SSLError

from services.notifying.letter import AddressError, Letter, check_address_of
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown
from services.notifying.patience import seconds_of

ADDRESS: Final = "{address}"

#: What a service answers when it has something against our account, rather than against this letter.
_OURS: Final = frozenset({401, 402, 403, 405, 407})
_FOR_NOW: Final = frozenset({423, 425, 429, 503})

#: After these requests asks for the other address, and leaves the letter behind.
_ELSEWHERE: Final = frozenset({301, 302})


class GatewayError(ValueError):
    """Apprise cannot make anything of the address of the service. The message does not repeat it."""


@dataclass(frozen=True)
class Seen:
    """What became of one HTTP request: a status, or an error; ``retry_after`` in seconds."""

    status: int | None = None
    never_left: bool = False
    retry_after: float | None = None


_watched: ContextVar[list[Seen] | None] = ContextVar("watched", default=None)


@dataclass(frozen=True)
class Gateway:
    """Sends to one recipient at a time. The address never becomes part of the service's address unquoted."""

    kind: str
    url: str = field(repr=False)
    repeats_harmlessly: bool = False

    @property
    def scheme(self) -> str:
        """The name of the service in its address: all that logs are told of it."""
        return self.url.partition("://")[0].lower()

    def plugin(self, address: str) -> Any:
        """The Apprise plugin that reaches ``address``. Raises GatewayError."""
        try:
            found: Any = Apprise.instantiate(self.url.replace(ADDRESS, quote(address, safe="")))
        except (AppriseImproperlyConfigured, TypeError, ValueError):
            found = None
        if found is None:
            raise GatewayError
        return found

    def send(self, letter: Letter) -> Outcome:
        """One attempt."""
        try:
            plugin = self.plugin(check_address_of(self.kind, letter.to_address))
        except (AddressError, GatewayError):
            return Failed("bad_address", again=False)
        if getattr(plugin, "targets", True) in ([], set(), ()):
            return Failed("bad_address", again=False)  # the plugin knows better than we what an address is
        with _watching() as seen:
            taken = bool(plugin.notify(body=letter.text, title=letter.subject))
        if taken:
            return Delivered()
        speaks_http = vars(sys.modules[type(plugin).__module__]).get("requests") is requests
        return verdict(self.scheme, seen if speaks_http else ())


def verdict(scheme: str, seen: list[Seen] | tuple[Seen, ...]) -> Outcome:
    """What is known of a letter to which a plugin said no, after the requests that were ``seen``."""
    if seen and all(each.never_left for each in seen):
        return Failed(f"{scheme}_unreachable")
    last = seen[-1].status if seen else None
    if last in _ELSEWHERE:
        return Unknown(f"{scheme}_{last}")
    if last is None or any(each.status is not None and each.status < 400 for each in seen):
        return Unknown(f"{scheme}_refused")
    if any(each.status is None and not each.never_left for each in seen):
        return Unknown(f"{scheme}_refused")
    if last in _FOR_NOW or last in _OURS:
        return Failed(f"{scheme}_{last}", retry_after=seen[-1].retry_after)
    if 400 <= last < 500 and last != 408 and not any((each.status or 0) >= 500 for each in seen):
        return Failed(f"{scheme}_{last}", again=False)
    return Unknown(f"{scheme}_{last}")


@contextmanager
def _watching() -> Iterator[list[Seen]]:
    """The requests that this thread makes in the meantime."""
    seen: list[Seen] = []
    token = _watched.set(seen)
    try:
        yield seen
    finally:
        _watched.reset(token)


def _look_on() -> None:
    """Have every request say what became of it to whoever watches its thread. Nothing else changes."""
    send = requests.Session.send

    def watched_send(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        seen = _watched.get()
        if seen is None:
            return send(self, request, **kwargs)
        token = _watched.set(None)  # where it is sent elsewhere, all of it is one request
        try:
            response = send(self, request, **kwargs)
        except Exception as error:
            seen.append(Seen(never_left=_never_left(error)))
            raise
        finally:
            _watched.reset(token)
        if response.request.method != request.method and response.history[0].status_code in _ELSEWHERE:
            response = response.history[0]
        after = seconds_of(response.headers.get("Retry-After"), datetime.now(UTC))
        seen.append(Seen(status=response.status_code, retry_after=after))
        return response

    requests.Session.send = watched_send  # type: ignore[method-assign]  # Apprise takes no session of ours


def _never_left(error: Exception) -> bool:
    """Whether ``error`` says that there was never a connection over which anything could have left."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, SSLError) and reason.args:
        reason = reason.args[0]  # whoever could not prove who it is was told nothing
    return isinstance(reason, NewConnectionError | ConnectTimeoutError | ssl.SSLCertVerificationError)


_look_on()
