"""The book of customers, the CUSTOMERS bucket: one record under each key, merged, erased, and never revived.

A record that is replaced is erased with the write that replaces it, so that at most one version of a customer lies on
the disk. One who is forgotten leaves a delete marker with a header of ours. It is for ever the last word under her key,
because every write of ours names the revision that it follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nats.js import JetStreamContext
from nats.js.errors import APIError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError

from events import names
from events.envelope import iso
from services.contact import Contact

_STREAM: Final = f"KV_{names.CUSTOMERS}"
_OPERATION: Final = "KV-Operation"
_DELETED: Final = "DEL"

#: Two writers of one record are rare; more than this in a row is a fault.
_TRIES: Final = 10

#: A message that was erased before: the server says one or the other.
_ERR_GONE: Final = (10037, 10043, 10057)


@dataclass(frozen=True)
class Entry:
    """What the book has under a key. ``revision`` 0: nothing was ever there."""

    contact: Contact | None = None
    revision: int = 0
    forgotten: bool = False


class ForgottenError(LookupError):
    """The customer was forgotten, and nothing is written about her any more."""


class Book:
    """Reads and writes records. Raises nats errors if the server does not confirm."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def open(self) -> None:
        """Find the bucket. Raises nats errors if it is not there."""
        self._bucket = await self._js.key_value(names.CUSTOMERS)

    async def find(self, key: str) -> Entry:
        """The record under ``key``, or that she was forgotten, or nothing."""
        try:
            entry = await self._bucket.get(key)
        except KeyNotFoundError as error:
            if error.op is None or error.entry is None:
                return Entry()
            return Entry(revision=error.entry.revision or 0, forgotten=True)
        return Entry(Contact.model_validate_json(entry.value or b"{}"), entry.revision or 0)

    async def change(self, key: str, change: Callable[[Contact | None], Contact]) -> Contact:
        """Write what ``change`` makes of the record under ``key``. Raises ForgottenError."""
        known = Entry()  # most are new: try that first
        for _ in range(_TRIES):
            if known.forgotten:
                raise ForgottenError(f"the customer under {key} was forgotten")
            contact = change(known.contact)
            if contact == known.contact:
                return contact
            try:
                await self._bucket.update(key, as_bytes(contact), last=known.revision)
            except KeyWrongLastSequenceError:
                known = await self.find(key)
                continue
            if known.revision:
                await erase(self._js, _STREAM, known.revision)
            return contact
        raise RuntimeError("a customer's record changes all the time")

    async def keep(self, key: str, contact: Contact) -> bool:
        """Add what ``contact`` says to the record under ``key``; False, and nothing written, if she was forgotten."""
        try:
            await self.change(key, lambda known: merged(known, contact))
        except ForgottenError:
            return False
        return True

    async def forget(self, key: str, now: datetime) -> None:
        """Leave a marker as the last word under ``key``, and erase all that was there before; harmless to do again."""
        subject = f"$KV.{names.CUSTOMERS}.{key}"
        entry = await self.find(key)
        marker = entry.revision
        if not entry.forgotten:
            headers = {_OPERATION: _DELETED, names.FORGOTTEN: iso(now)}
            marker = (await self._js.publish(subject, headers=headers, stream=_STREAM)).seq
        after = 0
        while True:
            try:
                found = await self._js.get_msg(_STREAM, seq=after + 1, subject=subject, next=True, direct=False)
            except NotFoundError:
                return
            after = found.seq or after + 1
            if after >= marker:
                return
            await erase(self._js, _STREAM, after)


def merged(known: Contact | None, new: Contact) -> Contact:
    """``known`` with what ``new`` says; what it leaves unsaid stays: quiet hours that she asked for, say."""
    if known is None:
        return new
    return known.model_copy(update={name: getattr(new, name) for name in new.model_fields_set})


def as_bytes(contact: Contact) -> bytes:
    """The record as the bucket has it: what was said, and nothing that was not."""
    return contact.model_dump_json(exclude_unset=True).encode()


async def erase(js: JetStreamContext, stream: str, sequence: int) -> None:
    """Have the server overwrite a message on the disk, at once; one that is gone already is no fault."""
    try:
        await js.delete_msg(stream, sequence)
    except APIError as error:
        if error.err_code not in _ERR_GONE:
            raise
