"""What the log holds about one order, for tests that look at it."""

from __future__ import annotations

from dataclasses import dataclass

from nats.js import JetStreamContext

from events.envelope import Event
from events.log import last_position
from events.tail import read_until


@dataclass(frozen=True, slots=True)
class Stored:
    """A fact as the log keeps it: its position and the envelope's JSON."""

    position: int
    payload: bytes

    @property
    def event(self) -> Event:
        return Event.from_json(self.payload)


async def read_order(js: JetStreamContext, order: str) -> list[Stored]:
    """Every fact in the log about ``order``, in log order."""
    messages = [message async for batch in read_until(js, await last_position(js)) for message in batch]
    stored = [Stored(*message) for message in messages]
    return [each for each in stored if each.event.subject == order]
