"""The customer's name and address on their way through intake: into the book of customers, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from events.subjects import customer_key
from services.contact import Contact
from services.desk.book import Book
from services.intake.deciding import Accept


async def keep_contacts(book: Book, accepted: Iterable[Accept]) -> None:
    """Write the contacts of a batch into the book, those of one customer one after the other."""
    contacts: dict[str, list[Contact]] = {}
    for accept in accepted:
        if accept.contact is not None and accept.contact_key is not None:
            contacts.setdefault(accept.contact_key, []).append(accept.contact)
    await asyncio.gather(*(_keep(book, key, each) for key, each in contacts.items()))


async def _keep(book: Book, key: str, contacts: list[Contact]) -> None:
    for contact in contacts:
        await book.keep(key, contact)


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


def without_contact(body: bytes) -> bytes:
    """A submission's body, in structured or binary mode, without the contact in it."""
    document = orjson.loads(body)
    data = document.get("data") if "specversion" in document else document
    data.pop("contact", None)
    return orjson.dumps(document)
