"""Delivers letters. The operator's settings choose the services; partners only give kinds of channels and addresses."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote

from services.contact import EMAIL, WEBHOOK, Channel, Contact
from services.notifying import outbox as files
from services.notifying.letter import PHONES, AddressError, Letter, check_address
from services.notifying.outbox import Outbox
from services.notifying.outcomes import Outcome
from services.notifying.providers import Connected, Guarded, Provider, Surroundings
from services.notifying.webhook import WebhookCaller
from services.settings import Settings
from services.webhooks import Webhook, webhook_finder

if TYPE_CHECKING:
    from services.notifying.gateway import Gateway

# What brings Apprise in is imported where a service needs it: it takes an eighth of a second to load.

_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
#: What many write who know their mail server and not Apprise.
_MEANT_SMTP: Final = frozenset({"smtp", "smtps"})


class DeliveryError(ValueError):
    """The settings name no usable service; the message says what to write, and repeats no address of a service."""


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
    """Letters through the services that the settings name, each by an Apprise address. Raises DeliveryError.

    ``email_url`` serves e-mail: ``outbox://`` writes files into ``outbox`` (or the folder behind ``//``), ``mailto://``
    and ``mailtos://`` are SMTP; any other service has ``{address}`` where the recipient belongs. So have all of
    ``channels``, one for each other kind. What a party with a webhook (``webhook_of``) has to say goes there instead.

    ``now`` is the time of day, ``monotonic`` counts seconds, ``chance`` is between 0 and 1. One object belongs to one
    event loop.
    """

    def __init__(
        self,
        email_url: str,
        *,
        outbox: Path,
        sender: str,
        channels: Mapping[str, str] | None = None,
        webhook_of: Callable[[str], Webhook | None] = lambda party: None,
        private_networks: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._around = Surroundings(monotonic, chance)
        services = {EMAIL: email_provider(email_url, outbox=outbox, sender=sender, monotonic=monotonic)}
        services |= {kind: channel_provider(kind, url) for kind, url in (channels or {}).items()}
        self._services = {kind: Guarded(provider, self._around) for kind, provider in services.items()}
        self._webhook_of = webhook_of
        self._caller = WebhookCaller(webhook_of, now, private_networks)
        self._webhooks: dict[str, Guarded] = {}  # each shop's system has troubles of its own

    def serves(self, kind: str) -> bool:
        """Whether a service is set for that kind of channel."""
        return kind in self._services

    def routes(self, contact: Contact, accountable: str) -> tuple[Channel, ...]:
        """The webhook of the party that answers to her, or else those of her channels that somebody serves."""
        if self._webhook_of(accountable) is not None:
            return (Channel.model_construct(kind=WEBHOOK, address=accountable),)
        return tuple(channel for channel in contact.channels if self.serves(channel.kind))

    def ready_in(self, kind: str) -> float:
        """A webhook is always tried: one shop's trouble is not another's (one that rests says so when it is called)."""
        return self._services[kind].ready_in() if kind in self._services else 0.0

    def repeats_harmlessly(self, kind: str) -> bool:
        return kind == WEBHOOK or (kind in self._services and self._services[kind].provider.repeats_harmlessly)

    async def send(self, letter: Letter) -> Outcome:
        """Send in a worker thread, unless the service is left alone. Raises KeyError for a kind that nobody serves."""
        if letter.kind != WEBHOOK:
            return await self._services[letter.kind].send(letter)
        party = letter.accountable
        if party not in self._webhooks:
            self._webhooks[party] = Guarded(self._caller, self._around)
        return await self._webhooks[party].send(letter)

    def close(self) -> None:
        """Let go of what is open."""
        for guarded in (*self._services.values(), *self._webhooks.values()):
            if isinstance(guarded.provider, Connected):
                guarded.provider.close()
            guarded.close()


def delivery_of(settings: Settings, now: Callable[[], datetime]) -> AppriseDelivery:
    """The delivery that ``settings`` ask for. Raises DeliveryError."""
    return AppriseDelivery(
        settings.email_url,
        outbox=settings.outbox_folder,
        sender=settings.sender_address,
        channels=settings.channels,
        webhook_of=webhook_finder(settings.home),
        private_networks=settings.webhook_private_networks,
        now=now,
    )


def email_provider(url: str, *, outbox: Path, sender: str, monotonic: Callable[[], float] = time.monotonic) -> Provider:
    """What serves e-mail. Raises DeliveryError."""
    url = url.strip()
    scheme = _scheme(url)
    try:
        sender = check_address(sender)
    except AddressError:
        raise DeliveryError(f"sender_address must be an e-mail address, not '{sender}'") from None
    if scheme == files.SCHEME:
        folder = url.partition("://")[2]
        return Outbox(Path(unquote(folder)) if folder else outbox, sender)
    if scheme in _MEANT_SMTP:
        raise DeliveryError(
            f"email_url starts with {scheme}://: a mail server is written mailtos://user:password@host, and one on "
            "this machine mailto://localhost"
        )
    from apprise.exception import AppriseImproperlyConfigured

    from services.notifying import smtp

    if scheme not in smtp.SCHEMES:
        return _gateway(EMAIL, url, "email_url")
    try:
        server = smtp.SmtpServer.of(url, sender)
    except (AppriseImproperlyConfigured, TypeError, ValueError):
        server = None
    if server is None:
        raise DeliveryError(f"email_url is not an address that Apprise can use (it starts with {scheme}://)")
    return smtp.Smtp(server, sender, now=monotonic)


def channel_provider(kind: str, url: str) -> Provider:
    """What serves another kind of channel. Raises DeliveryError."""
    place = f"channels.{kind}"
    if not _KIND.fullmatch(kind):
        raise DeliveryError(f"'{kind}' in channels is not a kind of channel: write a word such as sms")
    if kind == EMAIL:
        raise DeliveryError(f"{place} is not needed: email_url says where e-mail goes")
    if kind == WEBHOOK:
        raise DeliveryError(f"{place} cannot be set: a party's webhook is, with 'repairchain partner add --webhook'")
    return _gateway(kind, url.strip(), place)


def _gateway(kind: str, url: str, place: str) -> Gateway:
    from services.notifying.gateway import ADDRESS, Gateway, GatewayError

    scheme = _scheme(url)
    if ADDRESS not in url:
        raise DeliveryError(f"{place} starts with {scheme}://, which needs {ADDRESS} in it where the recipient belongs")
    gateway = Gateway(kind, url)
    somebody = "+14155550100" if kind in PHONES else "somebody@example.com"
    try:
        gateway.plugin(somebody)
    except GatewayError:
        raise DeliveryError(f"{place} is not an address that Apprise can use (it starts with {scheme}://)") from None
    return gateway


def _scheme(url: str) -> str:
    """All that may be said of the address of a service: the rest may hold its password."""
    found = url.partition("://")[0].lower()
    return found if _KIND.fullmatch(found) else "something else"
