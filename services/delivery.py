"""Delivers letters through Apprise. The operator's settings choose the service; partners only ever give addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from apprise import Apprise
from apprise.exception import AppriseImproperlyConfigured

from services.contact import EMAIL, Channel, Contact
from services.notifying.channels import OUTBOX, OutboxChannel, SmtpChannel, register_outbox
from services.notifying.letter import AddressError, Letter, check_address
from services.notifying.outcomes import Delivered, Failed, Outcome, Unknown

_ADDRESS: Final = "{address}"
_SMTP: Final = ("mailto", "mailtos")


class DeliveryError(ValueError):
    """The settings name no usable service; the message says what to write."""


class Delivery(Protocol):
    """How the notifier sends; tests hand in their own."""

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        """The ways to her that we can use for a message of ``accountable``, in the order in which they are tried."""

    def ready_in(self, kind: str) -> float:
        """After how many seconds the service behind that kind of channel may be tried again (0: now).

        A service that failed again and again is left alone for a while.
        """

    def repeats_harmlessly(self, kind: str) -> bool:
        """Whether the same letter sent twice reaches her once."""

    async def send(self, letter: Letter) -> Outcome:
        """One attempt."""


class AppriseDelivery:
    """E-mail through the service that ``email_url`` names, an Apprise address.

    ``outbox://`` writes files into ``outbox`` (or the folder behind ``//``); ``mailto://`` and ``mailtos://`` are SMTP;
    any other service that Apprise knows has ``{address}`` where the recipient belongs. Raises DeliveryError.
    """

    def __init__(self, email_url: str, *, outbox: Path, sender: str) -> None:
        register_outbox()
        self._url = email_url.strip()
        self._scheme = self._url.partition("://")[0].lower()
        self._outbox = outbox
        try:
            self._sender = check_address(sender)
        except AddressError:
            raise DeliveryError(f"sender_address must be an e-mail address, not '{sender}'") from None
        self._check()

    def _check(self) -> None:
        if self._scheme not in (OUTBOX, *_SMTP) and _ADDRESS not in self._url:
            raise DeliveryError(
                f"email_url starts with {self._scheme}://, which needs {_ADDRESS} in it where the recipient belongs"
            )
        self._channel("somebody@example.com")

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        return tuple(channel for channel in contact.channels if channel.kind == EMAIL)

    def ready_in(self, kind: str) -> float:
        return 0.0

    def repeats_harmlessly(self, kind: str) -> bool:
        return self._scheme == OUTBOX

    async def send(self, letter: Letter) -> Outcome:
        """Send in a thread: neither Apprise nor smtplib knows about our event loop."""
        return await asyncio.to_thread(self._send, letter)

    def _send(self, letter: Letter) -> Outcome:
        try:
            channel = self._channel(check_address(letter.to_address))
        except AddressError:
            return Failed("bad_address", again=False)
        ours = isinstance(channel, OutboxChannel | SmtpChannel)
        if ours:
            channel.letter, channel.sender = letter, self._sender
        courier = Apprise()
        courier.add(channel)
        taken = bool(courier.notify(body=letter.text, title=letter.subject))
        if not ours:
            # Apprise says no more than "no" of other services; what it could not tell may have arrived all the same.
            return Delivered() if taken else Unknown(f"{self._scheme}_refused")
        # Our own channels always say what happened; one that could not is one of whose fate we know nothing.
        outcome: Outcome | None = channel.outcome
        return outcome or Unknown("no_outcome")

    def _channel(self, address: str) -> Any:
        """The Apprise plugin for one recipient. The address never becomes part of a URL unquoted."""
        try:
            if self._scheme == OUTBOX:
                folder = self._url.partition("://")[2]
                return OutboxChannel(**OutboxChannel.parse_url(self._url)) if folder else OutboxChannel(self._outbox)
            url = self._url.replace(_ADDRESS, quote(address, safe=""))
            if self._scheme in _SMTP:
                smtp: Any = SmtpChannel  # Apprise is typed in parts
                found = smtp(**{**(smtp.parse_url(url) or {}), "from_addr": self._sender})
                found = found if found.smtp_host else None
            else:
                found = Apprise.instantiate(url, suppress_exceptions=False)
        except (AppriseImproperlyConfigured, TypeError, ValueError):
            found = None
        if found is None:
            raise DeliveryError(f"email_url is not an address that Apprise can use (it starts with {self._scheme}://)")
        return found
