"""Identifiers in EPCIS events: the serial number of an item, the number of a transaction, the party behind a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final
from urllib.parse import unquote, urlsplit

from events.party import PARTNER_ROLES, PartyError, check_party

_SGTIN: Final = re.compile(r"urn:epc:id:sgtin:[0-9]+\.[0-9]+\.(.+)", re.IGNORECASE)
_TRANSACTION: Final = re.compile(r"urn:epcglobal:cbv:bt:[^:]+:(.+)", re.IGNORECASE)
#: For parties that have no number of GS1's: the chain's own name for them.
_PARTY_URN: Final = "urn:repairchain:"


def serial_of(epc: str) -> str:
    """The serial number in an EPC of one item (SGTIN, as a URN or a Digital Link); any other identifier as it is."""
    if found := _SGTIN.fullmatch(epc):
        return unquote(found[1])
    if epc.startswith(("https://", "http://")):
        steps = urlsplit(epc).path.split("/")
        for key, value in pairwise(steps):
            if key == "21" and value:
                return unquote(value)
    return epc


def number_of(transaction: str) -> str:
    """The number in the identifier of a business transaction, as whoever gave it calls it.

    Of a CBV URN what follows the party, of a web address its last step, of anything else the whole.
    """
    if found := _TRANSACTION.fullmatch(transaction):
        return unquote(found[1])
    if transaction.startswith(("https://", "http://")):
        steps = [step for step in urlsplit(transaction).path.split("/") if step]
        return unquote(steps[-1]) if steps else transaction
    return transaction


def party_of(identifier: str, parties: Mapping[str, str]) -> str | None:
    """The party that ``parties`` has under this identifier, or that ``urn:repairchain:role:name`` names; or None."""
    if identifier in parties:
        return parties[identifier]
    if identifier.lower().startswith(_PARTY_URN):
        try:
            return check_party(unquote(identifier[len(_PARTY_URN) :]), PARTNER_ROLES)
        except PartyError:
            return None
    return None
