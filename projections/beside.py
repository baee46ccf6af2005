"""What is not done in SQL between two models: facts go out as arrays, tables come back that the models read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from projections import custody, marks, matching
from projections.book import Book
from projections.custody import Handoffs
from projections.kept import Difference, Kept, made_commitments, made_handoffs
from projections.matching import Expected, Restated, Rules
from projections.owing import terms_beside
from projections.standstill import WAITED_FOR
from projections.story import Flags, Story

#: The columns of `facts` that a story is made of, and whether all of them count.
STORY: Final = (
    "SELECT position, first_position, fact_key, occurred_at, fact, source, party, word, name, topic, by_when, "
    "serial, brand, model, fault_text, aside FROM facts"
)
#: Facts that say something of what is owed.
_NOTES: Final = ("commitment.overdue", "commitment.nudged", "commitment.withdrawn")
#: Kinds that may be told elsewhere.
_TOLD_ELSEWHERE: Final = ("promise",)


class Beside:
    """What is made of the facts of some orders beside SQL: tables by name, which the models read or are.

    ``idle`` are the models that can have no rows, whatever their SQL. With ``kept``, of which the orders that begin at
    ``touched`` are, rows are left out that are stored as they are; ``written`` says of which models what is left.
    """

    def __init__(self, facts: pa.Table, rules: Rules, kept: Kept | None = None, touched: Sequence[int] = ()) -> None:
        story = Story(facts)
        handoffs, agreed = custody.handoffs_of(story), marks.agreed_in(story)
        expected, restated = matching.match(story, agreed, handoffs, rules)
        self.written: dict[str, Difference] = {}
        if kept is not None:
            self.written = _compared(kept, touched, story, handoffs, expected, restated)
            handed = handoffs.only(self.written["handoffs"].fresh)
            expected = expected.only(self.written["commitments"].fresh)
        else:
            handed = handoffs
        self._expected = expected
        self.tables = {
            "handoffs": custody.as_arrow(story, handed),
            "marks": marks.marks_of(story, agreed, handoffs, rules.statuses),
            "expected": expected.rows,
            "restated": restated.rows,
        }
        has_rows = {
            "promised": len(restated.place) > 0,
            "noted": len(story.places(*_NOTES)) > 0,
            "told_elsewhere": bool(expected.of_kinds(_TOLD_ELSEWHERE).any()),
        }
        self.idle = frozenset(model for model, has in has_rows.items() if not has)

    def terms(self, book: Book, parts: Mapping[str, pa.Table]) -> pa.Table:
        """The table `terms`, given the rows of the models `promised` and `noted`."""
        return terms_beside(book, self._expected, parts)


def learn(kept: Kept, orders: Sequence[int], facts: pa.Table, rules: Rules) -> None:
    """Have it known to ``kept`` what is stored of the orders that begin there; all their facts that count are given."""
    story = Story(facts)
    handoffs, agreed = custody.handoffs_of(story), marks.agreed_in(story)
    expected, restated = matching.match(story, agreed, handoffs, rules)
    for model, found in _compared(kept, orders, story, handoffs, expected, restated).items():
        kept.remember(model, orders, found)


def _compared(
    kept: Kept, orders: Sequence[int], story: Story, handoffs: Handoffs, expected: Expected, restated: Restated
) -> dict[str, Difference]:
    told_apart = _told_apart(story, expected, restated)
    return {
        "handoffs": kept.compare("handoffs", orders, story, made_handoffs(story, handoffs)),
        "commitments": kept.compare("commitments", orders, story, made_commitments(story, expected, told_apart)),
    }


def _told_apart(story: Story, expected: Expected, restated: Restated) -> Flags:
    """The orders, by number, of which the models `promised`, `noted` and `told_elsewhere` may have rows, or in which
    others may be waited for: there a commitment does not follow from its row of `expected` alone."""
    told = np.zeros(story.orders, np.bool_)
    told[expected.order[expected.of_kinds((*WAITED_FOR, *_TOLD_ELSEWHERE))]] = True
    told[story.order[np.concatenate([restated.place, story.places(*_NOTES)])]] = True
    return told
