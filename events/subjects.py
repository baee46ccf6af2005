"""Safe subjects: any order id and any party name becomes one NATS token, and back.

A token keeps ``A-Z a-z 0-9 _ -``; every other byte of the UTF-8 text is written ``=XX`` (two capital hexadecimal
digits). The result is legal both as a subject token and as a key of a key-value bucket.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from events import names
from events.party import name_of, role_of

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
#: The server keeps a stream in a folder of its name, and file systems end at 255 bytes.
_LONGEST_STREAM_TOKEN = 150
_SAFE = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+")


@lru_cache(maxsize=65_536)
def token(text: str) -> str:
    """One subject token for ``text``. Raises ValueError for the empty text, which no token can carry."""
    if not text:
        raise ValueError("an empty name cannot be part of a subject")
    if _SAFE.fullmatch(text):
        return text
    return "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def untoken(encoded: str) -> str:
    """The text that ``token`` encoded. Raises ValueError if ``encoded`` is not such a token."""
    if not _TOKEN.fullmatch(encoded):
        raise ValueError(f"'{encoded}' is not an encoded name")
    return unquote_to_bytes(encoded.replace("=", "%")).decode("utf-8", "surrogatepass")


def log_subject(order: str, name: str) -> str:
    """``repairs.<order>.<name>``, where the fact ``name`` (``item.received``) of ``order`` is filed."""
    return f"{names.LOG_ROOT}.{token(order)}.{name}"


def order_filter(order: str) -> str:
    """Everything in the log that is about ``order``."""
    return f"{names.LOG_ROOT}.{token(order)}.>"


def _of_party(root: str, party: str) -> str:
    return f"{root}.{role_of(party)}.{token(name_of(party))}"


def intake_subject(party: str) -> str:
    """Where ``party`` hands in what it has to say; in the account of the chain, where our own do so for it."""
    return _of_party(names.INTAKE_ROOT, party)


def box_subject(party: str) -> str:
    """Where in the account of the chain arrives what ``party`` itself hands in."""
    return _of_party(names.BOX_ROOT, party)


def box_stream(party: str) -> str:
    """The stream in which that waits."""
    name = token(name_of(party))
    if len(name) > _LONGEST_STREAM_TOKEN:  # no token has =_ in it, so this is no other party's
        name = f"{name[:60]}=_{hashlib.sha256(name.encode()).hexdigest()}"
    return f"{names.INTAKE_STREAMS[role_of(party)]}_{name}"


def receipts_subject(party: str) -> str:
    """Where ``party`` hears what became of its submissions."""
    return _of_party(names.RECEIPTS_ROOT, party)


def notices_subject(party: str) -> str:
    """Where ``party`` hears that somebody waits for it."""
    return _of_party(names.NOTICES_ROOT, party)


def orders_subject(party: str) -> str:
    """Where ``party`` asks about the orders that it has a part in."""
    return _of_party(names.ORDERS_ROOT, party)


def rejected_subject(party: str, order: str, *, held: bool = False) -> str:
    """Where a submission of ``party`` about ``order`` is kept that could not be taken.

    What is held for its order is kept apart: nobody who looks for that goes through what needs a hand.
    """
    kept = f"{_of_party(names.REJECTED_ROOT, party)}.{token(order or '-')}"
    return kept if held else f"{kept}.refused"


def held_subject(role: str, order: str) -> str:
    """Where everything is kept that parties of that role have said about ``order`` and is held for it."""
    return f"{names.REJECTED_ROOT}.{role}.*.{token(order)}"


def party_of_subject(subject: str) -> str:
    """``retailer:acme`` of ``intake.retailer.acme``. Raises ValueError if the subject names no party."""
    parts = subject.split(".")
    if len(parts) < 3:
        raise ValueError(f"subject '{subject}' names no party")
    return f"{parts[1]}:{untoken(parts[2])}"


def customer_key(opener: str, reference: str) -> str:
    """Key in the CUSTOMERS bucket; a reference belongs to the party that gave it, so two shops cannot collide."""
    return f"{token(opener)}.{token(reference)}"
