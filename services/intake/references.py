"""A shop's number for its customer is a number or a code: it goes into the log, where no name or address may be."""

from __future__ import annotations

import re
from typing import Final

from services.contact import EMAIL, Contact
from services.desk.naming import PARTICLES

#: Shorter words of a name stand in many a code by chance.
_SHORTEST_WORD: Final = 3
#: Fewer digits are no telephone number.
_SHORTEST_NUMBER: Final = 6

_LETTERS: Final = re.compile(r"[^\W\d_]+")


def fault_in_reference(reference: str, contact: Contact | None) -> str | None:
    """What is personal in ``reference``, in words that do not repeat it; None if nothing is."""
    if "@" in reference:
        return "it holds an e-mail address"
    if contact is None:
        return None
    words = {word.casefold() for word in _LETTERS.findall(reference)}
    if words & _telling_words(contact.name or "") or _is_in(contact.name or "", reference):
        return "it holds the customer's name"
    for channel in contact.channels:
        if channel.kind == EMAIL:
            if _is_in(channel.address, reference):
                return "it holds the customer's e-mail address"
        elif _number_is_in(channel.address, reference):
            return "it holds the customer's telephone number"
    return None


def _telling_words(name: str) -> set[str]:
    words = {word.casefold() for word in _LETTERS.findall(name)}
    return {word for word in words if len(word) >= _SHORTEST_WORD and word not in PARTICLES}


def _is_in(text: str, reference: str) -> bool:
    """Whether the letters and digits of ``text`` stand in ``reference``, whatever is between them."""
    squeezed = _squeezed(text)
    return len(squeezed) > _SHORTEST_WORD and squeezed in _squeezed(reference)


def _squeezed(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _number_is_in(address: str, reference: str) -> bool:
    """Telephone numbers are written with and without the country: the last nine digits tell."""
    digits = "".join(character for character in address if character.isdecimal())[-9:]
    return len(digits) >= _SHORTEST_NUMBER and digits in re.sub(r"\D", "", reference)
