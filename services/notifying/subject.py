"""What a message is about: all of an order, or one of several things in it; who has that, and how its work ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.chain import MessageKind
from services.notifying.delays import overdue_arrival
from services.notifying.history import Happened, History, Owed
from services.notifying.newsworthy import ending_before, ending_of, handover_at, sent_on
from services.notifying.records import Ending, Other
from services.notifying.said import last_said, words_of
from services.notifying.several import (
    given_back,
    holder_of,
    item_names,
    left_of_several,
    returned_at,
    status_of_item,
)

#: Messages that say how it stands, whatever the fact was that they go back to.
SAYS_WHERE_IT_STANDS: Final = frozenset({"update", "person", "corrected"})

#: About one of several things; any other letter is about all of them.
_OF_ONE_THING: Final = frozenset({"repair.completed", "repair.failed", "unit.replaced"})

#: These tell of the order as a whole: where all but one of several things are with her again, of that one.
_OF_WHAT_IS_LEFT: Final = frozenset(
    {"update", "person", "overdue", "corrected", "quote", "decision", "promise", "visit", "cover", "received", "ready"}
)

#: These are owed of each of several things by itself.
_OWED_OF_THINGS: Final = frozenset({"forward", "diagnose", "repair", "return"})

#: She may have asked after any of them, and it may be any with which not all is well.
_OF_ANY: Final = frozenset({"answer", "check"})


@dataclass(frozen=True)
class Subject:
    """What a message is about: all of the order or one thing in it, who has that, and how the work on it ended.

    ``owed`` is the commitment whose lateness it tells of, if it does.
    """

    cause: Happened
    kind: MessageKind
    history: History
    now: datetime
    item: str | None
    where: str
    status: str
    tried: bool
    ending: Ending | None
    failed: Happened | None
    completed: Happened | None
    owed: Owed | None


def subject_of(cause: Happened, kind: MessageKind, history: History, now: datetime) -> Subject:
    """What a message of ``kind`` about ``cause`` is about."""
    arrival = kind in SAYS_WHERE_IT_STANDS
    owed = overdue_arrival(history, now) if arrival else history.commitment(str(cause.data.get("commitment")))
    item = _late_of_several(owed, history) or _item_of(cause, kind, history)
    # Whoever received or worked on it has it, also where nobody said that it came in.
    at_work = cause.name in ("item.received", "repair.completed", "repair.failed")
    where, status = cause.source if at_work else (history.holder or history.accountable), history.status
    if item is not None and item != cause.item:
        where, status = holder_of(history, item), status_of_item(history, item)
    tried = sent_on(history, item)
    ending = None if tried else ending_of(history, item)  # for whoever has it now, the work is still to do
    return Subject(
        cause=cause,
        kind=kind,
        history=history,
        now=now,
        item=item,
        where=where,
        status=status,
        tried=tried,
        ending=ending,
        failed=last_said(history, "repair.failed", item) if ending == "failed" else None,
        completed=last_said(history, "repair.completed", item) if ending == "repaired" else None,
        owed=owed,
    )


def product_of(item: str | None, history: History) -> dict[str, str | None]:
    """Brand, model and description as given when the order was opened; those of one item where it is about that."""
    opened = next((fact for fact in history.facts if fact.name == "order.opened"), None)
    if opened is None:
        return {}
    items = opened.data.get("items") or ()
    one: Mapping[str, Any] = next((each for each in items if each.get("item") == item), {}) if item is not None else {}
    whole = opened.data.get("product") or {}
    return {key: words_of(one.get(key)) or words_of(whole.get(key)) for key in ("brand", "model", "description")} | {
        "item": words_of(item) if len(items) > 1 else None
    }


def others_of(cause: Happened, item: str | None, history: History) -> tuple[Other, ...]:
    """The other things in the order beside ``item``, or all where the message is about the whole."""
    names = item_names(history)
    if len(names) < 2 or (item is None and cause.name in _OF_ONE_THING):
        return ()
    return tuple(Other(name, ending_before(history, None, name)) for name in names if name != item)


def _late_of_several(owed: Owed | None, history: History) -> str | None:
    """Which of several things it is whose arrival, or the work on which, is ``owed``."""
    names = item_names(history)
    if owed is None or len(names) < 2:
        return None
    if owed.kind == "receive":
        sent = handover_at(history, owed.opened_at)
        return sent.item if sent is not None else None
    return owed.topic if owed.kind in _OWED_OF_THINGS and owed.topic in names else None


def _item_of(cause: Happened, kind: MessageKind, history: History) -> str | None:
    """Which of several things a message of ``kind`` about ``cause`` is about, if it is one."""
    if cause.item is not None:
        return cause.item
    if kind in _OF_WHAT_IS_LEFT and cause.data.get("kind") not in _OF_ANY:
        return left_of_several(history)
    if kind == "check":
        asked = max((told.at for told in history.sent if told.kind == "check" and told.at is not None), default=None)
        new = [name for name in given_back(history) if asked is None or returned_at(history, name) > asked]
        return new[0] if len(new) == 1 else None
    if kind == "closed":
        failed = [name for name in item_names(history) if ending_before(history, None, name) == "failed"]
        ends_otherwise = history.outcome in ("refunded", "replaced", "unrepairable")
        return failed[0] if ends_otherwise and len(failed) == 1 and len(item_names(history)) > 1 else None
    return None
