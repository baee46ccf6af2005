"""Orders that are one: which of them goes on, by all that the log says of it (`order.merged`, `order.unmerged`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from duckdb import DuckDBPyConnection

from events.party import ROLES, role_of
from events.vocabulary import MERGING_FACTS
from projections.statements import execute, read_sql

MERGED: Final = "order.merged"
CORRECTED: Final = "fact.corrected"

#: One or several.
Positions = int | npt.NDArray[np.int64]

_STRETCH: Final = 2**18
#: More positions than most orders take from their first fact to their last.
_ROOM: Final = 2 * _STRETCH


@dataclass(frozen=True, slots=True)
class Said:
    """A fact that says something of which orders are one, or a correction that may take such a fact back.

    ``into`` is the order that goes on; ``target`` the (source, id) of what a correction takes back.
    """

    position: int
    order: str
    source: str
    id: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    into: str | None = None
    target: tuple[str, str] | None = None

    @property
    def is_about_orders(self) -> bool:
        """Parties and the chain itself cannot be merged, whatever somebody wrote into the log."""
        return not any(role_of(name) in ROLES for name in (self.order, self.into or ""))


def survivors(said: Iterable[Said], as_of: datetime | None = None, known_at: datetime | None = None) -> dict[str, str]:
    """For each order that is one with another, the id under which they go on (its own, for the one that does).

    Follows from the facts alone, in whatever order they come: of each order the last word counts, in the order in which
    things happened; one that would make a ring is passed over. A correction counts from the moment it was known.
    """
    once: dict[tuple[str, str, str], Said] = {}
    for fact in sorted(said, key=lambda fact: fact.position):
        if known_at is None or fact.recorded_at <= known_at:
            once.setdefault((fact.order, fact.source, fact.id), fact)
    corrections = [fact for fact in once.values() if fact.name == CORRECTED]
    retracted = {fact.target for fact in corrections}
    void = {fact.target for fact in corrections if (fact.source, fact.id) not in retracted}
    words: dict[str, Said] = {}
    for fact in sorted(once.values(), key=_in_time):
        counts = (fact.source, fact.id) not in void and (as_of is None or fact.occurred_at <= as_of)
        if fact.name in MERGING_FACTS and counts and fact.is_about_orders:
            words[fact.order] = fact
    into: dict[str, str] = {}
    for fact in sorted(words.values(), key=_in_time):
        if fact.name == MERGED and fact.into is not None and last_of(fact.into, into) != fact.order:
            into[fact.order] = fact.into
    return {order: last_of(order, into) for order in {*into, *into.values()}}


def _in_time(fact: Said) -> tuple[datetime, int]:
    return fact.occurred_at, fact.position


def last_of(order: str, into: Mapping[str, str]) -> str:
    """Where the way from ``order`` ends."""
    while order in into:
        order = into[order]
    return order


@dataclass(frozen=True, slots=True)
class Span:
    """Where what was said of one order begins and ends in the log; whether it announces closures or policies."""

    first: int
    last: int
    announces: bool = False

    def with_(self, other: Span | None) -> Span:
        if other is None:
            return self
        return Span(min(self.first, other.first), max(self.last, other.last), self.announces or other.announces)


def until(first: Positions, last: Positions) -> npt.NDArray[np.int64]:
    """What `subjects` has of an order whose first and last fact have those positions: no fact of it comes after.

    It is the end of a stretch of a quarter of a million positions, and of the second at least after that in which the
    order begins: for nearly all facts nothing has to be written, and the facts of one order are found nearly as soon.
    """
    return np.maximum(_end_of_stretch(last), _end_of_stretch(first) + _ROOM)


def _end_of_stretch(position: Positions) -> npt.NDArray[np.int64]:
    return np.asarray(position, np.int64) | (_STRETCH - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order is found in the models: at ``first_position``, under the id ``survivor``."""

    first_position: int
    survivor: str


@dataclass(frozen=True)
class Merges:
    """What the mirror knows of orders that are one: `merged`, with all orders of which it was ever said."""

    places: Mapping[str, Place] = field(default_factory=dict)
    involved: frozenset[str] = frozenset()

    @classmethod
    def read(cls, cursor: DuckDBPyConnection) -> Merges:
        """As it stands in the database."""
        rows = cursor.execute("SELECT order_id, first_position, survivor FROM chain.merged").fetchall()
        involved = {name for fact in said_of_orders(cursor) for name in (fact.order, fact.into) if name}
        return cls({order: Place(first, survivor) for order, first, survivor in rows}, frozenset(involved))

    @property
    def keys(self) -> frozenset[int]:
        """The first positions of orders that are several in one."""
        return frozenset(place.first_position for place in self.places.values())


def said_of_orders(cursor: DuckDBPyConnection, events: str = "chain.events") -> list[Said]:
    """All that ``events`` holds of order.merged and order.unmerged, without corrections."""
    rows = cursor.execute(
        "SELECT position, order_id, source, id, fact::VARCHAR, occurred_at, recorded_at, name "  # noqa: S608 - our names
        f"FROM {events} WHERE fact IN ('order.merged', 'order.unmerged')"
    ).fetchall()
    return [
        Said(position, order, source, id, name, occurred_at, recorded_at, into if name == MERGED else None)
        for position, order, source, id, name, occurred_at, recorded_at, into in rows
    ]


def corrections_of(
    cursor: DuckDBPyConnection, orders: Collection[str], firsts: Collection[int], events: str = "chain.events"
) -> list[Said]:
    """The corrections said of these orders, which lie at ``firsts`` in the mirror (of what has arrived, anywhere)."""
    where = "fact = 'fact.corrected' AND order_id IN (SELECT unnest($orders::VARCHAR[]))"
    given: dict[str, Any] = {"orders": list(orders)}
    if events == "chain.events":
        if not firsts:
            return []
        where += " AND position >= $begin AND first_position IN (SELECT unnest($firsts::BIGINT[]))"
        given |= {"begin": min(firsts), "firsts": list(firsts)}
    rows = cursor.execute(
        "SELECT position, order_id, source, id, occurred_at, recorded_at, target_source, target_id "  # noqa: S608 - our names
        f"FROM {events} WHERE {where}",
        given,
    ).fetchall()
    found = []
    for position, order, source, id, occurred_at, recorded_at, target_source, target_id in rows:
        # A party takes back its own facts only; the chain itself any.
        if target_id is not None and (target_source in (None, source) or role_of(source) == "chain"):
            target = (target_source or source, target_id)
            found.append(Said(position, order, source, id, CORRECTED, occurred_at, recorded_at, target=target))
    return found


def spans_of(cursor: DuckDBPyConnection, orders: Collection[str], firsts: Collection[int]) -> dict[str, Span]:
    """Where each of these orders begins and ends in the mirror, where they lie at ``firsts``."""
    if not firsts:
        return {}
    rows = execute(
        cursor,
        read_sql("spans"),
        {"orders": list(orders), "firsts": list(firsts), "begin": min(firsts)},
    ).fetchall()
    return {order: Span(first, last, announces) for order, first, last, announces in rows}


def known_places(cursor: DuckDBPyConnection, orders: Collection[str], merges: Merges) -> dict[str, Place]:
    """Where these orders lie in the mirror now; those that it does not know are left out."""
    single = [order for order in orders if order not in merges.places]
    rows = cursor.execute(
        "SELECT order_id, first_position FROM chain.subjects "
        "WHERE order_key IN (SELECT hash(id) FROM (SELECT unnest($1::VARCHAR[]) AS id)) "
        "AND order_id IN (SELECT unnest($1::VARCHAR[]))",
        [single],
    ).fetchall()
    found = {order: Place(first, order) for order, first in rows}
    return found | {order: merges.places[order] for order in orders if order in merges.places}


def grouped(found: Mapping[str, str], spans: Mapping[str, Span]) -> dict[str, Place]:
    """Where each order belongs, by ``survivors``: all that are one lie where the first of them begins."""
    members: dict[str, list[str]] = defaultdict(list)
    for order, survivor in found.items():
        members[survivor].append(order)
    places: dict[str, Place] = {}
    for survivor, orders in members.items():
        first = min(spans[order].first for order in orders if order in spans)
        places.update((order, Place(first, survivor)) for order in orders)
    return places
