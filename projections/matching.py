"""What is owed, and what became of it: `expected` and `restated`, made of a story by the rules in lanes.sql."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from projections import custody
from projections.agreed import Agreed
from projections.circumstances import Circumstances
from projections.custody import Handoffs
from projections.expected import CANCELLED, MET, OPEN, Expected, Restated
from projections.rules import Rules
from projections.story import CUSTOMER, Flags, Numbers, Story
from projections.things import NO_THINGS, things_in
from projections.turns import Opened, SaidAgain, goes_on_in, opened_by, said_again, said_in
from projections.turns_of_things import apart

#: Whoever is named is asked to; it need not be anybody that there is.
_OWED_BY_ANYBODY: Final = frozenset({"answer", "cover"})
_PARTY: Final = re.compile(r"(?:retailer|importer|repairer|customer|chain):[^\x00-\x1f\x7f]{1,120}")

#: What became of what is to be received, by what became of the handover (see custody.py).
_STATE_OF_HANDOFF: Final = np.array([{"received": MET, "open": OPEN}.get(state, CANCELLED) for state in custody.STATES])

_PROMISES: Final = ("promise.made", "promise.moved")


def match(story: Story, agreed: Agreed, handoffs: Handoffs, rules: Rules) -> tuple[Expected, Restated]:
    """Everything that was opened, with when and how it ended, and the dates that were named for it afterwards."""
    facts, things = Circumstances(story, agreed), things_in(story, rules.facts_of_things)
    said = said_in(facts, rules)
    if things is not None:
        said = said.without(things.orders[story.order[said.place]] & rules.is_of_things[said.rule])
    goes_on = goes_on_in(facts, said, rules)
    opened, again = opened_by(facts, said, ~goes_on, rules), said_again(facts, said, goes_on)
    if things is not None:
        of_things, again_of_things = apart(story, agreed, things, rules)
        opened, again = opened.and_then(of_things), again.and_then(again_of_things)
    names = things.names if things is not None else NO_THINGS
    return _expected(story, agreed, handoffs, rules, opened, names), _restated(story, rules, again)


def _expected(story: Story, agreed: Agreed, handoffs: Handoffs, rules: Rules, opened: Opened, things: Any) -> Expected:
    """What was opened, and last the receipts of what was handed over."""
    kinds, handed = rules.kind_names, handoffs.place
    nothing = np.full(len(handed), -1)
    place = np.concatenate([opened.place, handed])
    kind = np.concatenate([opened.kind, np.full(len(handed), kinds.index("receive"))])
    owner = np.concatenate([opened.owner, story.party[handed]])
    named_by = np.concatenate([opened.named_by, story.source[handed]])
    # Whoever was named and is nobody owes nothing: then it is the accountable party's.
    accountable = agreed.party[story.order[place]]
    instead = np.where(accountable >= 0, accountable, named_by)
    return Expected(
        story=story,
        agreed=agreed,
        rules=rules,
        things=things,
        place=place,
        ended=np.concatenate([opened.ended, handoffs.settled]),
        kind=kind,
        lane=np.concatenate([opened.rule, nothing]),
        topic=np.concatenate([opened.topic, nothing]),
        state=np.concatenate([opened.state, _STATE_OF_HANDOFF[handoffs.state]]),
        named=owner,
        owner=np.where(_is_nobody(story, kinds, kind, owner), instead, owner),
        named_by=named_by,
        counterpart=np.concatenate([np.full(len(opened.place), -1), story.source[handed]]),
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


def _restated(story: Story, rules: Rules, again: SaidAgain) -> Restated:
    """Dates that were named after it was opened: said with what was expected anyway, or promised in so many words."""
    promises = story.places(*_PROMISES)
    nothing = np.full(len(promises), -1)
    return Restated(
        story=story,
        rules=rules,
        place=np.concatenate([again.place, promises]),
        opened=np.concatenate([again.opened, nothing]),
        kind=np.concatenate([again.kind, nothing]),
        about=np.concatenate([np.full(len(again.place), -1), story.word[promises]]),
    )
