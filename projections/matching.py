"""What opens, meets and cancels what: `expected` and `restated`, made of a story by the rules in lanes.sql.

Each fact speaks in one or more lanes, and in a lane the next word ends what was expected before. That is a look at the
neighbouring row once the rows are in order, so it is done on whole columns as arrays; SQL window functions over as many
rows and columns take several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from projections import custody
from projections.agreed import Agreed
from projections.custody import Handoffs
from projections.orders import Status, Statuses
from projections.story import CUSTOMER, Flags, Numbers, Story, chosen, first_that_is

#: Whoever is named is asked to; it need not be anybody that there is.
_OWED_BY_ANYBODY: Final = frozenset({"answer", "cover"})
_PARTY: Final = re.compile(r"(?:retailer|importer|repairer|customer|chain):[^\x00-\x1f\x7f]{1,120}")

#: Who may owe it by a rule (see lanes.sql); in the last place, nobody.
_OWNERS: Final = ("source", "holder", "accountable", "customer", "party", None)
#: What a rule may ask of how things stand.
_ASKED: Final = ("done", "home", "travels", "own", "mended", "more")

STATES: Final = ("met", "open", "cancelled")
MET, OPEN, CANCELLED = range(3)
#: What became of what is to be received, by what became of the handover (see custody.py).
_STATE_OF_HANDOFF: Final = np.array([{"received": MET, "open": OPEN}.get(state, CANCELLED) for state in custody.STATES])

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

_MENDED: Final = ("repair.completed", "unit.replaced")
_FINISHED: Final = (*_MENDED, "repair.failed")
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
    mended: bool | None
    more: bool | None

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
        """Of each rule the owner, as a number in ``_OWNERS``."""
        return np.array([_OWNERS.index(rule.owner) for rule in self.lanes])

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
    def flags_of_kinds(self) -> tuple[Flags, Flags, Flags]:
        """What ``kinds`` has of each, as columns."""
        ends_with_order, ends_with_repair, waits = np.array([*self.kinds.values()], np.bool_).T
        return ends_with_order, ends_with_repair, waits

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
        """The lanes of the work."""
        return np.array([rule.lane == "work" for rule in self.lanes])

    @cached_property
    def lane_names(self) -> Any:
        """Of each rule the name of its lane."""
        return pa.array([rule.lane for rule in self.lanes], pa.string())

    @classmethod
    def read(cls, cursor: DuckDBPyConnection) -> Rules:
        """As they stand in the database."""
        rows = cursor.execute(
            "SELECT fact::VARCHAR, lane, expects, meets, owner, topic, word, role, done, home, travels, anew, own, "
            "mended, more "
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


def match(story: Story, agreed: Agreed, handoffs: Handoffs, rules: Rules) -> tuple[Expected, Restated]:
    """Everything that was opened, with when and how it ended, and the dates that were named for it afterwards."""
    facts = _Facts(story, agreed, handoffs)
    said = _said(facts, rules)
    goes_on = _goes_on(facts, said, rules)
    return _expected(facts, said, ~goes_on, rules), _restated(facts, said, goes_on, rules)


@dataclass(frozen=True)
class Expected:
    """What is owed, row by row, as numbers: places of the story, and numbers of its people, words and topics, of rules
    and of kinds; -1 is nothing."""

    story: Story
    agreed: Agreed
    rules: Rules
    place: Numbers
    #: Where it ended.
    ended: Numbers
    kind: Numbers
    #: The rule that it was opened by.
    lane: Numbers
    #: Of ``topics``.
    topic: Numbers
    state: Numbers
    #: Whoever was named, and who owes it therefore.
    named: Numbers
    owner: Numbers
    named_by: Numbers
    counterpart: Numbers

    @property
    def kinds(self) -> list[str]:
        """The names of the kinds."""
        return self.rules.kind_names

    @property
    def topics(self) -> Any:
        """What tells several of a lane apart: the fact's topic, its source, or nothing, which is an empty text."""
        return _topics(self.story, self.topic)

    @cached_property
    def order(self) -> Numbers:
        """The number of the order."""
        order: Numbers = self.story.order[self.place]
        return order

    @property
    def accountable(self) -> Numbers:
        """Who answers to the customer."""
        return self.agreed.party[self.order]

    @property
    def category(self) -> Numbers:
        """Of the product, as a topic."""
        places = self.agreed.category[self.order]
        return np.where(places >= 0, self.story.topic[places], -1) if self.story.count else places

    @property
    def urgency(self) -> Numbers:
        """Of the order, as a word."""
        places = self.agreed.urgency[self.order]
        return np.where(places >= 0, self.story.word[places], -1) if self.story.count else places

    @property
    def is_open(self) -> Flags:
        """Whether it is still owed."""
        is_open: Flags = self.state == OPEN
        return is_open

    def of_kinds(self, kinds: Collection[str]) -> Flags:
        """Whether it is of any of those kinds."""
        return np.array([kind in kinds for kind in self.kinds], np.bool_)[self.kind]

    def only(self, rows: Flags) -> Expected:
        """Those rows."""
        columns = ("place", "ended", "kind", "lane", "topic", "state", "named", "owner", "named_by", "counterpart")
        return Expected(self.story, self.agreed, self.rules, *(getattr(self, column)[rows] for column in columns))

    @cached_property
    def waits_for_customer(self) -> Flags:
        """Whether its time stands still while the chain waits for her."""
        _, _, waits = self.rules.flags_of_kinds
        waiting: Flags = waits[self.kind] & (self.lane >= 0)
        return waiting

    @cached_property
    def rows(self) -> pa.Table:
        """The table `expected`."""
        story, place, order = self.story, self.place, self.order
        return pa.table(
            {
                "first_position": pa.array(story.first_position[order]),
                "position": pa.array(story.position[place]),
                "place": pa.array(place),
                "lane": chosen(self.rules.lane_names, self.lane),
                "topic": self.topics,
                "kind": chosen(self.kinds, self.kind),
                "named": story.persons(self.named),
                "owner": story.persons(self.owner),
                "accountable": story.persons(self.accountable),
                "counterpart": story.persons(self.counterpart),
                "opened_at": story.moments(place),
                "by_when": story.values("by_when", place),
                "named_by": story.persons(self.named_by),
                "waits_for_customer": pa.array(self.waits_for_customer),
                "end_place": pa.array(self.ended, pa.int64(), mask=self.ended < 0),
                "ended_at": story.moments(self.ended),
                "state": chosen(STATES, self.state),
                "customer": story.values("name", self.agreed.customer[order]),
            }
        )


@dataclass(frozen=True)
class Restated:
    """Dates that were named for what is owed after it was opened, as numbers like those of ``Expected``."""

    story: Story
    rules: Rules
    place: Numbers
    lane: Numbers
    topic: Numbers
    about: Numbers

    @property
    def rows(self) -> pa.Table:
        """The table `restated`."""
        story, place = self.story, self.place
        # What is promised in so many words is of no lane.
        topics = _topics(story, self.topic).dictionary_decode()
        return pa.table(
            {
                "first_position": pa.array(story.first_position[story.order[place]]),
                "place": pa.array(place),
                "lane": chosen(self.rules.lane_names, self.lane),
                "topic": pc.if_else(pa.array(self.lane >= 0), topics, pa.scalar(None, pa.string())),
                "source": story.persons(story.source[place]),
                "occurred_at": story.moments(place),
                "by_when": story.values("by_when", place),
                "about": chosen(story.words, self.about),
            }
        )


def _topics(story: Story, numbers: Numbers) -> Any:
    names: Any = pa.concat_arrays([story.topics, story.people, pa.array([""])])
    return chosen(names, np.where(numbers >= 0, numbers, len(names) - 1))


class _Facts:
    """How things stood at each place of the story."""

    def __init__(self, story: Story, agreed: Agreed, handoffs: Handoffs) -> None:
        self.story, self.agreed, self.handoffs = story, agreed, handoffs
        self.accountable = agreed.party[story.order]
        self.has_customer = (agreed.customer >= 0)[story.order]
        self.travels = (story.count_of_each(handoffs.place) > 0)[story.order]
        #: Where a unit goes whose place another one has taken nothing is owed but the receipt.
        self.gone = custody.moves_of_replaced_units(story)
        had = story.last(custody.without(self.gone, story.places("order.opened", "item.received")))
        self.holder: Numbers = np.where(had >= 0, story.source[had], -1) if story.count else had
        self.own = story.source == self.accountable
        self.home = (self.holder == self.accountable) & (self.holder >= 0)
        self.done = self.last(*_DONE) > self.last(*_TO_DO)
        self.mended = self.last(*_MENDED) > self.last("order.opened", "order.reopened")
        self.closed = self.last("order.closed") > self.last("order.opened", "order.reopened")
        sent = story.places("message.sent")
        dated, last_words = sent[story.dated[sent]], sent[~story.dated[sent]]
        promising = np.concatenate([dated, story.places("order.opened", "order.reopened")])
        self.more = story.last(promising) >= story.last(last_words)
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
    #: The number of the lane of its order, of what it is about.
    lane: Numbers
    topic: Numbers
    #: The number of the kind, or -1.
    expects: Numbers
    owner: Numbers

    def same_lane(self, chosen: Numbers) -> Flags:
        """Of ``chosen`` rows, which are in the lane of the one before."""
        same, lane = np.zeros(len(chosen), np.bool_), self.lane[chosen]
        same[1:] = lane[1:] == lane[:-1]
        return same


def _said(facts: _Facts, rules: Rules) -> _Said:
    story = facts.story
    spoken = {lane: story.places(*facts_of_it) for lane, facts_of_it in _RARE.items()}
    ever = {lane: story.last(places) >= 0 for lane, places in spoken.items() if len(places)}
    numbers: list[int] = []
    places: list[Numbers] = [np.zeros(0, np.int64)]
    for fact in story.facts:
        rows = custody.without(facts.gone, story.places(fact))
        for number, each in rules.of_fact.get(fact, ()) if len(rows) else ():
            if each.lane not in _RARE or each.lane in ever:
                numbers.append(number)
                places.append(rows[_applies(each, rows, facts, ever)])
    place = np.concatenate(places)
    rule = np.repeat(np.array(numbers, np.int64), [len(rows) for rows in places[1:]])
    topics = len(story.topics) + len(story.people) + 1
    topic = first_that_is(
        -1,
        (rules.by_topic[rule], story.topic[place]),
        (rules.by_source[rule], story.source[place] + len(story.topics)),
    )
    lane = (story.order[place] * len(rules.lanes) + rules.lane_numbers[rule]) * topics + topic
    expects = np.where(facts.closed[place] & ~rules.open_ended[rule], -1, rules.expects[rule])
    columns = (place, rule, lane, topic, expects, _owners(facts, place, rules.owners[rule]))
    order = np.lexsort((place, lane))
    return _Said(*(column[order] for column in columns))


def _applies(rule: Lane, rows: Numbers, facts: _Facts, ever: dict[str, Flags]) -> Flags:
    """On which of ``rows`` all that the rule asks for is so."""
    story = facts.story
    so = np.ones(len(rows), np.bool_)
    if rule.word is not None:
        so &= story.word[rows] == story.word_code(rule.word)
    if rule.role is not None:
        so &= story.are(rule.role)[story.source[rows]]
    for name, wanted in rule.asked:
        so &= getattr(facts, name)[rows] == wanted
    if rule.lane in ever:
        so &= ever[rule.lane][rows]
    if rule.lane in _TO_A_CUSTOMER:
        so &= facts.has_customer[rows]
    return so


def _owners(facts: _Facts, place: Numbers, owner: Numbers) -> Numbers:
    """Who owes it, as numbers in ``people``; -1 for nobody. ``owner`` is the rule's, as a number in _OWNERS."""
    story = facts.story
    source, accountable, holder, party = (
        story.source[place],
        facts.accountable[place],
        facts.holder[place],
        story.party[place],
    )
    found: Numbers = first_that_is(
        -1,
        (owner == _OWNERS.index("source"), source),
        (owner == _OWNERS.index("holder"), np.where(holder >= 0, holder, source)),
        (owner == _OWNERS.index("accountable"), accountable),
        (owner == _OWNERS.index("customer"), story.customer),
        (owner == _OWNERS.index("party"), np.where(party >= 0, party, accountable)),
    )
    return found


def _goes_on(facts: _Facts, said: _Said, rules: Rules) -> Flags:
    """What only says again what was expected anyway, unless the order was closed in between."""
    goes_on: Flags = said.same_lane(np.arange(len(said.place))) & rules.goes_on[said.rule] & (said.expects >= 0)
    for column in (said.expects, said.owner):
        goes_on[1:] &= column[1:] == column[:-1]
    ended = facts.order_ends[said.place]
    goes_on[1:] &= rules.open_ended[said.rule[1:]] | (ended[:-1] > said.place[1:])
    return goes_on


def _expected(facts: _Facts, said: _Said, kept: Flags, rules: Rules) -> Expected:
    """Everything that was expected, receipts of what was handed over last: who owed it since when, and the fact that
    ended it."""
    story, handoffs = facts.story, facts.handoffs
    turns = np.flatnonzero(kept)
    has_next = np.append(said.same_lane(turns)[1:], False) if len(turns) else np.zeros(0, np.bool_)
    following = np.append(turns[1:], 0)[: len(turns)]
    opening = (said.expects[turns] >= 0) & (said.owner[turns] >= 0)
    turns, has_next, following = turns[opening], has_next[opening], following[opening]

    kinds = rules.kind_names
    kind, place, owner = said.expects[turns], said.place[turns], said.owner[turns]
    ends_with_order, ends_with_repair, _ = (flags[kind] for flags in rules.flags_of_kinds)
    ends_with_order |= (kind == kinds.index("answer")) & ~_is_to_her(story, rules, said.rule[turns], place, owner)
    never = story.count
    next_place = np.where(has_next, said.place[following], never)
    ends = np.minimum(next_place, np.where(ends_with_order, facts.order_ends[place], never))
    ends = np.minimum(ends, np.where(ends_with_repair, facts.repair_ends[place], never))
    # Met, if the word that ended it is one that meets this; of the work, if its owner said it.
    is_met = has_next & (ends == next_place) & rules.meets[said.rule[following], kind]
    is_met &= ~rules.is_work[said.rule[turns]] | (story.source[said.place[following]] == owner)
    ended = np.where(ends < never, ends, -1)
    state = np.where(is_met, MET, np.where(ended < 0, OPEN, CANCELLED))
    # Our own word of the next news is the promise of the party that it speaks for.
    named_by = np.where(kind == kinds.index("update"), owner, story.source[place])

    handed = handoffs.place
    nothing = np.full(len(handed), -1)
    place = np.concatenate([place, handed])
    kind = np.concatenate([kind, np.full(len(handed), kinds.index("receive"))])
    owner = np.concatenate([owner, story.party[handed]])
    named_by = np.concatenate([named_by, story.source[handed]])
    # Whoever was named and is nobody owes nothing: then it is the accountable party's.
    accountable = facts.agreed.party[story.order[place]]
    instead = np.where(accountable >= 0, accountable, named_by)
    return Expected(
        story=story,
        agreed=facts.agreed,
        rules=rules,
        place=place,
        ended=np.concatenate([ended, handoffs.settled]),
        kind=kind,
        lane=np.concatenate([said.rule[turns], nothing]),
        topic=np.concatenate([said.topic[turns], nothing]),
        state=np.concatenate([state, _STATE_OF_HANDOFF[handoffs.state]]),
        named=owner,
        owner=np.where(_is_nobody(story, kinds, kind, owner), instead, owner),
        named_by=named_by,
        counterpart=np.concatenate([np.full(len(turns), -1), story.source[handed]]),
    )


def _is_to_her(story: Story, rules: Rules, rule: Numbers, place: Numbers, owner: Numbers) -> Flags:
    """Which answers are owed to her, whoever put her question down: what the chain asks needs none after the end."""
    asker = story.source[place]
    complaints = np.array([each.lane == "complaint" for each in rules.lanes])[rule]
    to_her: Flags = complaints | (asker == owner) | story.are(CUSTOMER)[asker]
    return to_her


def _is_nobody(story: Story, kinds: list[str], kind: Numbers, owner: Numbers) -> Flags:
    """Where somebody was named who is no party."""
    nobody = np.zeros(len(kind), np.bool_)
    rows = np.flatnonzero(np.array([name in _OWED_BY_ANYBODY for name in kinds], np.bool_)[kind])
    for code in np.unique(owner[rows]).tolist():
        name = str(story.people[code])
        if name != CUSTOMER and (_PARTY.fullmatch(name) is None or name != name.strip(" ")):
            nobody[rows[owner[rows] == code]] = True
    return nobody


def _restated(facts: _Facts, said: _Said, goes_on: Flags, rules: Rules) -> Restated:
    """Dates that were named after it was opened: said with what was expected anyway, or promised in so many words."""
    story = facts.story
    again = np.flatnonzero(goes_on & story.dated[said.place])
    promises = story.places(*_PROMISES)
    nothing = np.full(len(promises), -1)
    return Restated(
        story=story,
        rules=rules,
        place=np.concatenate([said.place[again], promises]),
        lane=np.concatenate([said.rule[again], nothing]),
        topic=np.concatenate([said.topic[again], nothing]),
        about=np.concatenate([np.full(len(again), -1), story.word[promises]]),
    )
