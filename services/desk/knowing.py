"""Which customers the book has ever had: what was mistyped is told from who is not known yet, by who is like it."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from nats.js import JetStreamContext

from events import names
from events.subjects import customer_key, token, untoken
from services.desk.book import Book

_STREAM: Final = f"KV_{names.CUSTOMERS}"
_ROOT: Final = f"$KV.{names.CUSTOMERS}."

#: So many are named, and so much like what was written they have to be (1 is the same).
_MOST: Final = 3
_LIKE: Final = 0.6


async def near(js: JetStreamContext, book: Book, opener: str, reference: str) -> list[tuple[str, str]]:
    """Customers who may be meant by one of whom nothing is known, the most likely first: opener and number of each.

    Those of the same opener with a number like that one, else those to whom another party gave the same number. Whoever
    was forgotten is not among them. Raises nats errors.
    """
    of_opener = await _known(js, f"{token(opener)}.*")
    like = await asyncio.to_thread(_alike, reference, [number for _, number in of_opener])
    found = await _remembered(book, ((opener, number) for number in like))
    return found or await _remembered(book, await _known(js, f"*.{token(reference)}"))


def _alike(reference: str, numbers: Sequence[str]) -> list[str]:
    """Those of ``numbers`` that are like ``reference``, whatever their case."""
    by_folded = {number.casefold(): number for number in numbers}
    close = difflib.get_close_matches(reference.casefold(), by_folded, n=2 * _MOST, cutoff=_LIKE)
    return [by_folded[folded] for folded in close]


async def _known(js: JetStreamContext, keys: str) -> list[tuple[str, str]]:
    """Opener and number of each record, and of each that was there once, whose key fits."""
    found = (await js.stream_info(_STREAM, subjects_filter=f"{_ROOT}{keys}")).state.subjects or {}
    pairs = (subject.removeprefix(_ROOT).split(".") for subject in found)
    return [(untoken(opener), untoken(number)) for opener, number in pairs]


async def _remembered(book: Book, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first of ``pairs`` of whom there is a record still."""
    found: list[tuple[str, str]] = []
    for opener, number in pairs:
        if len(found) < _MOST and (await book.find(customer_key(opener, number))).contact is not None:
            found.append((opener, number))
    return found
