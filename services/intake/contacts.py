"""The customer's name and address on their way through intake: into the book of customers, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from events.subjects import customer_key
from services.contact import Contact
from services.desk.book import Book, merged
from services.intake.deciding import Accept
from services.intake.reading import is_binary


async def keep_contacts(book: Book, accepted: Iterable[Accept]) -> None:
    """Write the contacts of a batch into the book: of one customer all that is said of her, in its order, at once."""
    contacts: dict[str, Contact] = {}
    for accept in accepted:
        if accept.contact is not None and accept.contact_key is not None:
            contacts[accept.contact_key] = merged(contacts.get(accept.contact_key), accept.contact)
    await asyncio.gather(*(book.keep(key, contact) for key, contact in contacts.items()))


async def forgotten_among(book: Book, keys: Collection[str]) -> frozenset[str]:
    """Those of the keys whose customers were forgotten."""
    entries = await asyncio.gather(*(book.find(key) for key in keys))
    return frozenset(key for key, entry in zip(keys, entries, strict=True) if entry.forgotten)


def contact_in(document: Mapping[str, Any], party: str) -> str | None:
    """The key in the book of whoever's contact a submission of ``party`` carries, as far as it can be told."""
    data = document.get("data")
    if not isinstance(data, Mapping) or not data.get("contact"):
        return None
    reference = data.get("customer") or document.get("subject")
    try:
        return customer_key(party, str(reference)) if reference else None
    except ValueError:
        return None


def without_contact(headers: Mapping[str, str] | None, body: bytes) -> bytes:
    """A submission's body, in structured or binary mode, without the contact in it."""
    document = orjson.loads(body)
    data = document if is_binary(headers) else document.get("data")
    if isinstance(data, dict):
        data.pop("contact", None)
    return orjson.dumps(document)
