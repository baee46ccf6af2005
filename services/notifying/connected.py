"""What the notifier reaches over its connection: the log, and the book of customers."""

from __future__ import annotations

import structlog
from nats.js import JetStreamContext
from pydantic import ValidationError

from events import log
from events.envelope import Event
from events.log import Appended
from events.subjects import customer_key
from services.contact import Contact
from services.desk.book import Book
from services.notifying.sending import ForgottenCustomerError, UnreadableContactError

_log = structlog.get_logger("notifier")


class JetStreamLog:
    """The log behind a JetStream connection."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def append(self, event: Event) -> Appended:
        return await log.append(self._js, event)

    async def last_position(self) -> int:
        return await log.last_position(self._js)

    async def last_position_of(self, order: str) -> int:
        return await log.last_position_of(self._js, order)


class ContactBook:
    """The book of customers, for whoever writes to them. ``book`` has been opened."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def find(self, key: str) -> Contact | None:
        """Who is behind ``key``; None if nobody is known. Raises ForgottenCustomerError,
        UnreadableContactError, and nats errors."""
        try:
            entry = await self._book.find(key)
        except ValidationError as error:
            # Not what it says: that is hers.
            _log.error("a record in the book of customers cannot be read", key=key, problems=error.error_count())
            raise UnreadableContactError from None
        if entry.forgotten:
            raise ForgottenCustomerError
        return entry.contact

    async def is_forgotten(self, opener: str, customer: str) -> bool:
        """Whether the customer was forgotten to whom ``opener`` gave the number ``customer``. Raises nats errors."""
        try:
            await self.find(customer_key(opener, customer))
        except ForgottenCustomerError:
            return True
        except UnreadableContactError:
            pass
        return False
