"""What one order's facts mean to its customer: which of them are news, when the order was open, when she was called.

Agrees with services/notifying/newsworthy.py on which facts are milestones, for an order in which each fact is told
the moment it happens. One pass, no I/O: a backtest looks at hundreds of thousands of facts. An order is one item here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from events.chain import MessageKind
from services.notifying.asking import addressed_to_her
from services.notifying.newsworthy import MILESTONES

#: These say how the work on it ended; the outcomes of a close that say the same.
_ENDINGS: Final = {
    "repair.completed": "repaired",
    "repair.failed": "failed",
    "unit.replaced": "replaced",
    "quote.declined": "declined",
}
_GOES_ON: Final = frozenset({"repair.started", "quote.accepted", "diagnosis.made", "quote.offered"})
_ANSWERS_QUOTE: Final = frozenset(
    {"quote.accepted", "quote.declined", "repair.started", "repair.completed", "repair.failed", "unit.replaced"}
)
_ENDS_PAUSE: Final = frozenset({"work.resumed", "question.answered", "quote.accepted", "quote.declined"})
#: Of two at the same moment, mere progress does not drown what asks her something.
_ASKING: Final = frozenset({"quote", "question", "failed"})

_OTHERS: Final = frozenset({"item.handed_over", "customer.contacted"})
#: All facts that this module looks at.
NEEDED: Final = MILESTONES | _ENDINGS.keys() | _GOES_ON | _ANSWERS_QUOTE | _ENDS_PAUSE | _OTHERS

#: From when until when an order was open, in microseconds since 1970 UTC.
Span = tuple[int, int]


class Fact(NamedTuple):
    """One fact of an order. ``at`` is in microseconds since 1970 UTC.

    ``to`` is the party that it names, ``word`` tells how (an outcome, what is waited for, the direction), ``topic``
    is the question that it is about.
    """

    at: int
    name: str
    source: str
    to: str | None = None
    word: str | None = None
    topic: str | None = None


class Message(NamedTuple):
    """A message to the customer: when, why (a fact, the kind of step that was late, or ``update``) and of what kind."""

    at: int
    cause: str
    kind: MessageKind


@dataclass(frozen=True)
class Story:
    """One order: its facts in the order in which they happened, who answers for it, and until when it is looked at."""

    facts: Sequence[Fact]
    accountable: str
    opener: str
    until: int

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
        return [fact.at for fact in self.facts if fact.name == "customer.contacted" and fact.word == "outbound"]

    def milestones(self) -> list[Message]:
        """The messages that the facts cause, one at most for each moment."""
        told: list[Message] = []
        for message in _told(self):
            if told and told[-1].at == message.at:
                if message.kind == "received" and told[-1].kind in _ASKING:
                    continue
                told.pop()
            told.append(message)
        return told


@dataclass
class _Standing:
    """How things stand while the facts go by."""

    open: bool = False
    welcomed: bool = False
    ending: str | None = None
    quoted: bool = False
    questions: set[str | None] = field(default_factory=set)
    paused: bool = False
    received_by: str | None = None  # who last had it, if the last that was said of custody is a receipt
    travelled: bool = False
    here_since: int | None = None  # when she was told that it is here for her

    def begin_round(self) -> None:
        """Reopened: what was so before is no news of this round."""
        self.open, self.ending, self.quoted, self.paused, self.here_since = True, None, False, False, None
        self.questions.clear()


def _told(story: Story) -> Iterator[Message]:
    now = _Standing()
    for fact in story.facts:
        kind = _kind(fact, story, now)
        _move(fact, now)
        if kind is not None:
            yield Message(fact.at, fact.name, kind)


def _kind(fact: Fact, story: Story, now: _Standing) -> MessageKind | None:
    match fact.name:
        case "order.opened":
            return None if now.welcomed else "opened"
        case "order.reopened":
            return "reopened" if now.welcomed and not now.open else None
    if not now.open:
        return None
    match fact.name:
        case "order.closed":
            said = now.here_since is not None and now.here_since < fact.at and fact.word == now.ending
            return None if said else "closed"
        case "item.received":
            return _kind_of_receipt(fact, story, now)
        case "quote.offered":
            return "quote"
        case "question.asked":
            return "question" if addressed_to_her({"to": fact.to}) else None
        case "work.paused":
            asked_already = now.paused or now.quoted or bool(now.questions) or now.ending == "failed"
            return "question" if fact.word == "customer" and not asked_already else None
        case "repair.completed":
            if fact.source == story.accountable:
                now.here_since = fact.at
            return "repaired"
        case "repair.failed":
            return "failed"
    return None


def _kind_of_receipt(fact: Fact, story: Story, now: _Standing) -> MessageKind | None:
    if not now.travelled and fact.source in (story.opener, story.accountable):
        return None  # taking it in is part of opening the order
    if now.received_by == fact.source:
        return None  # said again
    if fact.source == story.accountable and now.ending is not None:
        now.here_since = fact.at
        return "ready"
    return "received"


def _move(fact: Fact, now: _Standing) -> None:
    """Let ``fact`` have happened."""
    name = fact.name
    if name == "order.opened":
        now.open = now.welcomed = True
    elif name == "order.reopened":
        now.begin_round()
    elif name == "order.closed":
        now.open = False
    elif name in ("item.handed_over", "item.received"):
        now.received_by, now.travelled = (fact.source if name == "item.received" else None), True
    elif name == "question.asked" and addressed_to_her({"to": fact.to}):
        now.questions.add(fact.topic)
    elif name == "question.answered":
        now.questions.discard(fact.topic)
    if name == "work.paused":
        now.paused = fact.word == "customer"
    elif name in _ENDS_PAUSE:
        now.paused = False
    if name == "quote.offered":
        now.quoted = True
    elif name in _ANSWERS_QUOTE:
        now.quoted = False
    if name in _GOES_ON:
        now.ending = None
    now.ending = _ENDINGS.get(name, now.ending)
