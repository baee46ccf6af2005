"""What is told each for itself, beside the milestone that speaks: an answer to her, a date, a visit, who pays, a
gesture, and that her yes or no to a price, or a question of hers, has come."""

from __future__ import annotations

from typing import Final

from events.chain import MessageKind
from services.notifying.asking import addressed_to_her
from services.notifying.history import Happened

APART: Final[dict[str, MessageKind]] = {
    "question.answered": "answer",
    "promise.made": "promise",
    "promise.moved": "promise",
    "visit.scheduled": "visit",
    "cover.decided": "cover",
    "quote.accepted": "decision",
    "quote.declined": "decision",
    "gesture.offered": "gesture",
}
APART_KINDS: Final = frozenset({*APART.values(), "asked"})

#: What she asked, who pays, and what is offered to make up for it, is hers to know also when the order is closed.
OUTLIVES_THE_ORDER: Final = frozenset({"answer", "asked", "cover", "gesture"})


def apart_kind(fact: Happened) -> MessageKind | None:
    """The kind of message that tells ``fact`` for itself, or None: a question to her, for one, is a milestone."""
    if fact.name == "question.asked":
        return None if addressed_to_her(fact.data) else "asked"
    return APART.get(fact.name)


def kind_of(fact: Happened) -> MessageKind:
    """The same of a fact that is told for itself."""
    kind = apart_kind(fact)
    assert kind is not None
    return kind
