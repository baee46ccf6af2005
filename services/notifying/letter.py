"""A message on its way out: the letter with her name and address, and what counts as an address."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import idna

from services.contact import Contact

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*|\"[\x20\x21\x23-\x5B\x5D-\x7E]+\"")
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST: Final = 254

#: E.164: the country first, fifteen digits at most.
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION: Final = str.maketrans("", "", " -.()/\N{NO-BREAK SPACE}")

#: Kinds of channels whose addresses are telephone numbers.
PHONES: Final = frozenset({"sms", "whatsapp", "signal"})


class AddressError(ValueError):
    """Not one address of its kind. The message does not repeat it: addresses are kept out of logs."""


@dataclass(frozen=True)
class Letter:
    """What leaves. ``text`` begins with the salutation; name and address stay out of ``repr`` and thus of logs.

    On a channel for texts ``text`` is a short one, without salutation, ``subject`` or ``html``. ``short`` is that text
    for a shop that sends texts itself, where there is one.

    ``order``, ``accountable`` (the party that speaks), ``news`` (the kind of message) and ``next_news_by`` are for
    channels that pass a message on as data; so is ``contact``, all that we know of how to reach her. All letters about
    one order are one thread. ``html`` is the same text.
    """

    message: str
    kind: str
    to_name: str | None = field(repr=False)
    to_address: str = field(repr=False)
    from_name: str
    reply_to: str | None
    language: str
    subject: str
    text: str = field(repr=False)
    date: datetime
    order: str = ""
    accountable: str = ""
    news: str = ""
    next_news_by: datetime | None = None
    html: str | None = field(default=None, repr=False)
    short: str | None = field(default=None, repr=False)
    contact: Contact | None = field(default=None, repr=False)


def check_address(text: str) -> str:
    """``text`` as one address that can be put on an envelope, its domain in ASCII. Raises AddressError.

    We check for ourselves: Apprise reads lists where we mean one address, and ``o'neil@example.com`` as somebody at
    ``neil@example.com``.
    """
    local, at, domain = text.rpartition("@")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        raise AddressError("the address has a domain that does not exist") from None
    if not at or len(text) > _LONGEST or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise AddressError("the address is not one e-mail address")
    return f"{local}@{domain}"


def check_phone(text: str) -> str:
    """``text`` as a telephone number with its country, ``+31612345678``. Raises AddressError.

    Without the country nobody knows whom we would reach.
    """
    number = text.translate(_PUNCTUATION)
    if not _PHONE.fullmatch(number):
        raise AddressError("the number does not begin with + and the country")
    return number


def check_address_of(kind: str, text: str) -> str:
    """``text`` as an address for that kind of channel; of kinds that we know nothing about, as it is."""
    if kind == "email":
        return check_address(text)
    return check_phone(text) if kind in PHONES else text
