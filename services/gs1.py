"""Numbers of GS1's that name a party or a place: whether one can be right, by its length and its check digit.

A GLN has 13 digits, of which the last follows from the others. In a URN it stands without that one, and with a dot
behind the company's own part, which has 6 to 12 digits. Whatever else names a party is none of ours to judge.
"""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = 13
_COMPANY: Final = range(6, 13)

_URN: Final = re.compile(r"urn:epc:id:(pgln|sgln):(.*)", re.IGNORECASE)
_IN_URN: Final = {
    "pgln": re.compile(r"(?P<company>[0-9]+)\.(?P<own>[0-9]*)"),
    "sgln": re.compile(r"(?P<company>[0-9]+)\.(?P<own>[0-9]*)\.[^.]+"),
}
#: In a Digital Link: 414 is a place, 417 a party.
_LINK: Final = re.compile(r"https?://[^?#]*/41[47]/([^/?#]*)(?:[/?#].*)?", re.IGNORECASE)
#: What somebody writes who means a GLN, whether or not all its digits are there.
_BARE: Final = re.compile(r"[0-9]{12,14}")


def check_digit(digits: str) -> str:
    """The last digit of a number of GS1's that begins with ``digits``."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def fault_of(identifier: str) -> str | None:
    """What is wrong with ``identifier`` as a number of GS1's, in a sentence; None if nothing is, or it is none."""
    if urn := _URN.fullmatch(identifier):
        return _fault_of_urn(urn[1].lower(), urn[2])
    if link := _LINK.fullmatch(identifier):
        return _fault_of_gln(link[1])
    return _fault_of_gln(identifier) if _BARE.fullmatch(identifier) else None


def _fault_of_gln(number: str) -> str | None:
    if not re.fullmatch(r"[0-9]{13}", number):
        return f"a GLN has {_DIGITS} digits, and '{number}' is not that"
    if number[-1] != (right := check_digit(number[:-1])):
        return f"the GLN {number} has a digit wrong: after {number[:-1]} the check digit is {right}, not {number[-1]}"
    return None


def _fault_of_urn(kind: str, text: str) -> str | None:
    parts = _IN_URN[kind].fullmatch(text)
    example = "urn:epc:id:pgln:4012345.00225" if kind == "pgln" else "urn:epc:id:sgln:4012345.00225.0"
    if parts is None:
        return f"'{text}' is no {kind.upper()}: it is written like {example}"
    company, own = parts["company"], parts["own"]
    if len(company) not in _COMPANY:
        return f"a company's prefix has {_COMPANY[0]} to {_COMPANY[-1]} digits, and '{company}' has {len(company)}"
    if len(company) + len(own) != _DIGITS - 1:
        return (
            f"before and behind the dot there are {_DIGITS - 1} digits together, without the check digit, "
            f"and '{company}.{own}' has {len(company) + len(own)}"
        )
    return None
