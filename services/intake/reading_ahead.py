"""Reads submissions as they come, which is often while the batch before them waits for the server.

Half of intake's work is reading, and nothing of it depends on the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from nats.aio.msg import Msg

from events.envelope import Event
from events.log import fact_key
from services.intake.checking import Checked, check
from services.intake.contacts import contact_in
from services.intake.deciding import order_hash
from services.intake.delivered import party_of
from services.intake.problems import Refusal
from services.intake.reading import read_document, read_event, submission_id


class ReadSubmission(NamedTuple):
    """All that can be told of a submission by itself; empty where it cannot, with the reason."""

    document: dict[str, Any]
    id: str | None  # the event's own
    event: Event | Refusal
    checked: Checked | Refusal | None  # what of the decision never changes, where there is an event


class ReadAhead:
    """``arrived`` for each message, ``of`` when its turn comes, ``forget`` when it has had it."""

    def __init__(self) -> None:
        self._read: dict[str, ReadSubmission] = {}  # by reply subject

    def arrived(self, message: Msg) -> None:
        with suppress(Exception):  # a fault of ours comes to light when its turn comes
            self._read[message.reply] = read(message)

    def of(self, message: Msg) -> ReadSubmission:
        """It may have come before somebody listened."""
        return self._read.get(message.reply) or read(message)

    def forget(self, messages: Iterable[Msg]) -> None:
        for message in messages:
            self._read.pop(message.reply, None)

    def __len__(self) -> int:
        return len(self._read)


def read(message: Msg) -> ReadSubmission:
    """Read one submission; what is wrong with it is part of the answer."""
    document: dict[str, Any] = {}
    id = None
    try:
        document = read_document(message.headers, message.data)
        id = submission_id(document)
        event = read_event(document)
        fact_key(event.source, event.id)  # both are remembered, for when they are needed
        order_hash(event.subject)
        return ReadSubmission(document, id, event, check(event, party_of(message)))
    except Refusal as refusal:
        return ReadSubmission(document, id, refusal.alone(), None)


def contact_key_of(message: Msg, party: str) -> str | None:
    """Whose contact is in one at which intake has failed, as far as it can be told."""
    with suppress(Exception):
        return contact_in(read(message).document, party)
    return None
