"""How things stood at each place of the story: who had the item, whether the work on it was done, and the like."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np

from projections import custody
from projections.agreed import Agreed
from projections.story import Flags, Numbers, Story

_MENDED: Final = ("repair.completed", "unit.replaced")
_FINISHED: Final = (*_MENDED, "repair.failed")
#: After these the work is done, and after those it is to do.
DONE: Final = (*_FINISHED, "quote.declined")
_GIVEN_UP: Final = frozenset({"cancelled", "declined", "unrepairable"})
TO_DO: Final = (
    "order.opened",
    "order.reopened",
    "diagnosis.made",
    "quote.offered",
    "quote.accepted",
    "repair.started",
)


class Circumstances:
    """By place. What a rule asks for (rules.py) has the name that it has there."""

    def __init__(self, story: Story, agreed: Agreed) -> None:
        self.story = story
        self.accountable = agreed.party[story.order]
        self.has_customer = (agreed.customer >= 0)[story.order]
        self.travels = (story.count_of_each(story.places("item.handed_over")) > 0)[story.order]
        #: Where a unit goes whose place another one has taken nothing is owed but the receipt.
        self.gone = custody.moves_of_replaced_units(story)
        had = story.last(custody.without(self.gone, story.places("order.opened", "item.received")))
        self.holder: Numbers = np.where(had >= 0, story.source[had], -1) if story.count else had
        self.own = story.source == self.accountable
        self.home = (self.holder == self.accountable) & (self.holder >= 0)
        self.done = self.last(*DONE) > self.last(*TO_DO)
        self.mended = self.last(*_MENDED) > self.last("order.opened", "order.reopened")
        self.close = self.last("order.closed")
        self.closed = self.close > self.last("order.opened", "order.reopened")
        sent = story.places("message.sent")
        dated, last_words = sent[story.dated[sent]], sent[~story.dated[sent]]
        promising = np.concatenate([dated, story.places("order.opened", "order.reopened")])
        self.more = story.last(promising) >= story.last(last_words)
        self.order_ends = story.next(story.places("order.closed"))
        self.repair_ends = story.next(story.places(*_FINISHED))

    @cached_property
    def stays(self) -> Flags:
        """Whether it is mended where she has it."""
        stays: Flags = self.story.last(custody.at_her_home(self.story)) >= 0
        return stays

    @cached_property
    def givings_up(self) -> Numbers:
        """Where the order was closed without anything having come of it: the thing is to go home as it is."""
        closes = self.story.places("order.closed")
        words = [code for code, word in enumerate(self.story.words) if word in _GIVEN_UP] if len(closes) else []
        return closes[np.isin(self.story.word[closes], words)] if words else closes[:0]

    @cached_property
    def given_up(self) -> Flags:
        """Whether it is closed that way."""
        is_so = np.zeros(self.story.count, np.bool_)
        is_so[self.givings_up] = True
        given_up: Flags = self.closed & is_so[self.close]
        return given_up

    @cached_property
    def _move(self) -> Numbers:
        """The last fact that says who has it, or to whom it goes."""
        return self.story.last(custody.without(self.gone, self.story.places("order.opened", *custody.MOVES)))

    @cached_property
    def keeper(self) -> Numbers:
        """Who has it or, if it is on its way, to whom it goes, also if that is she."""
        story = self.story
        move = self._move
        went, back = (story.places(f"item.{name}") for name in ("handed_over", "returned"))
        keeper = story.source.copy()
        keeper[went], keeper[back] = story.party[went], story.customer
        return np.where(move >= 0, keeper[move], -1)

    @cached_property
    def away(self) -> Flags:
        """Whether that is neither she nor the party that answers to her."""
        keeper = self.keeper
        away: Flags = (keeper >= 0) & (keeper != self.story.customer) & (keeper != self.accountable)
        return away

    @cached_property
    def coming(self) -> Flags:
        """Whether it is on its way to that party."""
        coming: Flags = np.isin(self._move, self.story.places("item.handed_over")) & (self.keeper == self.accountable)
        return coming

    def last(self, *names: str) -> Numbers:
        """For each place, the last of these facts up to it, in its order; -1 if there is none."""
        return self.story.last(self.story.places(*names))
