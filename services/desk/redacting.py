"""Her words as the log may have them: without names, addresses and numbers by which a person is found. Pure.

What is taken out leaves a mark, so that a reader sees that something stood there. Too much is better than too little:
who needs what is missing has the letter itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from services.contact import Contact
from services.desk.naming import PARTICLES

MARK: Final = "[…]"

#: So much of a letter goes into the log (characters), and so much of it is read at all.
LONGEST: Final = 2_000
_READ: Final = 8_000

_IN_WORD: Final = r"[^\s<>\"',;:()\[\]]"
_EMAIL: Final = re.compile(rf"(?<!{_IN_WORD}){_IN_WORD}{{1,254}}@{_IN_WORD}+")
_IBAN: Final = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Z0-9])", re.IGNORECASE
)

#: Between the digits of a telephone number.
_GAP: Final = r"[\s./()\u2010-\u2015-]{0,3}"
#: With a country or a trunk code, or ten or seven digits in the way of North America.
_PHONE: Final = re.compile(
    rf"(?<![\w.,-])(?:(?:\+|\(?00?)(?:{_GAP}\d){{6,14}}"
    r"|\(\d{3}\) ?\d{3}[ -]\d{4}|(?:\d{3}-)?\d{3}-\d{4})(?![\w-])"
)
#: What looks like a telephone number and is a date.
_DATE: Final = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{2}|\d{4})")

_HOUSE: Final = r"\d{1,5}(?:\s?[a-zA-Z](?!\w))?(?:\s?[-/]\s?\d{1,4})?(?!\w)"
_DUTCH_CODE: Final = r"\d{4}\s?[A-Z]{2}(?!\w)"
_ADDRESSES: Final = (
    # A street and a number, with or without the postal code behind it.
    r"(?<!\w)[\w'’-]{1,40}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|dreef|hof|stra(?:ß|ss)e|str\.|gasse|allee|platz)"
    rf"\s{{1,2}}{_HOUSE}(?:,?\s+(?:{_DUTCH_CODE}|\d{{5}}(?!\w)))?",
    r"(?<!\w)\d{1,5}\s(?:[A-Z][\w'’-]+\s){1,3}(?:Street|Road|Avenue|Lane|Drive|Square|St|Rd|Ave)\b\.?",
    r"(?<!\w)\d{1,4},?\s(?:rue|avenue|boulevard|place|chemin)\s[\w'’ -]{2,30}?,?\s+\d{5}(?!\w)",
    # A postal code, with the number of the house or a town beside it: alone it may be anything.
    rf"(?<!\w){_DUTCH_CODE}[\s,]+{_HOUSE}",
    rf"(?<!\w){_DUTCH_CODE}(?=,?\s+[A-Z][a-z]{{2,}})",
    r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)",
)
_ADDRESS: Final = re.compile("|".join(f"(?:{each})" for each in _ADDRESSES))

#: What no person writes, and no reader can show.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

_SEVERAL: Final = re.compile(rf"{re.escape(MARK)}(?:[\s,;]*{re.escape(MARK)})+")

#: A word as short as this is a name only where it is written like one.
_SHORT: Final = 2


def redacted(text: str, contact: Contact | None) -> str:
    """``text`` without what tells who she is or where she lives, at most 2,000 characters of it."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text[:_READ].replace("\r\n", "\n").replace("\r", "\n")))
    for pattern in (_EMAIL, _IBAN):
        text = pattern.sub(MARK, text)
    if contact is not None:
        for pattern in _of_her(contact):
            text = pattern.sub(MARK, text)
    text = _ADDRESS.sub(MARK, text)
    text = _PHONE.sub(lambda found: found[0] if _DATE.fullmatch(found[0].strip()) else MARK, text)
    text = _SEVERAL.sub(MARK, text).strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _of_her(contact: Contact) -> Iterable[re.Pattern[str]]:
    """What her own record says of her: addresses as they are, numbers however they are written, her name by words."""
    for channel in contact.channels:
        address = unicodedata.normalize("NFC", channel.address)
        yield re.compile(rf"(?<!\w){re.escape(address)}(?!\w)", re.IGNORECASE)
        digits = re.sub(r"\D", "", address)[-9:]
        if len(digits) >= 6:
            yield re.compile(rf"(?:\+?\(?\d{{1,4}}\)?{_GAP}){{0,2}}{_GAP.join(digits)}(?!\d)")
    name = unicodedata.normalize("NFC", contact.name or "")
    words = [word for word in re.findall(r"[\w'’.-]+", name) if any(map(str.isalpha, word))]
    if len(words) > 1:
        yield re.compile(r"(?<!\w)" + r"[\s,]+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)
    parts = [part for word in words for part in re.split(r"[-'’.]", word)]
    for word in dict.fromkeys(words + parts):
        letters = sum(map(str.isalpha, word))
        if letters < _SHORT or word.casefold() in PARTICLES:
            continue
        yield re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE if letters > _SHORT else 0)
