"""What a backtest knows of one order, and what its customer would have been told of it.

Moments are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from events.chain import MessageKind

#: Later than every moment.
NEVER: Final = np.iinfo(np.int64).max

#: From when until when an order was open.
Span = tuple[int, int]


class Fact(NamedTuple):
    """One fact of an order, as the log has it."""

    at: int
    name: str
    source: str
    id: str
    data: Mapping[str, Any]


class Late(NamedTuple):
    """A moment at which she is to hear that something is late: a level after its ``due`` time that it reached.

    ``opened_by`` is the (source, id) of the fact that it began with; ``ended`` is when it ended after all.
    """

    at: int
    kind: str
    owner: str
    owed_to: str
    opened_by: tuple[str, str]
    opened: int
    due: int
    ended: int = NEVER


class Message(NamedTuple):
    """A message to the customer: when, why (a fact, the kind of step that was late, or ``update``) and of what kind."""

    at: int
    cause: str
    kind: MessageKind


@dataclass(frozen=True)
class Story:
    """One order: its facts in the order in which they happened, what was ``late``, and until when it is looked at.

    ``statuses`` is what a fact makes the status of an order (projections/sql/statuses.sql).
    """

    order: str
    facts: Sequence[Fact]
    accountable: str
    opener: str
    customer: str
    urgency: str | None
    until: int
    statuses: Mapping[str, str]
    late: Sequence[Late] = ()

    def open_spans(self) -> list[Span]:
        """When it was open; one that was never closed is open until ``until``."""
        spans: list[Span] = []
        opened: int | None = None
        for fact in self.facts:
            if fact.name in ("order.opened", "order.reopened"):
                opened = fact.at if opened is None else opened
            elif fact.name == "order.closed" and opened is not None:
                spans.append((opened, fact.at))
                opened = None
        return spans if opened is None else [*spans, (opened, max(opened, self.until))]

    def contacts(self) -> list[int]:
        """When somebody told her something, by the log itself."""
        return [fact.at for fact in self.facts if is_word_to_her(fact)]


def gaps(spans: Iterable[Span], heard: Iterable[int]) -> list[int]:
    """How long she heard nothing, each time, while the order was open (microseconds); ``heard`` is when she did."""
    moments = sorted(heard)
    return [
        later - earlier
        for begin, end in spans
        for earlier, later in pairwise([begin, *(at for at in moments if begin < at < end), end])
    ]


def is_word_to_her(fact: Fact) -> bool:
    """Whether somebody told her something, by what the log itself says."""
    return fact.name == "customer.contacted" and fact.data.get("direction") == "outbound"
