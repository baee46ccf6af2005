"""What was probably meant by a name that is not known: of an order, of a type of event."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from cli.errors import Problem

Row = dict[str, Any]

#: So many are named, and so much like what was written they have to be (1 is the same).
_MOST: Final = 3
_LIKE: Final = 0.7

#: By which people know an order, of the fields of ``orders``.
_NAMES: Final = ("order_id", "serial")
_NO_SIGN: Final = re.compile(r"[\W_]+")

_LOOK: Final = "'repairchain orders' lists them, 'repairchain rejected list' what waits for one that nobody opened"
#: Hardly any number is without a figure: it may well be the customer who is named.
_LOOK_FOR_HER: Final = "'repairchain find' looks for the name of a customer"
_FIGURE: Final = re.compile(r"\d")


def hint_for_order(name: str, orders: Iterable[Row]) -> str:
    """Which of ``orders`` may be meant by ``name``, or how to find it: the end of a sentence, after a colon."""
    known = {str(row[field]): None for row in orders for field in _NAMES if row.get(field)}
    close = _alike(name, {each: each for each in known})
    if close:
        return f"did you mean {_either(close)}?"
    return f"{_LOOK}." if _FIGURE.search(name) or not name.strip() else f"{_LOOK_FOR_HER}, {_LOOK}."


def hint_for_party(party: str, partners: Iterable[str]) -> str:
    """Which of ``partners`` may be meant, or where they are listed: the end of a sentence, after a colon."""
    role, _, sought = party.partition(":")
    roles: dict[str, list[str]] = {}
    for each in partners:
        known_as, _, name = each.partition(":")
        roles.setdefault(name, []).append(known_as)
    # Several may share a name: of these the one in the same role is meant.
    close = [
        f"{each}:{name}"
        for name in _alike(sought, {name: name for name in roles})
        for each in ([role] if role in roles[name] else roles[name])
    ]
    return f"did you mean {_either(close)}?" if close else "'repairchain partner list' names those who are."


def check_message_kind(kind: str) -> None:
    """Raises Problem for a kind of message that there is not."""
    from events.chain import MessageKind

    if kind not in (kinds := get_args(MessageKind)):
        raise Problem(f"there is no kind of message '{kind}': {hint_among(kind, kinds)}")


def hint_among(text: str, words: Iterable[str]) -> str:
    """Which of a few ``words`` may be meant, or all of them: the end of a sentence, after a colon."""
    there = list(words)
    close = _alike(text, {each: each for each in there})
    return f"did you mean {_either(close)}?" if close else f"there are {', '.join(there)}."


def hint_for_type(text: str, in_full: bool = True) -> str:
    """Which types of event may be meant by ``text``, or where they are listed: the end of a sentence, after a colon.

    They are written as an event names its type, or without ``in_full`` as people do.
    """
    from events.envelope import full_type
    from events.nearest import nearest_facts
    from events.vocabulary import FACTS

    close = [full_type(name, FACTS[name].VERSION) if in_full else name for name in nearest_facts(text)]
    return f"did you mean {_either(close)}?" if close else "'repairchain schema' lists them."


def hints_for_types(unknown: Iterable[str | None]) -> list[str]:
    """Where each of several types that are not known can be looked up; not where the receipt says what may be meant."""
    from events.nearest import nearest_facts

    there = [each for each in dict.fromkeys(unknown) if each and not nearest_facts(each)]
    return [f"'{each}' is not known: {hint_for_type(each)}" for each in there]


def _alike(text: str, known: Mapping[str, str]) -> list[str]:
    """What is meant by each of ``known`` that is like ``text``, the likest first; case and signs do not matter."""
    folded: dict[str, str] = {}
    for name, meant in known.items():
        folded.setdefault(_folded(name), meant)
    return [folded[each] for each in difflib.get_close_matches(_folded(text), folded, n=_MOST, cutoff=_LIKE)]


def _folded(text: str) -> str:
    return _NO_SIGN.sub("", text.casefold())


def _either(names: list[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
