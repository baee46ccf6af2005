"""The words of a policy, and the sentence about a word that is none of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final, Literal, get_args

from events.order import Urgency

Kind = Literal[
    "receive",
    "forward",
    "diagnose",
    "decide",
    "cover",
    "part",
    "repair",
    "return",
    "answer",
    "update",
    "visit",
    "check",
    "call",
    "promise",
]
#: Whom a level tells. The person is the one whom the accountable party has named; a policy names nobody.
Told = Literal["owner", "accountable", "customer", "person"]
OwingRole = Literal["retailer", "importer", "repairer", "customer"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
TOLD: Final[tuple[Told, ...]] = get_args(Told)
OWING_ROLES: Final[tuple[OwingRole, ...]] = get_args(OwingRole)
URGENCIES: Final[tuple[Urgency, ...]] = get_args(Urgency)

#: Their moment is agreed with the customer, so a rule for all kinds does not mean them.
AGREED: Final[frozenset[Kind]] = frozenset({"visit", "promise"})


class PolicyError(ValueError):
    """A policy cannot be used; the message is one sentence that names the place in the file."""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The nearest of ``words``, as a question, or all of them."""
    known = list(words)
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"


#: The urgency of an order that is not urgent.
ROUTINE: Final = "routine"


def is_hurried(urgency: str | None) -> bool:
    """Whether the clocks of an order run day and night; of one that says nothing of its ``urgency`` they do not."""
    return (urgency or ROUTINE) != ROUTINE
