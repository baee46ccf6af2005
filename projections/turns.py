"""What facts say in lanes, turn by turn: what each word opens, and what becomes of it with the next.

Each fact speaks in one or more lanes, and in a lane the next word ends what was expected before. That is a look at the
neighbouring row once the rows are in order, so it is done on whole columns as arrays; SQL window functions over as many
rows and columns take several times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from projections import custody
from projections.circumstances import Circumstances
from projections.expected import CANCELLED, MET, OPEN
from projections.rules import OWNERS, Lane, Rules
from projections.story import CUSTOMER, Flags, Numbers, Story, first_that_is

#: These matter only where something of the kind was ever said of the order.
_RARE: Final = {
    "pause": ("work.paused",),
    "promise": ("promise.made",),
    "complaint": ("feedback.given",),
    "call": ("message.failed", "message.unknown"),
    "home": (),  # see below
}
_TO_A_CUSTOMER: Final = frozenset({"update", "check", "call"})


@dataclass(frozen=True)
class Opened:
    """What was opened, row by row, as numbers (see ``Expected``, which has more)."""

    place: Numbers
    #: Where it ended.
    ended: Numbers
    kind: Numbers
    #: The rule that it was opened by.
    rule: Numbers
    topic: Numbers
    state: Numbers
    owner: Numbers
    named_by: Numbers

    def and_then(self, more: Opened) -> Opened:
        """These rows and ``more``."""
        return Opened(*(np.concatenate([getattr(each, name) for each in (self, more)]) for name in vars(self)))


@dataclass(frozen=True)
class SaidAgain:
    """What only says again what was expected anyway, with a date: where it is said, where that was opened, and its
    kind."""

    place: Numbers
    opened: Numbers
    kind: Numbers

    def and_then(self, more: SaidAgain) -> SaidAgain:
        """These rows and ``more``."""
        return SaidAgain(*(np.concatenate([getattr(each, name) for each in (self, more)]) for name in vars(self)))


@dataclass(frozen=True)
class Said:
    """What facts say in lanes, lane by lane in order: the rows of facts and rules, and what comes of both."""

    place: Numbers
    rule: Numbers
    #: The number of the lane of its order, of what it is about.
    lane: Numbers
    topic: Numbers
    #: The number of the kind, or -1.
    expects: Numbers
    owner: Numbers

    def without(self, rows: Flags) -> Said:
        """But for those rows."""
        return Said(*(column[~rows] for column in vars(self).values()))

    def same_lane(self, chosen: Numbers) -> Flags:
        """Of ``chosen`` rows, which are in the lane of the one before."""
        same, lane = np.zeros(len(chosen), np.bool_), self.lane[chosen]
        same[1:] = lane[1:] == lane[:-1]
        return same


def said_in(facts: Circumstances, rules: Rules) -> Said:
    """What the facts say."""
    story = facts.story
    spoken = {lane: story.places(*facts_of_it) for lane, facts_of_it in _RARE.items()}
    ever = {lane: story.last(places) >= 0 for lane, places in spoken.items() if len(places)}
    if len(facts.givings_up):
        ever["home"] = story.last(facts.givings_up) >= 0
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
    owner = _owners(facts, place, rules.owners[rule])
    silent = facts.closed[place] & ~rules.open_ended[rule]
    if "home" in ever:
        silent |= rules.is_home[rule] & ~facts.given_up[place]
        owner = np.where(rules.owners[rule] == OWNERS.index("keeper"), facts.keeper[place], owner)
    expects = np.where(silent, -1, rules.expects[rule])
    columns = (place, rule, lane, topic, expects, owner)
    order = np.lexsort((place, lane))
    return Said(*(column[order] for column in columns))


def _applies(rule: Lane, rows: Numbers, facts: Circumstances, ever: dict[str, Flags]) -> Flags:
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


def _owners(facts: Circumstances, place: Numbers, owner: Numbers) -> Numbers:
    """Who owes it, as numbers in ``people``; -1 for nobody, and for the keeper, whom few rules name. ``owner`` is the
    rule's, as a number in OWNERS."""
    story = facts.story
    source, accountable, holder, party = (
        story.source[place],
        facts.accountable[place],
        facts.holder[place],
        story.party[place],
    )
    found: Numbers = first_that_is(
        -1,
        (owner == OWNERS.index("source"), source),
        (owner == OWNERS.index("holder"), np.where(holder >= 0, holder, source)),
        (owner == OWNERS.index("accountable"), accountable),
        (owner == OWNERS.index("customer"), story.customer),
        (owner == OWNERS.index("party"), np.where(party >= 0, party, accountable)),
    )
    return found


def goes_on_in(facts: Circumstances, said: Said, rules: Rules) -> Flags:
    """What only says again what was expected anyway, unless the order was closed in between."""
    goes_on: Flags = said.same_lane(np.arange(len(said.place))) & rules.goes_on[said.rule] & (said.expects >= 0)
    for column in (said.expects, said.owner):
        goes_on[1:] &= column[1:] == column[:-1]
    ended = facts.order_ends[said.place]
    goes_on[1:] &= rules.open_ended[said.rule[1:]] | (ended[:-1] > said.place[1:])
    return goes_on


def opened_by(facts: Circumstances, said: Said, kept: Flags, rules: Rules) -> Opened:
    """All that was expected: who owed it since when, and the fact that ended it."""
    story = facts.story
    turns = np.flatnonzero(kept)
    has_next = np.append(said.same_lane(turns)[1:], False) if len(turns) else np.zeros(0, np.bool_)
    following = np.append(turns[1:], 0)[: len(turns)]
    opening = (said.expects[turns] >= 0) & (said.owner[turns] >= 0)
    turns, has_next, following = turns[opening], has_next[opening], following[opening]

    kinds = rules.kind_names
    kind, place, owner = said.expects[turns], said.place[turns], said.owner[turns]
    ends_with_order, ends_with_repair = rules.ends_with_order[said.rule[turns]], rules.ends_with_repair[kind]
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
    rule, topic = said.rule[turns], said.topic[turns]
    return Opened(place, ended, kind, rule, topic, state, owner, named_by)


def said_again(facts: Circumstances, said: Said, goes_on: Flags) -> SaidAgain:
    """The dates that were said with what was expected anyway."""
    again = np.flatnonzero(goes_on & facts.story.dated[said.place])
    if not len(again):
        return SaidAgain(again, again, again)
    turns = np.flatnonzero(~goes_on)
    turn = turns[np.searchsorted(turns, again) - 1]
    return SaidAgain(said.place[again], said.place[turn], said.expects[again])


def _is_to_her(story: Story, rules: Rules, rule: Numbers, place: Numbers, owner: Numbers) -> Flags:
    """Which answers are owed to her, whoever put her question down: what the chain asks needs none after the end."""
    asker = story.source[place]
    complaints = np.array([each.lane == "complaint" for each in rules.lanes])[rule]
    to_her: Flags = complaints | (asker == owner) | story.are(CUSTOMER)[asker]
    return to_her
