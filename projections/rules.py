"""The rules of lanes.sql and what is so of each kind, as they are looked up by number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from projections.orders import Status, Statuses
from projections.story import Flags, Numbers

#: Who may owe it by a rule (see lanes.sql); in the last place, nobody.
OWNERS: Final = ("source", "holder", "keeper", "accountable", "customer", "party", None)
#: What a rule may ask of how things stand.
_ASKED: Final = ("done", "home", "travels", "own", "mended", "more", "stays", "away", "coming")
#: The order's end does not end these.
_AFTER_THE_END: Final = frozenset({"home", "answer", "check", "complaint", "call"})
#: In these each of several things in an order goes its own way (see turns_of_things.py).
_OF_THINGS: Final = frozenset({"work", "home", "decide", "part"})


@dataclass(frozen=True)
class Lane:
    """A row of the table `lanes` (see lanes.sql)."""

    fact: str
    lane: str
    expects: str | None
    meets: frozenset[str]
    owner: str | None
    topic: str | None
    word: str | None
    role: str | None
    done: bool | None
    home: bool | None
    travels: bool | None
    anew: bool
    own: bool | None
    mended: bool | None
    more: bool | None
    stays: bool | None
    away: bool | None
    coming: bool | None

    @cached_property
    def asked(self) -> list[tuple[str, bool]]:
        """How things have to stand, of ``_ASKED``."""
        return [(name, wanted) for name in _ASKED if (wanted := getattr(self, name)) is not None]


@dataclass(frozen=True)
class Rules:
    """The tables `lanes` and `kinds`, and those of the statuses."""

    lanes: tuple[Lane, ...]
    #: Of each kind, whether the end of the order, and the end of the repair, end it, and whether it waits for her. Of
    #: answers the order's end leaves those that are owed to her.
    kinds: dict[str, tuple[bool, bool, bool]]
    statuses: Statuses

    @cached_property
    def facts(self) -> frozenset[str]:
        """Those that say anything in a lane."""
        return frozenset(lane.fact for lane in self.lanes)

    @cached_property
    def of_fact(self) -> dict[str, list[tuple[int, Lane]]]:
        """The rules of each fact, with their numbers."""
        found: dict[str, list[tuple[int, Lane]]] = {}
        for number, rule in enumerate(self.lanes):
            found.setdefault(rule.fact, []).append((number, rule))
        return found

    @cached_property
    def lane_numbers(self) -> Numbers:
        """Of each rule the number of its lane."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(rule.lane for rule in self.lanes))}
        return np.array([numbers[rule.lane] for rule in self.lanes])

    @cached_property
    def expects(self) -> Numbers:
        """Of each rule the number of the kind, or -1."""
        return np.array([-1 if rule.expects is None else self.kind_names.index(rule.expects) for rule in self.lanes])

    @cached_property
    def owners(self) -> Numbers:
        """Of each rule the owner, as a number in ``OWNERS``."""
        return np.array([OWNERS.index(rule.owner) for rule in self.lanes])

    @cached_property
    def by_topic(self) -> Flags:
        """The rules by which the fact's topic tells several of a lane apart."""
        return np.array([rule.topic == "topic" for rule in self.lanes])

    @cached_property
    def by_source(self) -> Flags:
        """The rules by which its source does."""
        return np.array([rule.topic == "source" for rule in self.lanes])

    @cached_property
    def kind_names(self) -> list[str]:
        """The kinds, in order of their numbers."""
        return list(self.kinds)

    @cached_property
    def ends_with_order(self) -> Flags:
        """Of each rule whether the order's end ends what it expects. In lanes without that end it does not."""
        return (
            np.array([rule.expects is not None and self.kinds[rule.expects][0] for rule in self.lanes])
            & ~self.open_ended
        )

    @cached_property
    def ends_with_repair(self) -> Flags:
        """Of each kind, see ``kinds``."""
        return np.array([ends for _, ends, _ in self.kinds.values()])

    @cached_property
    def waits_for_customer(self) -> Flags:
        """Of each kind, see ``kinds``."""
        return np.array([waits for _, _, waits in self.kinds.values()])

    @cached_property
    def meets(self) -> Flags:
        """Which kinds each lane meets."""
        return np.array([[name in rule.meets for name in self.kinds] for rule in self.lanes])

    @cached_property
    def goes_on(self) -> Flags:
        """The lanes in which what was owed already goes on."""
        return np.array([not rule.anew and rule.expects not in rule.meets for rule in self.lanes])

    @cached_property
    def open_ended(self) -> Flags:
        """The lanes that the order's end does not end."""
        return np.array([rule.lane in _AFTER_THE_END for rule in self.lanes])

    @cached_property
    def is_work(self) -> Flags:
        """The lanes of the work, and of the way home."""
        return np.array([rule.lane in ("work", "home") for rule in self.lanes])

    @cached_property
    def is_home(self) -> Flags:
        """The lane of the way home."""
        return np.array([rule.lane == "home" for rule in self.lanes])

    @cached_property
    def is_of_things(self) -> Flags:
        """The lanes in which each of several things goes its own way."""
        return np.array([rule.lane in _OF_THINGS for rule in self.lanes])

    @cached_property
    def facts_of_things(self) -> frozenset[str]:
        """The facts that matter to a thing: that speak in its lanes, or end all of it."""
        return frozenset({"order.closed", *(rule.fact for rule in self.lanes if rule.lane in _OF_THINGS)})

    @cached_property
    def lane_names(self) -> Any:
        """Of each rule the name of its lane."""
        return pa.array([rule.lane for rule in self.lanes], pa.string())

    @classmethod
    def read(cls, cursor: DuckDBPyConnection) -> Rules:
        """As they stand in the database."""
        rows = cursor.execute(
            "SELECT fact::VARCHAR, lane, expects, meets, owner, topic, word, role, done, home, travels, anew, own, "
            "mended, more, stays, away, coming "
            "FROM lanes"
        ).fetchall()
        lanes = tuple(
            Lane(fact, lane, expects, frozenset(meets or ()), *rest) for fact, lane, expects, meets, *rest in rows
        )
        kinds = cursor.execute(
            "SELECT kind, ends_with_order, ends_with_repair, waits_for_customer FROM kinds"
        ).fetchall()
        named = cursor.execute("SELECT status, next_step, owner FROM statuses").fetchall()
        of_fact = cursor.execute("SELECT fact::VARCHAR, status FROM status_of_fact").fetchall()
        statuses = Statuses({status: Status(*rest) for status, *rest in named}, dict(of_fact))
        return cls(lanes, {kind: tuple(flags) for kind, *flags in kinds}, statuses)
