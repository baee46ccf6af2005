"""One face: what partners write for each other is passed on to the customer only where it gives no link away.

A partner's free text may be just what she wants to know ("new crown and stem"). It is left out, and a general sentence
takes its place, when it names or points at anybody of the chain, or holds an address or a number to call.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

#: In characters. A remark in passing is short; an answer takes the room that it needs.
_LONGEST: Final = 200
LONGEST_ANSWER: Final = 2_000

_LINKS: Final = re.compile(
    r"\b(importer|importeur|repairer|reparateur|retailer|manufacturer|fabrikant|supplier|leverancier|dealer|"
    r"wholesaler|groothandel|customer|klant)\w*",
    re.IGNORECASE,
)
_ADDRESSES: Final = re.compile(r"@|https?:|www\.|\d[\d\s().-]{6,}\d")
_SENDS_AWAY: Final = re.compile(r"@|://|www\.|\b[a-z0-9-]+\.(com|net|org|info|example|[a-z]{2})/", re.IGNORECASE)
_WORDS: Final = re.compile(r"\w+")

_PART_GONE: Final = re.compile(
    r"\bparts?\b.*\b(cannot be had|can no longer be had|cannot be obtained|not obtainable|not available|unavailable|"
    r"no longer (available|made|supplied)|discontinued)\b|"
    r"\bonderde(el|len)\b.*\b(niet|geen)\b.*\b(leverbaar|verkrijgbaar|beschikbaar|te krijgen|gemaakt)\b",
    re.IGNORECASE,
)


def one_line(text: str) -> str:
    """``text`` on one line, without control or formatting characters: nothing in it can start a header or hide."""
    if text.isascii() and text.isprintable():  # as nearly every text is, and sooner seen of the whole
        return " ".join(text.split())
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(kept.split())


def holds_no_address(text: str) -> bool:
    """Whether ``text`` sends nobody anywhere by e-mail or web address. (A model may well be a long number.)"""
    return _SENDS_AWAY.search(text) is None


def part_is_gone(why: str | None) -> bool:
    """Whether ``why`` says that a part cannot be had: a reason that we have words for in every language."""
    return why is not None and _PART_GONE.search(why.replace("_", " ")) is not None


def passed_on(
    text: str | None, links: Iterable[str], ours: Iterable[str] = (), *, longest: int = _LONGEST
) -> str | None:
    """``text`` for the customer's eyes on one line, or None if it names one of ``links`` (names of parties).

    A name is recognised by any of its words of four letters or more, except the words of ``ours``: the accountable
    party's own name, telephone and address, and the product's name.
    """
    if text is None:
        return None
    line = one_line(text)
    if not line or len(line) > longest or _LINKS.search(line):
        return None
    elsewhere = line
    for each in ours:
        elsewhere = elsewhere.replace(each, "") if each else elsewhere
    if _ADDRESSES.search(elsewhere):
        return None
    known = {word for name in ours for word in _words(name)}
    if _words(line) & ({word for name in links for word in _words(name)} - known):
        return None
    return line.rstrip(".")


@lru_cache(maxsize=512)  # the same names again and again
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORDS.findall(text.casefold().replace("_", " ")) if len(word) >= 4)
