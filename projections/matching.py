"""What opens, meets and cancels what: `expected` and `restated`, made of a story by the rules in lanes.sql.

Each fact speaks in one or more lanes, and in a lane the next word ends what was expected before. That is a look at the
neighbouring row once the rows are in order, so it is done on whole columns as arrays; SQL window functions over as many
rows and columns take several times as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from projections.custody import STATES, Handoffs
from projections.marks import Agreed
from projections.story import CUSTOMER, Flags, Numbers, Story, chosen

#: Whoever is named is asked to; it need not be anybody that there is.
_OWED_BY_ANYBODY: Final = frozenset({"answer", "cover"})
_PARTY: Final = re.compile(r"(?:retailer|importer|repairer|customer|chain):[^\x00-\x1f\x7f]{1,120}")

_STATES: Final = ("met", "open", "cancelled")
_MET, _OPEN, _CANCELLED = range(3)
#: What became of what is to be received, by what became of the handover (see custody.py).
_STATE_OF_HANDOFF: Final = np.array([{"received": _MET, "open": _OPEN}.get(state, _CANCELLED) for state in STATES])

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
    """The tables `lanes`, `kinds` and `status_of_fact`."""

    lanes: tuple[Lane, ...]
    #: Of each kind, whether the end of the order, and the end of the repair, end it, and whether it waits for her.
    kinds: dict[str, tuple[bool, bool, bool]]
    #: The facts that bring about a status, and which.
    statuses: dict[str, str]

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
        statuses = cursor.execute("SELECT fact::VARCHAR, status FROM status_of_fact").fetchall()
        return cls(lanes, {kind: tuple(flags) for kind, *flags in kinds}, dict(statuses))


def match(story: Story, agreed: Agreed, handoffs: Handoffs, rules: Rules) -> tuple[Expected, pa.Table]:
    """Everything that was opened, with when and how it ended, and the rows of `restated`: the dates that were named for
    it afterwards."""
    facts = _Facts(story, agreed, handoffs)
    said = _said(facts, rules)
    goes_on = _goes_on(facts, said, rules)
    return _expected(facts, said, ~goes_on, rules), _restated(facts, said, goes_on, rules)


@dataclass(frozen=True)
class Expected:
    """What is owed, row by row: the table `expected`, and, as numbers, what its due times follow from.

    Numbers are those of the story's people, words and topics, and of the kinds; -1 is nothing.
    """

    rows: pa.Table
    story: Story
    kinds: list[str]
    kind: Numbers
    owner: Numbers
    counterpart: Numbers
    category: Numbers
    urgency: Numbers


class _Facts:
    """How things stood at each place of the story."""

    def __init__(self, story: Story, agreed: Agreed, handoffs: Handoffs) -> None:
        self.story, self.agreed, self.handoffs = story, agreed, handoffs
        self.accountable = agreed.party[story.order]
        self.has_customer = (agreed.customer >= 0)[story.order]
        self.travels = (story.count_of_each(handoffs.place) > 0)[story.order]
        had = story.last(story.places("order.opened", "item.received"))
        self.holder: Numbers = np.where(had >= 0, story.source[had], -1) if story.count else had
        self.own = story.source == self.accountable
        self.home = (self.holder == self.accountable) & (self.holder >= 0)
        self.done = self.last(*_DONE) > self.last(*_TO_DO)
        self.closed = self.last("order.closed") > self.last("order.opened", "order.reopened")
        self.order_ends = story.next(story.places("order.closed"))
        self.repair_ends = story.next(story.places(*_FINISHED))

    def last(self, *names: str) -> Numbers:
        """For each place, the last of these facts up to it, in its order; -1 if there is none."""
        return self.story.last(self.story.places(*names))


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
    story = facts.story
    roles: dict[str, Flags] = {}
    spoken = {lane: story.places(*facts_of_it) for lane, facts_of_it in _RARE.items()}
    idle = {lane for lane, places in spoken.items() if not len(places)}
    ever = {lane: story.last(places) >= 0 for lane, places in spoken.items() if lane not in idle}
    parts: list[tuple[Numbers, ...]] = []
    for number, rule in enumerate(rules.lanes):
        rows = story.places(rule.fact)
        if not len(rows) or rule.lane in idle:
            continue
        rows = rows[_applies(rule, rows, facts, roles, ever)]
        if not len(rows):
            continue
        topic = {"topic": story.topic, "source": story.source + len(story.topics)}.get(rule.topic or "")
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
    order = np.lexsort((place, topic, lane, story.order[place]))
    return _Said(*(np.asarray(column[order], np.int64) for column in columns))


def _applies(rule: Lane, rows: Numbers, facts: _Facts, roles: dict[str, Flags], ever: dict[str, Flags]) -> Flags:
    """On which of ``rows`` all that the rule asks for is so."""
    story = facts.story
    so = np.ones(len(rows), np.bool_)
    if rule.word is not None:
        so &= story.word[rows] == story.word_code(rule.word)
    if rule.role is not None:
        if rule.role not in roles:
            roles[rule.role] = np.array([str(name).startswith(f"{rule.role}:") for name in story.people.to_pylist()])
        so &= roles[rule.role][story.source[rows]]
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
    story = facts.story
    source: Numbers = story.source[rows]
    accountable: Numbers = facts.accountable[rows]
    match rule.owner:
        case "source":
            return source
        case "holder":
            return np.where(facts.holder[rows] >= 0, facts.holder[rows], source)
        case "accountable":
            return accountable
        case "customer":
            return np.full(len(rows), story.customer)
        case "party":
            return np.where(story.party[rows] >= 0, story.party[rows], accountable)
    return np.full(len(rows), -1)


def _goes_on(facts: _Facts, said: _Said, rules: Rules) -> Flags:
    """What only says again what was expected anyway, unless the order was closed in between."""
    anew: Flags = np.array([rule.anew for rule in rules.lanes])[said.rule]
    open_ended = np.array([rule.lane in _AFTER_THE_END for rule in rules.lanes])[said.rule]
    meets_it: Flags = np.array([rule.expects is not None and rule.expects in rule.meets for rule in rules.lanes])[
        said.rule
    ]
    goes_on: Flags = (
        said.same_lane(np.arange(len(said.place)), facts.story.order) & ~anew & ~meets_it & (said.expects >= 0)
    )
    for column in (said.expects, said.owner):
        goes_on[1:] &= column[1:] == column[:-1]
    ended = facts.order_ends[said.place]
    goes_on[1:] &= open_ended[1:] | (ended[:-1] > said.place[1:])
    return goes_on


def _expected(facts: _Facts, said: _Said, kept: Flags, rules: Rules) -> Expected:
    """Everything that was expected, receipts of what was handed over last: who owed it since when, and the fact that
    ended it."""
    story, handoffs = facts.story, facts.handoffs
    turns = np.flatnonzero(kept)
    has_next = np.append(said.same_lane(turns, story.order)[1:], False) if len(turns) else np.zeros(0, np.bool_)
    following = np.append(turns[1:], 0)[: len(turns)]
    opening = (said.expects[turns] >= 0) & (said.owner[turns] >= 0)
    turns, has_next, following = turns[opening], has_next[opening], following[opening]

    kinds = list(rules.kinds)
    kind, place, owner = said.expects[turns], said.place[turns], said.owner[turns]
    ends_with_order, ends_with_repair, waits = np.array([*rules.kinds.values()], np.bool_).T[:, kind]
    never = story.count
    next_place = np.where(has_next, said.place[following], never)
    ends = np.minimum(next_place, np.where(ends_with_order, facts.order_ends[place], never))
    ends = np.minimum(ends, np.where(ends_with_repair, facts.repair_ends[place], never))
    # Met, if the word that ended it is one that meets this; of the work, if its owner said it.
    meets = np.array([[name in rule.meets for name in rules.kinds] for rule in rules.lanes])
    is_met = has_next & (ends == next_place) & meets[said.rule[following], kind]
    work = np.array([rule.lane == "work" for rule in rules.lanes])[said.rule[turns]]
    is_met &= ~work | (story.source[said.place[following]] == owner)
    ended = np.where(ends < never, ends, -1)
    state = np.where(is_met, _MET, np.where(ended < 0, _OPEN, _CANCELLED))
    # Our own word of the next news is the promise of the party that it speaks for.
    named_by = np.where(kind == kinds.index("update"), owner, story.source[place])

    handed = handoffs.place
    nothing = np.full(len(handed), -1)
    place, ended = np.concatenate([place, handed]), np.concatenate([ended, handoffs.settled])
    kind = np.concatenate([kind, np.full(len(handed), kinds.index("receive"))])
    owner = np.concatenate([owner, story.party[handed]])
    named_by = np.concatenate([named_by, story.source[handed]])
    counterpart = np.concatenate([np.full(len(turns), -1), story.source[handed]])
    lane = np.concatenate([said.rule[turns], nothing])
    order = story.order[place]
    agreed, accountable = facts.agreed, facts.agreed.party[order]
    # Whoever was named and is nobody owes nothing: then it is the accountable party's.
    instead = np.where(accountable >= 0, accountable, named_by)
    owes = np.where(_is_nobody(story, kinds, kind, owner), instead, owner)
    rows = pa.table(
        {
            "first_position": pa.array(story.first_position[order]),
            "position": pa.array(story.position[place]),
            "place": pa.array(place),
            "lane": chosen([rule.lane for rule in rules.lanes], lane),
            "topic": pa.concat_arrays([_topics(facts, said, turns), pa.array([""] * len(handed), pa.string())]),
            "kind": chosen(kinds, kind),
            "named": story.persons(owner),
            "owner": story.persons(owes),
            "accountable": story.persons(accountable),
            "counterpart": story.persons(counterpart),
            "opened_at": story.moments(place),
            "by_when": story.values("by_when", place),
            "named_by": story.persons(named_by),
            "waits_for_customer": pa.array(np.concatenate([waits, nothing >= 0])),
            "end_place": pa.array(ended, pa.int64(), mask=ended < 0),
            "ended_at": story.moments(ended),
            "state": chosen(_STATES, np.concatenate([state, _STATE_OF_HANDOFF[handoffs.state]])),
            "customer": story.values("name", agreed.customer[order]),
        }
    )
    category, urgency = agreed.category[order], agreed.urgency[order]
    return Expected(
        rows=rows,
        story=story,
        kinds=kinds,
        kind=kind,
        owner=owes,
        counterpart=counterpart,
        category=np.where(category >= 0, story.topic[category], -1) if story.count else category,
        urgency=np.where(urgency >= 0, story.word[urgency], -1) if story.count else urgency,
    )


def _is_nobody(story: Story, kinds: list[str], kind: Numbers, owner: Numbers) -> Flags:
    """Where somebody was named who is no party."""
    nobody = np.zeros(len(kind), np.bool_)
    rows = np.flatnonzero(np.array([name in _OWED_BY_ANYBODY for name in kinds], np.bool_)[kind])
    for code in np.unique(owner[rows]).tolist():
        name = str(story.people[code])
        if name != CUSTOMER and (_PARTY.fullmatch(name) is None or name != name.strip(" ")):
            nobody[rows[owner[rows] == code]] = True
    return nobody


def _restated(facts: _Facts, said: _Said, goes_on: Flags, rules: Rules) -> pa.Table:
    """Dates that were named after it was opened: said with what was expected anyway, or promised in so many words."""
    story = facts.story
    again = np.flatnonzero(goes_on & story.dated[said.place])
    promises = story.places(*_PROMISES)
    place = np.concatenate([said.place[again], promises])
    nothing = np.full(len(promises), -1)
    return pa.table(
        {
            "first_position": pa.array(story.first_position[story.order[place]]),
            "place": pa.array(place),
            "lane": chosen([rule.lane for rule in rules.lanes], np.concatenate([said.rule[again], nothing])),
            "topic": pa.concat_arrays([_topics(facts, said, again), pa.nulls(len(promises), pa.string())]),
            "source": story.persons(story.source[place]),
            "occurred_at": story.moments(place),
            "by_when": story.values("by_when", place),
            "about": chosen(story.words, np.concatenate([np.full(len(again), -1), story.word[promises]])),
        }
    )


def _topics(facts: _Facts, said: _Said, rows: Numbers) -> Any:
    """What tells several of a lane apart: the fact's topic, its source, or nothing."""
    story = facts.story
    return chosen(pa.concat_arrays([story.topics, story.people]), said.topic[rows]).fill_null("")
