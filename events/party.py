"""Parties of the chain, written ``role:name`` (``retailer:acme``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, WithJsonSchema

Role = Literal["retailer", "importer", "repairer", "customer", "chain"]
PartnerRole = Literal["retailer", "importer", "repairer"]

ROLES: Final[tuple[str, ...]] = get_args(Role)
PARTNER_ROLES: Final[tuple[str, ...]] = get_args(PartnerRole)

#: What the tracker itself says of its own accord.
WATCHDOG: Final = "chain:watchdog"
NOTIFIER: Final = "chain:notifier"
#: What it was told by carriers, who are no parties: nothing can be owed by them, and they have no login.
CARRIERS: Final = "chain:carriers"
#: The subject of the policies that were adopted; not an order, like the name of any party.
POLICY: Final = "chain:policy"

#: In bytes of UTF-8: a name becomes one token of a subject.
MAX_NAME_BYTES: Final = 120


class PartyError(ValueError):
    """The text is not a party; the message says what a party looks like."""


def check_party(text: str, roles: Sequence[str] = ROLES) -> str:
    """Return ``text`` unchanged if it is ``role:name`` with one of ``roles`` and a printable name.

    Raises PartyError otherwise.
    """
    role, separator, name = text.partition(":")
    if not separator or role not in roles:
        raise PartyError(f"'{text}' is not a party: write role:name, with a role of {', '.join(roles)}")
    if not name or name != name.strip() or len(name.encode()) > MAX_NAME_BYTES or not name.isprintable():
        raise PartyError(
            f"'{text}' is not a party: the name after '{role}:' must be 1 to {MAX_NAME_BYTES} bytes of "
            "printable text without spaces at its ends"
        )
    return text


@lru_cache(maxsize=4_096)  # of each submission, and of most facts
def _checked(text: str) -> str:
    return check_party(text)


def role_of(party: str) -> str:
    """``retailer`` of ``retailer:acme``; an empty string when there is none."""
    role, separator, _ = party.partition(":")
    return role if separator else ""


def name_of(party: str) -> str:
    """``acme`` of ``retailer:acme``."""
    return party.partition(":")[2]


Party = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "format": "party", "examples": ["retailer:acme"]}),
]
