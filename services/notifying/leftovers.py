"""Finds the messages that have no outcome: whatever a notifier left when it stopped or died, however many they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from services.answering import Ask

#: So many are asked for at a time: an answer has to fit into a message.
MOST: Final = 10_000


@dataclass(frozen=True)
class Leftover:
    """A message of ``order`` that has no outcome."""

    order: str
    message: str
    kind: str


async def leftovers(ask: Ask, position: int, most: int = MOST) -> AsyncIterator[Leftover]:
    """All of them, the oldest first, as of ``position`` in the log at least; ``most`` in one question.

    Those that wait for good reasons must not hide the ones behind them, so it goes on until there are no more.
    """
    after = 0
    while True:
        found = (await ask("pending", {"limit": most, "after": after}, position))["pending"]
        for row in found:
            yield Leftover(row["order"], row["message_id"], row["kind"])
        if len(found) < most:
            return
        after = int(found[-1]["position"])
