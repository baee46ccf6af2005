"""An order of several things that go different ways: which of them she has back, where each is, and which one a letter
is about. One thing without a name of its own is an order as any other."""

from __future__ import annotations

from datetime import datetime

from services.notifying.history import MOVES, STATUS_OF_FACT, Happened, History


def item_names(history: History) -> tuple[str, ...]:
    """What the things in the order are called there; nothing where it is about one that has no name of its own."""
    opening = next((fact for fact in history.facts if fact.name == "order.opened"), None)
    items = opening.data.get("items") if opening is not None else None
    return tuple(str(each["item"]) for each in items or () if each.get("item"))


def given_back(history: History) -> tuple[str, ...]:
    """Which of several things are with her again. Of a return that says not which, where others do, nobody can tell."""
    names = item_names(history)
    if len(names) < 2:
        return ()
    return tuple(name for name in names if (move := _last_move(history, name)) and move.name == "item.returned")


def returned_at(history: History, item: str) -> datetime:
    """When she got ``item`` back, one of those that she has."""
    move = _last_move(history, item)
    assert move is not None
    return move.at


def still_out(history: History) -> tuple[str, ...]:
    """Which of several things are not with her again."""
    names, back = item_names(history), given_back(history)
    return tuple(name for name in names if name not in back) if len(names) > 1 else ()


def left_of_several(history: History) -> str | None:
    """The last of several things that is still to come back to her, once she has the others."""
    out = still_out(history)
    return out[0] if len(out) == 1 and given_back(history) else None


def holder_of(history: History, item: str) -> str:
    """Who has ``item``, of several things: whoever took it in last, or sent it and nobody has confirmed it."""
    move = _last_move(history, item)
    if move is None:
        return history.accountable
    return "customer" if move.name == "item.returned" else move.source


def status_of_item(history: History, item: str) -> str:
    """How it stands with ``item``, of several things, by what was said of it or of all of them."""
    said = [fact.name for fact in history.this_round() if fact.name in STATUS_OF_FACT and fact.item in (None, item)]
    return STATUS_OF_FACT[said[-1]] if said else "taken_in"


def _last_move(history: History, item: str) -> Happened | None:
    moves = [fact for fact in history.facts if fact.name in MOVES]
    named = any(fact.item is not None for fact in moves)
    own = [fact for fact in moves if fact.item == item or (fact.item is None and not named)]
    return own[-1] if own else None
