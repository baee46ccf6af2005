"""What is owed, row by row, and the dates that were named for it afterwards: what matching.py makes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from projections.agreed import Agreed
from projections.rules import Rules
from projections.story import Flags, Numbers, Story, chosen

STATES: Final = ("met", "open", "cancelled")
MET, OPEN, CANCELLED = range(3)


@dataclass(frozen=True)
class Expected:
    """What is owed, row by row, as numbers: places of the story, and numbers of its people, words and topics, of rules
    and of kinds; -1 is nothing."""

    story: Story
    agreed: Agreed
    rules: Rules
    #: What the things in those orders are called that have several.
    things: Any
    place: Numbers
    #: Where it ended.
    ended: Numbers
    kind: Numbers
    #: The rule that it was opened by.
    lane: Numbers
    #: See ``topics``.
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
        """What tells several of a lane apart: the fact's topic, its source, one of several things, or nothing, which is
        an empty text."""
        names: Any = pa.concat_arrays([self.story.topics, self.story.people, self.things, pa.array([""])])
        return chosen(names, np.where(self.topic >= 0, self.topic, len(names) - 1))

    @cached_property
    def thing(self) -> Numbers:
        """The one of several things that it is owed of, as a topic; -1 for all, or where there is only one."""
        return np.where(self.topic >= len(self.story.topics) + len(self.story.people), self.topic, -1)

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
        return Expected(
            self.story, self.agreed, self.rules, self.things, *(getattr(self, column)[rows] for column in columns)
        )

    @cached_property
    def waits_for_customer(self) -> Flags:
        """Whether its time stands still while the chain waits for her."""
        waiting: Flags = self.rules.waits_for_customer[self.kind] & (self.lane >= 0)
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
    #: Where that was opened, and its kind, or -1: what is promised in so many words may be about anything.
    opened: Numbers
    kind: Numbers
    about: Numbers

    @property
    def rows(self) -> pa.Table:
        """The table `restated`."""
        story, place = self.story, self.place
        return pa.table(
            {
                "first_position": pa.array(story.first_position[story.order[place]]),
                "place": pa.array(place),
                "opened": pa.array(self.opened, pa.int64(), mask=self.opened < 0),
                "kind": chosen(self.rules.kind_names, self.kind),
                "source": story.persons(story.source[place]),
                "occurred_at": story.moments(place),
                "by_when": story.values("by_when", place),
                "about": chosen(story.words, self.about),
            }
        )
