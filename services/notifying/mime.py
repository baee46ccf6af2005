"""The e-mail made of a letter (RFC 5322, 2045–2047, 3834), as the bytes that are sent.

Put together by hand: the standard library's EmailMessage reads every header that it is given and encodes bodies line
by line in Python, and takes longer over a letter than the mail server does. What comes of it is read back with that
same library in the tests, word for word.

All letters about one order refer to one root, a message that was never sent: mail programs show them as one thread.
"""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b
from textwrap import wrap
from typing import Final, Literal
from urllib.parse import quote

from projections.calendar import DEFAULT
from services.notifying.discretion import one_line
from services.notifying.letter import Letter, check_address

#: SMTP allows lines of up to 998 bytes; headers are better kept shorter.
_LONGEST_LINE: Final = 998
_USUAL_LINE: Final = 76
_LONGEST_NAME: Final = 200

#: Bytes: with what is around them they fill a line of 76 after the name of the header.
_ENCODED_WORD: Final = 39

_NEW_LINE: Final = "\r\n"
_FOLD: Final = "\r\n "

Transfer = Literal["8bit", "quoted-printable"]


def build_email(letter: Letter, sender: str, transfer: Transfer) -> bytes:
    """The e-mail, with a Message-ID that is the same each time. Raises AddressError for a recipient that is none."""
    recipient = check_address(letter.to_address)
    headers = [
        ("From", _our_mailbox(letter.from_name, sender)),
        ("To", _mailbox(letter.to_name or "", recipient)),
        ("Subject", _words(one_line(letter.subject), "Subject")),
        ("Date", _date(letter.date)),
        ("Message-ID", message_id(letter.message, sender)),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("Content-Language", letter.language),
        ("MIME-Version", "1.0"),
    ]
    if letter.reply_to is not None:
        headers.append(("Reply-To", _our_mailbox(letter.from_name, letter.reply_to)))
    if letter.order:
        root = thread_id(letter.order, sender)
        stop = quote(f"stop {letter.order}", safe="")
        headers += [
            ("In-Reply-To", root),
            ("References", root),
            ("List-Unsubscribe", f"<mailto:{quote(sender, safe='@')}?subject={stop}>"),
        ]
    lines = "".join(f"{name}: {value}{_NEW_LINE}" for name, value in headers)
    return lines.encode("ascii") + _body(letter, transfer)


def message_id(message: str, sender: str) -> str:
    """The Message-ID of the letter for the intent ``message``."""
    return f"<{message}@{_domain(sender)}>"


def thread_id(order: str, sender: str) -> str:
    """What all letters about ``order`` refer to."""
    return f"<order-{blake2b(order.encode('utf-8', 'replace'), digest_size=12).hexdigest()}@{_domain(sender)}>"


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2]


# -- the body ---------------------------------------------------------------------------------------------------------


def _body(letter: Letter, transfer: Transfer) -> bytes:
    """The rest of the headers, an empty line, and the text; the HTML after it, where there is one."""
    texts = [("plain", _lines(letter.text))]
    if letter.html is not None:
        texts.append(("html", _lines(letter.html)))
    boundary = f"=_{letter.message}"  # in quoted-printable an equals sign is never followed by a line
    if any(_needs_encoding(text, boundary) for _, text in texts):
        transfer = "quoted-printable"
    parts = [_part(kind, text, transfer) for kind, text in texts]
    if len(parts) == 1:
        return parts[0]
    between = f"--{boundary}{_NEW_LINE}".encode()
    head = f'Content-Type: multipart/alternative;{_FOLD}boundary="{boundary}"{_NEW_LINE}{_NEW_LINE}'.encode()
    return head + b"".join(between + part + b"\r\n" for part in parts) + f"--{boundary}--{_NEW_LINE}".encode()


def _lines(text: str) -> bytes:
    """``text`` in UTF-8 with the line ends of the net, the last line ended as well."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not plain.endswith("\n"):
        plain += "\n"
    return plain.replace("\n", _NEW_LINE).encode("utf-8", "replace")


def _needs_encoding(text: bytes, boundary: str) -> bool:
    long = len(text) > _LONGEST_LINE and any(len(line) > _LONGEST_LINE for line in text.split(b"\r\n"))
    return long or b"\0" in text or boundary.encode() in text


def _part(kind: str, text: bytes, transfer: Transfer) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"{_NEW_LINE}Content-Transfer-Encoding: {transfer}{_NEW_LINE}'
    return head.encode() + b"\r\n" + (text if transfer == "8bit" else b2a_qp(text, istext=True))


# -- headers ----------------------------------------------------------------------------------------------------------


def _words(text: str, header: str) -> str:
    """``text`` (on one line) as the value of ``header``, encoded and folded where it has to be."""
    plain = text.isascii() and "=?" not in text
    if plain and len(header) + 2 + len(text) <= _USUAL_LINE:
        return text
    if plain and max(map(len, text.split())) < _LONGEST_LINE - len(header) - 2:
        room = _USUAL_LINE - len(header) - 2
        return _FOLD.join(wrap(text, room, break_long_words=False, break_on_hyphens=False))
    return _FOLD.join(f"=?utf-8?b?{b2a_base64(piece, newline=False).decode()}?=" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[bytes]:
    """``text`` in UTF-8, cut between characters into what one encoded word can hold (RFC 2047)."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= _ENCODED_WORD:
        yield whole
        return
    piece = b""
    for char in text:
        encoded = char.encode("utf-8", "replace")
        if len(piece) + len(encoded) > _ENCODED_WORD:
            yield piece
            piece = b""
        piece += encoded
    yield piece


def _mailbox(name: str, address: str) -> str:
    shown = one_line(name)[:_LONGEST_NAME]
    if not shown:
        return address
    if shown.isascii() and "=?" not in shown:
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{quoted}"'
    else:
        phrase = _words(shown, "Reply-To")
    long = len(phrase) + len(address) > _USUAL_LINE - len("Reply-To: ")
    return f"{phrase}{_FOLD if long else ' '}<{address}>"


#: A shop's name and address are the same in every letter.
_our_mailbox = lru_cache(maxsize=256)(_mailbox)


@lru_cache(maxsize=1)
def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(DEFAULT.zone))
