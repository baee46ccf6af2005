"""A message on its way out: the letter with her name and address, and the e-mail made of it (RFC 5322)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, Literal

from projections.calendar import DEFAULT
from services.notifying.discretion import one_line

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*|\"[\x20\x21\x23-\x5B\x5D-\x7E]+\"")
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST: Final = 254

#: SMTP allows lines of up to 998 bytes.
_LONGEST_LINE: Final = 998


class AddressError(ValueError):
    """Not one e-mail address. The message does not repeat it: addresses are kept out of logs."""


@dataclass(frozen=True)
class Letter:
    """What leaves. ``text`` begins with the salutation; name and address stay out of ``repr`` and thus of logs.

    ``order``, ``accountable`` (the party that speaks), ``news`` (the kind of message) and ``next_news_by`` are for
    channels that pass a message on as data; all letters about one order are one thread. ``html`` is the same text.
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


def check_address(text: str) -> str:
    """``text`` as one address that can be put on an envelope, its domain in ASCII. Raises AddressError.

    We check for ourselves: Apprise reads lists where we mean one address, and ``o'neil@example.com`` as somebody at
    ``neil@example.com``.
    """
    local, at, domain = text.rpartition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressError("the address has a domain that does not exist") from None
    if not at or len(text) > _LONGEST or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise AddressError("the address is not one e-mail address")
    return f"{local}@{domain}"


def build_email(letter: Letter, sender: str, transfer: Literal["8bit", "quoted-printable"]) -> EmailMessage:
    """The e-mail, with a Message-ID that is the same each time. Raises AddressError for a recipient that is none."""
    recipient = check_address(letter.to_address)
    if any(len(line.encode()) > _LONGEST_LINE for line in letter.text.splitlines()):
        transfer = "quoted-printable"
    email = EmailMessage(policy=policy.SMTP)
    email["From"] = _mailbox(letter.from_name, sender)
    email["To"] = _mailbox(letter.to_name or "", recipient)
    if letter.reply_to is not None:
        email["Reply-To"] = _mailbox(letter.from_name, letter.reply_to)
    email["Subject"] = one_line(letter.subject)
    email["Date"] = format_datetime(letter.date.astimezone(DEFAULT.zone))
    email["Message-ID"] = f"<{letter.message}@{sender.rpartition('@')[2]}>"
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(letter.text, charset="utf-8", cte=transfer)
    email["Content-Language"] = letter.language
    return email


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)
