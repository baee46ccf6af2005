"""What each order of a story was agreed to be. Of several openings the first to say a thing is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from projections.story import Flags, Numbers, Story, at


@dataclass(frozen=True)
class Agreed:
    """What each order of a story was agreed to be, as places: of the first opening that names it, or -1."""

    opened: Numbers
    accountable: Numbers
    customer: Numbers
    urgency: Numbers
    category: Numbers
    #: Who answers to the customer, as a number in the story's people; -1 for nobody.
    party: Numbers

    def of(self, orders: Numbers) -> Agreed:
        """What was agreed of those orders, by number. The places are still those of the whole story."""
        return Agreed(*(column[orders] for column in vars(self).values()))


def agreed_in(story: Story) -> Agreed:
    """What the openings say."""
    opened = story.places("order.opened")

    def first(says: Flags) -> Numbers:
        return story.believed_of_each(opened[says])

    by = story.believed_of_each(opened)
    accountable = first(story.party[opened] >= 0)
    source = np.where(by >= 0, at(story.source, by), -1)
    return Agreed(
        opened=by,
        accountable=accountable,
        customer=first(story.said("name", opened)),
        urgency=first(story.word[opened] >= 0),
        category=first(story.topic[opened] >= 0),
        party=np.where(accountable >= 0, at(story.party, accountable), source),
    )
