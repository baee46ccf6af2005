"""Where else a customer's name and address lie, and how they are erased there: what was rejected, letters on the disk.

Nothing else holds them. The log and all that is made of it never do; an intake stream lets go of a submission within
moments of its receipt, with the file that it lay in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any, Final

import orjson
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from events import names
from events.streams import REJECTED_KEPT
from services.contact import Contact
from services.desk.book import erase
from services.intake.rejecting import Rejected, from_message

#: A name as short as this stands in many a text by chance.
_SHORT: Final = 5


@dataclass(frozen=True)
class Traces:
    """By what things of one customer are told: whose she is, her orders, our messages to her, what she is called."""

    opener: str
    reference: str
    orders: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()  # casefolded: her name, and each of her addresses
    addresses: frozenset[str] = frozenset()  # casefolded

    @classmethod
    def of(
        cls, opener: str, reference: str, contact: Contact | None, orders: Iterable[str], messages: Iterable[str]
    ) -> Traces:
        """What tells her, where ``contact`` is what the book says of her."""
        addresses = frozenset(each.address.casefold() for each in contact.channels) if contact else frozenset[str]()
        name = " ".join((contact.name or "").split()).casefold() if contact else ""
        called = addresses | ({name} if len(name) >= _SHORT else set())
        return cls(opener, reference, frozenset(orders), frozenset(messages), called, addresses)


async def rejected_of(js: JetStreamContext, traces: Traces) -> AsyncIterator[Rejected]:
    """What is kept as rejected, or held, that has something of hers in it."""
    after = 0
    while True:
        try:
            message = await js.get_msg(names.REJECTED, seq=after + 1, subject=f"{names.REJECTED_ROOT}.>", next=True)
        except NotFoundError:
            return
        after = message.seq or after + 1
        try:
            rejected = from_message(message)
        except (KeyError, ValueError):  # whatever somebody else has put there, it is no submission
            continue
        if is_hers(rejected, traces):
            yield rejected


def is_hers(rejected: Rejected, traces: Traces) -> bool:
    """Whether a submission carries her contact, or what she is called stands anywhere in it."""
    try:
        document: Any = orjson.loads(rejected.payload)
    except orjson.JSONDecodeError:
        document = None
    texts = [rejected.payload.decode("utf-8", "replace"), str(rejected.headers), str(rejected.problem)]
    if document is not None:  # as text, what JSON writes with escapes is plain
        texts.append(str(document))
    text = " ".join("\n".join(texts).casefold().split())
    if any(each in text for each in traces.called):
        return True
    if not isinstance(document, dict) or rejected.party != traces.opener:
        return False
    data = document.get("data", document)  # in binary mode, the body is the data
    if not isinstance(data, dict) or not data.get("contact"):
        return False
    subject = document.get("subject") or rejected.headers.get("ce-subject")
    return data.get("customer") == traces.reference or subject in traces.orders | {traces.reference}


async def erase_rejected(js: JetStreamContext, traces: Traces) -> int:
    """Have the server overwrite what is kept as rejected of her; returns how many submissions that were."""
    numbers = [rejected.number async for rejected in rejected_of(js, traces)]
    for number in numbers:
        await erase(js, names.REJECTED, number)
    return len(numbers)


async def erase_expired(js: JetStreamContext, now: datetime) -> int:
    """Have the server overwrite what was rejected so long ago that nobody will mend it; returns how many those were.

    The server's own expiry takes a submission off its list and leaves the bytes, which may be names, in the file.
    """
    before = now - timedelta(seconds=REJECTED_KEPT)
    count = 0
    while True:
        try:
            message = await js.get_msg(names.REJECTED, seq=1, subject=f"{names.REJECTED_ROOT}.>", next=True)
        except NotFoundError:
            return count
        if message.time is None or message.time >= before or message.seq is None:
            return count
        await erase(js, names.REJECTED, message.seq)
        count += 1


def erase_letters(folders: Iterable[Path], traces: Traces) -> int:
    """Remove the letters to her that lie in ``folders``; returns how many files that were. Raises OSError."""
    removed = 0
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and _is_to_her(path, traces):
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_to_her(path: Path, traces: Traces) -> bool:
    if path.stem in traces.messages:
        return True
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # a letter on its way to its name
        return False
    return bool(_recipients(content) & traces.addresses) or any(
        each.encode() in content.lower() for each in traces.addresses
    )


def _recipients(content: bytes) -> set[str]:
    try:
        letter: EmailMessage = message_from_bytes(content[:64_000], policy=policy.default)
        return {address.casefold() for _, address in getaddresses([str(letter.get("To", ""))])}
    except (HeaderParseError, ValueError, LookupError, IndexError):
        return set()
