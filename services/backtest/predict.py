"""What the customer of one order would have been told, and when: pure, no I/O.

Milestones are told as they happen, a step that is late is told the moment it is late, and when nothing was said for
as long as the rule ``update`` allows (in the opening time of the party that answers to her), an update is sent. So no
order that is open goes without news for longer than that. After the close nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from projections.clock import Clock
from services.backtest.milestones import Message, Span, Story

#: More updates than this for one stretch of one order are no news but noise, and would fill the memory.
MOST_UPDATES = 100_000


class NewsRule(NamedTuple):
    """The rule ``update``: so much opening time (microseconds of ``clock``) may pass without news."""

    clock: Clock
    allowed: int


class Late(NamedTuple):
    """A moment (microseconds since 1970 UTC) at which she is to hear that a step of that ``kind`` is late."""

    at: int
    kind: str


class TooManyMessagesError(ValueError):
    """The policy's rule for news is so short that messages could not be counted."""


def predict(story: Story, late: Sequence[Late], news: NewsRule) -> list[Message]:
    """The messages that the customer would have got, in order; ``late`` has the steps that were late, first to last."""
    spans = story.open_spans()
    told = _with_late(story.milestones(), late, spans)
    contacts = story.contacts()
    updates = [
        Message(at, "update", "update") for span in spans for at in _updates(_points(span, contacts, told), news)
    ]
    return sorted([*told, *updates], key=lambda message: message.at)


def gaps(spans: Iterable[Span], heard: Iterable[int]) -> list[int]:
    """How long she heard nothing, each time, while the order was open (microseconds); ``heard`` is when she did."""
    moments = sorted(heard)
    return [
        later - earlier
        for begin, end in spans
        for earlier, later in pairwise([begin, *(at for at in moments if begin < at < end), end])
    ]


def _with_late(told: list[Message], late: Sequence[Late], spans: Sequence[Span]) -> list[Message]:
    """``told`` and what is late, one message for each moment: a milestone says more than that something is late."""
    taken = {message.at for message in told}
    found = list(told)
    for at, kind in late:
        if at not in taken and any(begin <= at < end for begin, end in spans):
            taken.add(at)
            found.append(Message(at, kind, "overdue"))
    return found


def _points(span: Span, contacts: Iterable[int], told: Iterable[Message]) -> list[int]:
    """The moments from which news is counted within a span, its ends among them."""
    begin, end = span
    between = {at for at in (*contacts, *(message.at for message in told)) if begin < at < end}
    return [begin, *sorted(between), end]


def _updates(points: Sequence[int], news: NewsRule) -> Iterator[int]:
    """When an update goes out between one news and the next, again and again."""
    if news.allowed <= 0:
        return  # no time at all means that nothing is promised
    worked = news.clock.worked_at(np.array(points, np.int64))
    counts = np.diff(worked) // news.allowed
    for place in np.flatnonzero(counts > 0).tolist():
        count = int(counts[place])
        if count > MOST_UPDATES:
            raise TooManyMessagesError(
                f"the policy's time for update is so short that an order would get {count:,} updates"
            )
        due = news.clock.moment_at(worked[place] + np.arange(1, count + 1, dtype=np.int64) * news.allowed)
        # What fits exactly is due at the closing before the next news, or is that news itself.
        yield from due[due < points[place + 1]].tolist()
