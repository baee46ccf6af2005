"""What is owed of each of several things in an order: in some lanes each goes its own way, as if it were an order.

A fact that opens the same of several things at once opens one commitment. It is open as long as it is owed of any of
them, and became what it became of the last.
"""

from __future__ import annotations

import numpy as np

from projections.agreed import Agreed
from projections.circumstances import Circumstances
from projections.expected import MET
from projections.rules import Rules
from projections.story import Flags, Numbers, Story
from projections.things import Things
from projections.turns import Opened, Said, SaidAgain, goes_on_in, opened_by, said_again, said_in


def apart(story: Story, agreed: Agreed, things: Things, rules: Rules) -> tuple[Opened, SaidAgain]:
    """What was opened, and said again with a date, of each of the things."""
    told = story.excerpt(things.place, things.thing)
    facts = Circumstances(told, agreed.of(story.order[things.place[told.starts]]))
    said = said_in(facts, rules)
    said = said.without(~rules.is_of_things[said.rule])
    spoken_for = np.bincount(things.place, minlength=story.count)[things.place]
    goes_on = _without_dates_of_one(told, said, goes_on_in(facts, said, rules), spoken_for)
    opened, again = opened_by(facts, said, ~goes_on, rules), said_again(facts, said, goes_on)
    return _together(story, things, opened), _once(things, again)


def _without_dates_of_one(told: Story, said: Said, goes_on: Flags, spoken_for: Numbers) -> Flags:
    """``goes_on``, but for a date that is named for one of several things of which the same was expected: from then on
    it is owed of that one by itself."""
    turn = 0
    for row in np.arange(len(goes_on)).tolist():
        place = said.place[row]
        if goes_on[row] and told.dated[place] and spoken_for[place] == 1 and spoken_for[said.place[turn]] > 1:
            goes_on[row] = False
        if not goes_on[row]:
            turn = row
    return goes_on


def _together(story: Story, things: Things, opened: Opened) -> Opened:
    """As one what a fact opened of several things, with the place that it has in the story.

    If it is owed, or was, of a single thing, its topic is that one, unless it has another. Where different parties owe
    it of different things, it is the first one's until that one has done its part.
    """
    place, thing = things.place[opened.place], things.thing[opened.place]
    ended = np.where(opened.ended >= 0, things.place[opened.ended], -1)
    is_open = ended < 0
    # Of each commitment first what decides: what is owed still, or what ended last, and was met rather than not.
    row = np.lexsort((thing, opened.state != MET, -ended, ~is_open, opened.kind, place))
    key = np.stack([place[row], opened.kind[row]])
    starts = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0))) if len(row) else row
    counted = is_open[row] | ~np.repeat(is_open[row[starts]], np.diff(np.append(starts, len(row))))
    alone = np.add.reduceat(counted, starts, dtype=np.int64) == 1 if len(row) else is_open
    first = row[starts]
    of_thing = thing[first] + len(story.topics) + len(story.people)
    return Opened(
        place=place[first],
        ended=ended[first],
        kind=opened.kind[first],
        rule=opened.rule[first],
        topic=np.where(alone & (opened.topic[first] < 0), of_thing, opened.topic[first]),
        state=opened.state[first],
        owner=opened.owner[first],
        named_by=opened.named_by[first],
    )


def _once(things: Things, again: SaidAgain) -> SaidAgain:
    """Once what was said again of several things, with the places that it has in the story."""
    columns = np.stack([things.place[again.place], things.place[again.opened], again.kind])
    place, opened, kind = np.unique(columns, axis=1)
    return SaidAgain(place, opened, kind)
