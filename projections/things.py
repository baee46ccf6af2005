"""Which facts speak for which thing, in orders of several things of which the facts name some.

The opening lists what the things are called (`items`). A fact that names one of them speaks for that one. A fact that
names none speaks for those that are with whoever says it; of what is said of the work, for those on which it is still
to be done, if there are any. What the whole order is about (its close, a word of the customer) is about each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from projections.circumstances import DONE, TO_DO
from projections.custody import MOVES
from projections.story import Flags, Numbers, Story, chosen

_REPLACED: Final = "unit.replaced"
#: Said of the work on a thing.
_WORK: Final = frozenset(
    {"diagnosis.made", "quote.offered", "part.ordered", "part.arrived", "part.rejected"}
    | {"repair.started", "repair.completed", "repair.failed", _REPLACED}
)
#: The facts that may name the thing that they are about.
_NAMING: Final = frozenset(MOVES) | _WORK - {"quote.offered", _REPLACED}
_DECIDED: Final = frozenset({"quote.accepted", "quote.declined"})

NO_THINGS: Final[Any] = pa.array([], pa.string())


@dataclass(frozen=True)
class Things:
    """The things in some orders, by number: their names; and, thing by thing, the places of the story that speak for
    each. ``orders`` are those orders."""

    names: Any
    orders: Flags
    thing: Numbers
    place: Numbers


def things_in(story: Story, facts: Collection[str]) -> Things | None:
    """The things in the orders that have several, if any has. Of their facts those matter whose names are ``facts``."""
    if not story.says("items"):
        return None
    listed = story.places("order.opened")
    listed = listed[story.said("items", listed)]
    naming, swaps = story.places(*_NAMING), story.places(_REPLACED)
    naming = np.concatenate([naming[story.said("name", naming)], swaps])
    candidates = np.intersect1d(story.order[listed], story.order[naming])
    if not len(candidates):
        return None
    lists: dict[int, list[str]] = {}
    for order, items in zip(story.order[listed].tolist(), story.values("items", listed).to_pylist(), strict=True):
        lists.setdefault(order, []).append(items)
    matters = np.array([fact in facts for fact in [*story.facts, None]])[story.fact]
    orders = np.zeros(story.orders, np.bool_)
    names: list[str] = []
    spoken: list[tuple[int, int]] = []
    told = _told(story, np.flatnonzero(matters & np.isin(story.order, candidates)))
    for order, said in groupby(told, lambda each: each.order):
        known = _Names(lists[order])
        if len(known.names) < 2:
            continue
        speaks = _spoken(said, known, story.customer)
        if any(len(things) < len(known.names) for _, things in speaks):
            orders[order] = True
            spoken += ((len(names) + thing, place) for place, things in speaks for thing in things)
            names += known.names
    if not names:
        return None
    thing, place = np.array(sorted(spoken), np.int64).T
    return Things(pa.array(names, pa.string()), orders, thing, place)


class _Told(NamedTuple):
    """A fact, with people by number. ``topic`` and ``serial`` say of a unit that was replaced which it is."""

    place: int
    order: int
    fact: str
    source: int
    party: int
    name: str | None
    serial: str | None
    topic: str | None


def _told(story: Story, places: Numbers) -> Iterator[_Told]:
    """The facts at those places."""
    topics = chosen(story.topics, story.topic[places]).to_pylist()
    facts = [story.facts[code] for code in story.fact[places].tolist()]
    called, serials = (story.values(column, places).to_pylist() for column in ("name", "serial"))
    orders, sources, parties = (column[places].tolist() for column in (story.order, story.source, story.party))
    return map(_Told, places.tolist(), orders, facts, sources, parties, called, serials, topics)


class _Names:
    """What the things in an order are called: by the name in the list, or by a serial number."""

    def __init__(self, lists: Iterable[str]) -> None:
        self.names: list[str] = []
        self._known: dict[str, int] = {}
        #: The units of which another one has taken the place.
        self.out: set[str] = set()
        serials: list[tuple[object, int]] = []
        for each in (item for text in lists for item in _items(text)):
            name = each.get("item")
            if isinstance(name, str) and _key(name) not in self._known:
                self._known[_key(name)] = len(self.names)
                serials.append((each.get("serial"), len(self.names)))
                self.names.append(name)
        for serial, number in serials:
            self._call(serial, number)

    def find(self, *names: str | None) -> int | None:
        """The number of the thing that has any of these names; None if none does, so that nobody knows which it is."""
        found = (self._known[key] for name in names if name is not None and (key := _key(name)) in self._known)
        return next(found, None)

    def swap(self, thing: int | None, old: str | None, new: str | None) -> None:
        """Another unit has taken the place of that one, and is the same thing from now on."""
        if old is not None:
            self.out.add(_key(old))
        if new is not None:
            self.out.discard(_key(new))
            self._call(new, thing)

    def is_out(self, name: str | None) -> bool:
        """Whether that unit is the chain's alone by now."""
        return name is not None and _key(name) in self.out

    def _call(self, name: object, thing: int | None) -> None:
        if isinstance(name, str) and thing is not None:
            self._known.setdefault(_key(name), thing)


def _key(name: str) -> str:
    return name.strip().casefold()


def _items(text: str) -> list[dict[str, Any]]:
    """The list of an opening, as far as it is one."""
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _spoken(told: Iterable[_Told], names: _Names, customer: int) -> list[tuple[int, list[int]]]:
    """The places of an order's facts, and the things that each speaks for."""
    hands, spoken = _Hands(len(names.names), customer), []
    for place, _, fact, source, party, name, serial, topic in told:
        thing = None
        if fact == _REPLACED:
            thing = names.find(topic, name)
        elif fact in _NAMING:
            if fact in MOVES and names.is_out(name):
                continue
            thing = names.find(name)
        things = [thing] if thing is not None else hands.things_of(fact, source)
        spoken.append((place, things))
        hands.note(fact, things, source, party)
        if fact == _REPLACED:
            names.swap(things[0] if len(things) == 1 else None, name, serial)
    return spoken


class _Hands:
    """Who has each of the things by what was said so far, and how far the work on it is."""

    def __init__(self, count: int, customer: int) -> None:
        self._customer = customer
        self._all = list(range(count))
        self._at = [-1] * count
        self._on_its_way, self._done, self._undecided = ([False] * count for _ in range(3))

    def things_of(self, fact: str, source: int) -> list[int]:
        """The things that ``source`` speaks for by a fact that names none of them."""
        here = [thing for thing in self._all if self._at[thing] == source]
        if fact == "order.opened":
            return here or self._all
        if fact == "item.received":
            return [thing for thing in here if self._on_its_way[thing]] or here or self._all
        if fact in _WORK:
            return self._left(here) or here or self._left(self._all) or self._all
        if fact in _DECIDED:
            undecided = [thing for thing in self._all if self._undecided[thing]]
            return undecided or self._left(self._all) or self._all
        return (here or self._all) if fact in MOVES else self._all

    def _left(self, things: Iterable[int]) -> list[int]:
        """Those on which work is still to be done."""
        return [thing for thing in things if not self._done[thing]]

    def note(self, fact: str, things: Iterable[int], source: int, party: int) -> None:
        """The fact was said of those things."""
        for thing in things:
            if fact in ("order.opened", "item.received", _REPLACED):
                self._at[thing], self._on_its_way[thing] = source, False
            elif fact == "item.handed_over":
                self._at[thing], self._on_its_way[thing] = party, True
            elif fact == "item.returned":
                self._at[thing], self._on_its_way[thing] = self._customer, False
            if fact in DONE or fact in TO_DO:
                self._done[thing] = fact in DONE
            if fact in _WORK or fact in _DECIDED:
                self._undecided[thing] = fact == "quote.offered"
