"""A repair that was entered twice: she was welcomed by two numbers, and is told once that they are one."""

from __future__ import annotations

from typing import Final

from services.notifying.history import Happened, History

MERGED: Final = "order.merged"
_UNMERGED: Final = "order.unmerged"


def other_numbers(history: History) -> tuple[str, ...]:
    """The numbers by which she was written to before it was said that they are this order, and of which no letter that
    was planned since has told her."""
    heard = max((told.position for told in history.sent), default=0)
    merged = [fact for fact in _said_first(history) if fact.position > heard]
    if not merged:
        return ()
    known = {history.named_by(cause) for told in history.sent if (cause := history.find(*told.cause)) is not None}
    numbers = (history.named_by(fact) for fact in merged)
    return tuple(dict.fromkeys(each for each in numbers if each in known and each != history.order))


def _said_first(history: History) -> list[Happened]:
    """What says that orders are one, without what only says so again: that is no news."""
    found: dict[tuple[str, object], Happened] = {}
    for fact in sorted(history.facts, key=lambda fact: fact.position):
        number = history.named_by(fact)
        if fact.name == _UNMERGED:
            found = {said: first for said, first in found.items() if said[0] != number}
        elif fact.name == MERGED:
            found.setdefault((number, fact.data.get("into")), fact)
    return list(found.values())


def is_told_apart(merged: Happened, history: History) -> bool:
    """Whether ``merged`` is worth a letter of its own: nothing else is on its way to her that could say it."""
    return history.open and history.named_by(merged) in other_numbers(history) and not history.pending
