"""A letter that came in (RFC 5322), as far as it matters here: what kind it is, what she says, and what it refers to.

Pure. Everything in a letter is the word of a stranger: nothing of it is trusted, and nothing of it is kept that is not
her own new words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.message import EmailMessage, Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice
from typing import Final, Literal

from services.desk.mail_text import LONGEST, new_words, text_of

Kind = Literal["word", "automatic", "bounce", "stop"]

#: No header that says something here is longer than this, and no id or address (characters).
_LONGEST_HEADER: Final = 10_000
_LONGEST_ID: Final = 900

#: So many parts of a letter are looked at, so many headers of what came back, and so many attachments named.
_MOST_PARTS: Final = 200
_MOST_HEADERS: Final = 1_000
_MOST_NAMES: Final = 20

#: A letter with more lines that may begin a part is none: the parser would take minutes for some megabytes of them.
_MOST_BOUNDARIES: Final = 10_000

#: Our message ids, and what names all letters about an order.
_OURS: Final = re.compile(r"<((?:msg|order)-[0-9a-f]{24})@[^<>\s]+>")

#: What may be an order's number, a serial number, or the like: something with a digit in it.
_NUMBER: Final = re.compile(r"(?<![\w@.-])(?=[\w./:-]*\d)[A-Za-z0-9](?:[\w./:-]{0,60}\w)?(?![\w@])")
_MOST_NUMBERS: Final = 20

#: "Stop", perhaps with a number, and nothing else: "stop the repair" is a word for people, and "afmelden afspraak" is.
_STOP: Final = re.compile(
    r"\s*(?:re:\s*)?(?:stop|unsubscribe|afmelden|abmelden)(?P<number>(?:\s+\S*\d\S*){0,3})[\s.!]*", re.IGNORECASE
)
#: How the automatic answers of those begin who mark them in no other way.
_ANSWERED_BY_ITSELF: Final = re.compile(
    r"\s*(?:auto(?:matic|mated)?[- ]?(?:reply|response)|out of (?:the )?office|automatisch antwoord|"
    r"afwezigheidsbericht|automatische antwort|abwesenheitsnotiz|réponse automatique)\b",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")
#: What is said of one who will not get it, where no more precise status is.
_FAILED: Final = "5.0.0"


class MailError(ValueError):
    """The bytes are no letter that can be read; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Bounce:
    """A mail server says that a letter of ours will never arrive. ``status`` as RFC 3463 has it, such as 5.1.1."""

    message: str | None
    status: str


@dataclass(frozen=True)
class Mail:
    """A letter. ``replies_to``: ids of our messages, the nearest first; ``tags``: what followed a plus in our address.

    ``sender`` is how its sender is called there, ``address`` where it says that it comes from; ``text`` is her new
    words with the names of what she attached, not yet redacted. Whatever may tell who she is stays out of ``repr``.
    """

    kind: Kind
    id: str | None = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    sender: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    replies_to: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=(), repr=False)
    date: datetime | None = None
    bounce: Bounce | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """What may be the number of an order, in its subject first, at most twenty."""
        found = dict.fromkeys([*_NUMBER.findall(self.subject), *_NUMBER.findall(self.text)])
        return tuple(found)[:_MOST_NUMBERS]


def read_mail(raw: bytes) -> Mail:
    """The letter in ``raw``. Raises MailError."""
    if not raw.strip():
        raise MailError("it is empty")
    if raw.count(b"\n--") > _MOST_BOUNDARIES:
        raise MailError("it has parts without end")
    try:
        return _read(message_from_bytes(raw, policy=policy.default))
    except RecursionError:
        raise MailError("it has parts within parts without end") from None


def _read(letter: EmailMessage) -> Mail:
    if not {"from", "return-path", "to"} & {name.lower() for name, value in letter.raw_items() if value}:
        raise MailError("it has no headers of a letter")
    subject, senders = _header(letter, "Subject"), _addresses([_header(letter, "From")])
    bounce = _bounce(letter)
    kind: Kind = "word"
    if bounce is not None or letter.get_content_type() == "multipart/report":
        kind = "bounce" if bounce is not None else "automatic"
    elif _is_automatic(letter):
        kind = "automatic"
    elif _is_stop(subject, letter):
        kind = "stop"
    return Mail(
        kind=kind,
        id=_header(letter, "Message-ID").strip()[:_LONGEST_ID] or None,
        subject=subject,
        sender=" ".join(name for name, _ in senders if name)[:200],
        address=senders[0][1] if len(senders) == 1 else "",
        text=_with_attachments(new_words(text_of(letter)), letter) if kind == "word" else "",
        replies_to=_replies_to(letter),
        tags=tuple(_tags(letter)),
        date=_date(letter),
        bounce=bounce,
    )


# -- what it is --------------------------------------------------------------------------------------------------------


def _is_automatic(letter: EmailMessage) -> bool:
    """Whether a machine wrote it (RFC 3834), or it went to many."""
    submitted = _header(letter, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or _header(letter, "Precedence").strip().lower() in ("bulk", "list", "junk", "auto_reply")
        or any(letter.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "List-Id"))
        or _header(letter, "Return-Path").strip() == "<>"
        or _ANSWERED_BY_ITSELF.match(_header(letter, "Subject")) is not None
    )


def _is_stop(subject: str, letter: EmailMessage) -> bool:
    """Whether she wants no more letters. What a mail program writes below the subject that our header gave it, with the
    order's number, is nothing; below a bare "stop" it says what is to be stopped, and that is for people to read."""
    found, words = _STOP.fullmatch(subject), new_words(text_of(letter))
    return found is not None and bool(found["number"] or not any(map(str.isalnum, words)) or _STOP.fullmatch(words))


def _bounce(letter: EmailMessage) -> Bounce | None:
    """That a letter of ours came back for good; None if this is no such report, or the server tries on."""
    if letter.get_content_type() != "multipart/report":
        return None
    status, original = None, None
    for part in islice(letter.walk(), _MOST_PARTS):
        if part.get_content_type() == "message/delivery-status":
            status = status or next((found for each in _parts(part) if (found := _failure(_headers(each)))), None)
        elif part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            original = original or next((ours for each in _parts(part) if (ours := _original(_headers(each)))), None)
    return Bounce(original, status) if status is not None else None


def _failure(recipient: str) -> str | None:
    """The status of one recipient of a report, if the server has given up; one without an action says it by a 5."""
    fields = dict(re.findall(r"^(action|status):[ \t]*(\S+)", recipient.lower(), re.MULTILINE))
    found = _STATUS.match(fields.get("status", ""))
    status = found[0] if found else None
    if fields.get("action") == "failed":
        return status or _FAILED
    return status if "action" not in fields and status is not None and status.startswith("5") else None


def _original(headers: str) -> str | None:
    """Which of our messages has these headers; the id itself before what it answers."""
    own = re.search(r"^message-id:[^\n]*", headers, re.IGNORECASE | re.MULTILINE)
    ours = (_OURS.search(own[0]) if own else None) or _OURS.search(headers)
    return ours[1] if ours else None


def _headers(part: object) -> str:
    """Its headers, a line each, as they came: to write them anew would take minutes for one that is far too long."""
    if not isinstance(part, Message):
        return re.sub(r"\r?\n[ \t]+", " ", str(part)[:LONGEST])
    pairs = islice(part.raw_items(), _MOST_HEADERS)
    return "\n".join(f"{name}: {' '.join(str(value)[:_LONGEST_HEADER].split())}" for name, value in pairs)


def _parts(part: EmailMessage) -> list[object]:
    payload = part.get_payload()
    return list(payload) if isinstance(payload, list) else [payload]


# -- what it refers to -------------------------------------------------------------------------------------------------


def _replies_to(letter: EmailMessage) -> tuple[str, ...]:
    near = _OURS.findall(_header(letter, "In-Reply-To"))
    far = reversed(_OURS.findall(_header(letter, "References")))
    return tuple(dict.fromkeys([*near, *far]))


def _tags(letter: EmailMessage) -> Iterator[str]:
    """What stands behind the plus in the addresses that it went to."""
    headers = [_header(letter, name) for name in ("Delivered-To", "X-Original-To", "To", "Cc")]
    for _, address in _addresses(headers):
        _, plus, tag = address.rpartition("@")[0].partition("+")
        if plus and tag and len(tag) <= _LONGEST_ID:
            yield tag


def _addresses(headers: list[str]) -> list[tuple[str, str]]:
    """Names and addresses; none where somebody has put comments into comments without end."""
    try:
        return getaddresses(headers)
    except RecursionError:
        return []


def _date(letter: EmailMessage) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(letter, "Date"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _header(letter: EmailMessage, name: str) -> str:
    """A header as text on one line; what cannot be read is as good as absent.

    One that is far too long is not taken apart, which would take many seconds: its beginning and its end are given.
    """
    raw = next((str(value) for found, value in letter.raw_items() if found.lower() == name.lower()), "")
    if len(raw) > _LONGEST_HEADER:
        return " ".join(f"{raw[: _LONGEST_HEADER // 2]} {raw[-_LONGEST_HEADER // 2 :]}".split())
    try:
        value = letter.get(name)
    except (HeaderParseError, ValueError, LookupError, IndexError, AttributeError, RecursionError):
        return ""
    return " ".join(str(value).split()) if value is not None else ""


# -- what it says ------------------------------------------------------------------------------------------------------


def _with_attachments(text: str, letter: EmailMessage) -> str:
    """The text, and the names of what she attached, which is kept nowhere."""
    attached = islice(_attached(letter), _MOST_NAMES)
    names = [" ".join((part.get_filename() or part.get_content_type()).split())[:100] for part in attached]
    return f"{text}\n\n[attached: {', '.join(names)}]".strip() if names else text


def _attached(letter: EmailMessage) -> Iterator[EmailMessage]:
    for part in islice(letter.walk(), _MOST_PARTS):
        if not part.is_multipart() and (part.is_attachment() or part.get_content_maintype() != "text"):
            yield part
