"""What somebody has said: the words of a fact, and the last fact of a name."""

from __future__ import annotations

from services.notifying.history import Happened, History

#: What logs write where they know nothing.
_NOTHING = frozenset({"", "?", "-", "--", "0", "empty", "none", "null", "n/a", "na", "unknown", "onbekend"})


def words_of(value: object) -> str | None:
    """A value that somebody filled in, or None for the many ways of writing nothing."""
    text = " ".join(str(value).split()) if value is not None else ""
    return None if text.casefold() in _NOTHING else text


def last_said(history: History, name: str, item: str | None) -> Happened | None:
    """The last fact of that name since the order was opened or reopened, about ``item`` or all of it; any without."""
    found = [
        fact
        for fact in history.this_round()
        if fact.name == name and (item is None or fact.item is None or fact.item == item)
    ]
    return found[-1] if found else None
