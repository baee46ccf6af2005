"""Messages for shops that write to their customers themselves: signed, to the webhook of the party that answers to her.

Standard Webhooks 1.0: the id of a message is the same at every attempt, so one that comes twice is taken as one, and we
may try again whenever in doubt. The signature covers the id, the moment of the attempt and the body.

Whoever sets a webhook could have us call anything, also what only we can reach. So the address is looked up first, a
private one is refused unless the operator allows it, and what was looked up is what we connect to. No redirect is
followed, nothing of an answer but its status and Retry-After is read, and every call has an end.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson
from standardwebhooks import Webhook as Signer

from services.contact import Contact
from services.notifying.deadline import Deadline
from services.notifying.letter import Letter
from services.notifying.outcomes import Delivered, Failed, Outcome
from services.notifying.patience import seconds_of
from services.notifying.trust import trusted_here
from services.webhooks import Webhook, host_of, is_public

#: To connect, and for all of it (seconds).
_CONNECT_SECONDS: Final = 5.0
_ALL_SECONDS: Final = 20.0

#: Refusals that may be otherwise later: a time-out, a conflict, too early, too many.
_FOR_NOW: Final = frozenset({408, 409, 425, 429})


class PrivateAddressError(Exception):
    """The webhook's host is a machine that only we can reach."""


@dataclass(frozen=True)
class WebhookCaller:
    """Calls the webhook of the party that a letter speaks for. ``now`` is the time of day, in UTC."""

    find: Callable[[str], Webhook | None]
    now: Callable[[], datetime]
    private_networks: bool = False
    tls: ssl.SSLContext = field(default_factory=trusted_here)
    seconds: float = _ALL_SECONDS
    repeats_harmlessly: bool = True

    def send(self, letter: Letter) -> Outcome:
        """One attempt."""
        hook = self.find(letter.accountable)
        if hook is None:
            return Failed("webhook_gone", hers=True)  # it was removed this moment: the next attempt goes to her
        body = payload_of(letter)
        try:
            status, retry_after = self._post(urlsplit(hook.url), body, self._headers(hook, letter.message, body))
        except PrivateAddressError:
            return Failed("webhook_private_address")
        except TimeoutError:
            return Failed("webhook_timeout")
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return Failed(f"webhook_{type(error).__name__}")
        return outcome_of(status, seconds_of(retry_after, self.now()))

    def _headers(self, hook: Webhook, id: str, body: bytes) -> dict[str, str]:
        now = self.now().astimezone(UTC)
        signatures = [Signer(secret).sign(id, now, body.decode()) for secret in hook.signing(now)]
        return {
            "Content-Type": "application/json",
            "User-Agent": "repairchain",
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _post(self, url: SplitResult, body: bytes, headers: dict[str, str]) -> tuple[int, str | None]:
        """The status of the answer and its Retry-After. Raises OSError, HTTPException and PrivateAddressError."""
        secure, host = url.scheme == "https", host_of(url)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        with Deadline(self.seconds) as deadline:
            # Without ours it would read anew whom this machine trusts.
            call = (
                http.client.HTTPSConnection(host, url.port, context=self.tls)
                if secure
                else http.client.HTTPConnection(host, url.port)
            )
            try:
                # Handed its connection, it makes none of its own: we talk to what was looked up and allowed.
                call.sock = self._connected(host, call.port, secure=secure)
                deadline.cuts(call.sock)
                if secure:
                    call.sock = self.tls.wrap_socket(call.sock, server_hostname=host, do_handshake_on_connect=False)
                    deadline.cuts(call.sock)
                    call.sock.do_handshake()
                call.request("POST", path, body, headers)
                answer = call.getresponse()
                if deadline.is_over:  # the end that we made looks like the end of an answer
                    raise TimeoutError
                return answer.status, answer.getheader("Retry-After")
            except (OSError, http.client.HTTPException):
                if deadline.is_over:
                    raise TimeoutError from None
                raise
            finally:
                call.close()

    def _connected(self, host: str, port: int, *, secure: bool) -> socket.socket:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not self.private_networks and not all(map(is_public, found)):
            raise PrivateAddressError
        if not secure and not all(ipaddress.ip_address(each).is_loopback for each in found):
            raise PrivateAddressError  # a name for this machine that leads elsewhere
        trouble = OSError("no address")
        for address in found:
            try:
                line = socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
            except OSError as error:
                trouble = error
            else:
                line.settimeout(self.seconds)
                return line
        raise trouble


def outcome_of(status: int, retry_after: float | None) -> Outcome:
    """What an answer means."""
    if 200 <= status < 300:
        return Delivered()
    if 400 <= status < 500 and status not in _FOR_NOW:
        return Failed(f"webhook_{status}", again=False)
    return Failed(f"webhook_{status}", retry_after=retry_after)


def payload_of(letter: Letter) -> bytes:
    """The body of a call: the message as data, with all that is known of how to reach her."""
    contact = letter.contact or Contact()
    data: dict[str, Any] = {
        "order": letter.order,
        "message": letter.message,
        "kind": letter.news,
        "language": letter.language,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "short": letter.short,
        "next_news_by": letter.next_news_by,
        "to": {
            "name": letter.to_name,
            "channels": [{"kind": each.kind, "address": each.address} for each in contact.channels],
        },
    }
    message = {"type": f"repairchain.message.{letter.news}", "timestamp": letter.date, "data": data}
    return orjson.dumps(message, option=orjson.OPT_UTC_Z)
