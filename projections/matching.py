"""What opens, meets and cancels what: `expected` and `restated`, made of `told` by the rules in lanes.sql.

Each fact speaks in one or more lanes, and in a lane the next word ends what was expected before. That is a look at the
neighbouring row once the rows are in order, so it is done on whole columns as arrays; SQL window functions over as many
rows and columns take several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import DuckDBPyConnection

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: The order's end does not end these.
_AFTER_THE_END: Final = frozenset({"answer", "check", "complaint", "call"})
#: These matter only where something of the kind was ever said of the order.
_RARE: Final = {
    "pause": ("work.paused",),
    "promise": ("promise.made",),
    "complaint": ("feedback.given",),
    "call": ("message.failed", "message.unknown"),
}
_TO_A_CUSTOMER: Final = frozenset({"update", "check", "call"})
_PROMISES: Final = ("promise.made", "promise.moved")

_FINISHED: Final = ("repair.completed", "repair.failed", "unit.replaced")
_DONE: Final = (*_FINISHED, "quote.declined")
_TO_DO: Final = (
    "order.opened",
    "order.reopened",
    "diagnosis.made",
    "quote.offered",
    "quote.accepted",
    "repair.started",
)


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


@dataclass(frozen=True)
class Rules:
    """The tables `lanes` and `kinds`."""

    lanes: tuple[Lane, ...]
    #: Of each kind, whether the end of the order, and the end of the repair, end it, and whether it waits for her.
    kinds: dict[str, tuple[bool, bool, bool]]

    @cached_property
    def facts(self) -> frozenset[str]:
        """Those that say anything in a lane."""
        return frozenset(lane.fact for lane in self.lanes)

    @classmethod
    def read(cls, cursor: DuckDBPyConnection) -> Rules:
        """As they stand in the database."""
        rows = cursor.execute(
            "SELECT fact::VARCHAR, lane, expects, meets, owner, topic, word, role, done, home, travels, anew, own "
            "FROM lanes"
        ).fetchall()
        lanes = tuple(
            Lane(fact, lane, expects, frozenset(meets or ()), *rest) for fact, lane, expects, meets, *rest in rows
        )
        kinds = cursor.execute(
            "SELECT kind, ends_with_order, ends_with_repair, waits_for_customer FROM kinds"
        ).fetchall()
        return cls(lanes, {kind: tuple(flags) for kind, *flags in kinds})


def match(told: pa.Table, rules: Rules) -> tuple[pa.Table, pa.Table]:
    """From the rows of told.sql: `expected`, a row for everything that was opened, with when and how it ended, and
    `restated`, the dates that were named for it afterwards. ``place`` is a row's number in ``told``."""
    facts = _Facts(told)
    said = _said(facts, rules)
    goes_on = _goes_on(facts, said, rules)
    return _expected(facts, said, ~goes_on, rules), _restated(facts, said, goes_on, rules)


class _Facts:
    """The columns of `told` as numbers, order by order as it happened, and how things stood at each row."""

    def __init__(self, told: pa.Table) -> None:
        self._told: Any = told
        self.count = len(told)
        positions, orders = _numbers(told["position"]), _numbers(told["first_position"])
        self._row = np.lexsort((positions, _numbers(told["occurred_at"]), orders))
        self.orders = orders[self._row]
        fresh = np.ones(self.count, np.bool_)
        fresh[1:] = self.orders[1:] != self.orders[:-1]
        self.group = np.cumsum(fresh) - 1
        starts = np.flatnonzero(fresh)
        self.begin = starts[self.group]
        self.end = np.append(starts[1:], self.count)[self.group]

        names, self.fact = self._encoded("fact")
        self.names = [str(name) for name in names.to_pylist()]
        words, self.word = self._encoded("word")
        self.words = words.to_pylist()
        self.topics, self.topic = self._encoded("topic")
        people = [self._told[name].combine_chunks() for name in ("source", "party", "accountable")]
        named = pa.concat_arrays([*people, pa.array(["customer"])]).dictionary_encode()
        self.people: Any = named.dictionary
        codes = _indices(named)
        self.source, self.party, self.accountable = (
            codes[number * self.count : (number + 1) * self.count][self._row] for number in range(3)
        )
        #: Stands for the customer of the order, whoever that is.
        self.customer = int(codes[-1])
        self.has_customer, self.travels = (
            np.asarray(self._told[name].to_numpy(), np.bool_)[self._row] for name in ("has_customer", "travels")
        )
        self.dated = np.asarray(self._told["by_when"].is_valid().to_numpy(), np.bool_)[self._row]

        had = self.last("order.opened", "item.received")
        self.holder = np.where(had >= 0, self.source[had], -1) if self.count else had
        self.own = self.source == self.accountable
        self.home = (self.holder == self.accountable) & (self.holder >= 0)
        self.done = self.last(*_DONE) > self.last(*_TO_DO)
        self.closed = self.last("order.closed") > self.last("order.opened", "order.reopened")
        self.order_ends, self.repair_ends = self.next("order.closed"), self.next(*_FINISHED)

    def _encoded(self, column: str) -> tuple[Any, Numbers]:
        """The different values, and for each row which of them it has."""
        encoded = self._told[column].cast(pa.string()).combine_chunks().dictionary_encode()
        return encoded.dictionary, _indices(encoded)[self._row]

    def column(self, name: str, places: Any) -> Any:
        """The values of a column of `told` at those places; NULL for no place."""
        return self._told[name].take(pa.array(self._row).take(places) if self.count else places)

    def are(self, *names: str) -> Flags:
        """Which rows are facts of these names."""
        wanted: Flags = np.array([name in names for name in self.names], np.bool_)
        return wanted[self.fact] if self.count else np.zeros(0, np.bool_)

    def last(self, *names: str) -> Numbers:
        """For each row, the last one up to it, in its order, of these facts; -1 if there is none."""
        seen = np.maximum.accumulate(np.where(self.are(*names), np.arange(self.count), -1))
        return np.where(seen >= self.begin, seen, -1)

    def next(self, *names: str) -> Numbers:
        """For each row, the first one from it on, in its order, of these facts; ``count`` if there is none."""
        ahead = np.where(self.are(*names), np.arange(self.count), self.count)
        seen = np.minimum.accumulate(ahead[::-1])[::-1]
        return np.where(seen < self.end, seen, self.count)


@dataclass(frozen=True)
class _Said:
    """What facts say in lanes, lane by lane in order: the rows of facts and rules, and what comes of both."""

    place: Numbers
    rule: Numbers
    lane: Numbers
    topic: Numbers
    #: The number of the kind, or -1.
    expects: Numbers
    owner: Numbers

    def same_lane(self, chosen: Numbers, group: Numbers) -> Flags:
        """Of ``chosen`` rows, which are in the lane of the one before."""
        same = np.zeros(len(chosen), np.bool_)
        columns = (group[self.place[chosen]], self.lane[chosen], self.topic[chosen])
        same[1:] = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
        return same


def _said(facts: _Facts, rules: Rules) -> _Said:
    lanes = {name: number for number, name in enumerate(dict.fromkeys(rule.lane for rule in rules.lanes))}
    kinds = {name: number for number, name in enumerate(rules.kinds)}
    rows_of = {name: np.flatnonzero(facts.are(name)) for name in facts.names}
    roles: dict[str, Flags] = {}
    ever = {lane: facts.last(*facts_of_it) >= 0 for lane, facts_of_it in _RARE.items()}
    parts: list[tuple[Numbers, ...]] = []
    for number, rule in enumerate(rules.lanes):
        rows = rows_of.get(rule.fact)
        if rows is None:
            continue
        rows = rows[_applies(rule, rows, facts, roles, ever)]
        if not len(rows):
            continue
        topic = {"topic": facts.topic, "source": facts.source + len(facts.topics)}.get(rule.topic or "")
        expects = np.full(len(rows), -1 if rule.expects is None else kinds[rule.expects])
        if rule.lane not in _AFTER_THE_END:
            expects = np.where(facts.closed[rows], -1, expects)
        parts.append(
            (
                rows,
                np.full(len(rows), number),
                np.full(len(rows), lanes[rule.lane]),
                topic[rows] if topic is not None else np.full(len(rows), -1),
                expects,
                _owner(rule, rows, facts),
            )
        )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0, np.int64)] * 6
    place, _, lane, topic, *_ = columns
    order = np.lexsort((place, topic, lane, facts.group[place]))
    return _Said(*(np.asarray(column[order], np.int64) for column in columns))


def _applies(rule: Lane, rows: Numbers, facts: _Facts, roles: dict[str, Flags], ever: dict[str, Flags]) -> Flags:
    """On which of ``rows`` all that the rule asks for is so."""
    so = np.ones(len(rows), np.bool_)
    if rule.word is not None:
        so &= facts.word[rows] == (facts.words.index(rule.word) if rule.word in facts.words else -2)
    if rule.role is not None:
        if rule.role not in roles:
            roles[rule.role] = np.array([str(name).startswith(f"{rule.role}:") for name in facts.people.to_pylist()])
        so &= roles[rule.role][facts.source[rows]]
    asked = ((rule.done, facts.done), (rule.home, facts.home), (rule.travels, facts.travels), (rule.own, facts.own))
    for wanted, found in asked:
        if wanted is not None:
            so &= found[rows] == wanted
    if rule.lane in ever:
        so &= ever[rule.lane][rows]
    if rule.lane in _TO_A_CUSTOMER:
        so &= facts.has_customer[rows]
    return so


def _owner(rule: Lane, rows: Numbers, facts: _Facts) -> Numbers:
    """Who owes it, as a number in ``people``; -1 for nobody."""
    source, accountable = facts.source[rows], facts.accountable[rows]
    match rule.owner:
        case "source":
            return source
        case "holder":
            return np.where(facts.holder[rows] >= 0, facts.holder[rows], source)
        case "accountable":
            return accountable
        case "customer":
            return np.full(len(rows), facts.customer)
        case "party":
            return np.where(facts.party[rows] >= 0, facts.party[rows], accountable)
    return np.full(len(rows), -1)


def _goes_on(facts: _Facts, said: _Said, rules: Rules) -> Flags:
    """What only says again what was expected anyway, unless the order was closed in between."""
    anew: Flags = np.array([rule.anew for rule in rules.lanes])[said.rule]
    open_ended = np.array([rule.lane in _AFTER_THE_END for rule in rules.lanes])[said.rule]
    meets_it: Flags = np.array([rule.expects is not None and rule.expects in rule.meets for rule in rules.lanes])[
        said.rule
    ]
    goes_on: Flags = said.same_lane(np.arange(len(said.place)), facts.group) & ~anew & ~meets_it & (said.expects >= 0)
    for column in (said.expects, said.owner):
        goes_on[1:] &= column[1:] == column[:-1]
    ended = facts.order_ends[said.place]
    goes_on[1:] &= open_ended[1:] | (ended[:-1] > said.place[1:])
    return goes_on


def _expected(facts: _Facts, said: _Said, kept: Flags, rules: Rules) -> pa.Table:
    """A row for everything that was expected: who owed it since when, and the fact that ended it."""
    turns = np.flatnonzero(kept)
    has_next = np.append(said.same_lane(turns, facts.group)[1:], False) if len(turns) else np.zeros(0, np.bool_)
    following = np.append(turns[1:], 0)[: len(turns)]
    opening = (said.expects[turns] >= 0) & (said.owner[turns] >= 0)
    turns, has_next, following = turns[opening], has_next[opening], following[opening]

    kind, place, owner = said.expects[turns], said.place[turns], said.owner[turns]
    ends_with_order, ends_with_repair, waits = np.array([*rules.kinds.values()], np.bool_).T[:, kind]
    never = facts.count
    next_place = np.where(has_next, said.place[following], never)
    ends = np.minimum(next_place, np.where(ends_with_order, facts.order_ends[place], never))
    ends = np.minimum(ends, np.where(ends_with_repair, facts.repair_ends[place], never))
    # Met, if the word that ended it is one that meets this; of the work, if its owner said it.
    meets = np.array([[name in rule.meets for name in rules.kinds] for rule in rules.lanes])
    is_met = has_next & (ends == next_place) & meets[said.rule[following], kind]
    work = np.array([rule.lane == "work" for rule in rules.lanes])[said.rule[turns]]
    is_met &= ~work | (facts.source[said.place[following]] == owner)

    has_ended = ends < never
    ended = _places(np.where(has_ended, ends, -1))
    update = kind == list(rules.kinds).index("update")
    return pa.table(
        {
            "first_position": facts.column("first_position", pa.array(place)),
            "position": facts.column("position", pa.array(place)),
            "place": pa.array(place),
            "lane": _chosen([rule.lane for rule in rules.lanes], said.rule[turns]),
            "topic": _topics(facts, said, turns),
            "kind": _chosen(list(rules.kinds), kind),
            "owner": _person(facts, owner),
            "accountable": _person(facts, facts.accountable[place]),
            "opened_at": facts.column("occurred_at", pa.array(place)),
            "by_when": facts.column("by_when", pa.array(place)),
            # Our own word of the next news is the promise of the party that it speaks for.
            "named_by": _person(facts, np.where(update, owner, facts.source[place])),
            "waits_for_customer": pa.array(waits),
            "end_place": ended,
            "ended_at": facts.column("occurred_at", ended),
            "is_met": pa.array(is_met),
        }
    )


def _restated(facts: _Facts, said: _Said, goes_on: Flags, rules: Rules) -> pa.Table:
    """Dates that were named after it was opened: said with what was expected anyway, or promised in so many words."""
    again = np.flatnonzero(goes_on & facts.dated[said.place])
    promises = np.flatnonzero(facts.are(*_PROMISES))
    place = np.concatenate([said.place[again], promises])
    nothing = np.full(len(promises), -1)
    return pa.table(
        {
            "first_position": facts.column("first_position", pa.array(place)),
            "place": pa.array(place),
            "lane": _chosen([rule.lane for rule in rules.lanes], np.concatenate([said.rule[again], nothing])),
            "topic": pa.concat_arrays([_topics(facts, said, again), pa.nulls(len(promises), pa.string())]),
            "source": _person(facts, facts.source[place]),
            "occurred_at": facts.column("occurred_at", pa.array(place)),
            "by_when": facts.column("by_when", pa.array(place)),
            "about": _chosen(facts.words, np.concatenate([np.full(len(again), -1), facts.word[promises]])),
        }
    )


def _topics(facts: _Facts, said: _Said, rows: Numbers) -> Any:
    """What tells several of a lane apart: the fact's topic, its source, or nothing."""
    code = said.topic[rows]
    texts: Any = pa.concat_arrays([facts.topics, facts.people])
    return texts.take(_places(code)).fill_null("")


def _person(facts: _Facts, codes: Numbers) -> Any:
    return facts.people.take(_places(codes))


def _chosen(texts: Iterable[Any], codes: Numbers) -> Any:
    chosen: Any = pa.array(list(texts), pa.string())
    return chosen.take(_places(codes))


def _places(codes: Numbers) -> Any:
    """Where to take values from; -1 takes NULL."""
    return pa.array(np.maximum(codes, 0), pa.int64(), mask=codes < 0)


def _indices(encoded: Any) -> Numbers:
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def _numbers(column: Any) -> Numbers:
    return np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)
