"""What is not done in SQL between two models: facts go out as arrays, tables come back that the models read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from projections import custody, marks, matching
from projections.book import Book
from projections.matching import Rules
from projections.owing import terms_beside
from projections.story import Story

#: The columns of `facts` that a story is made of, and whether all of them count.
STORY: Final = (
    "SELECT position, first_position, fact_key, occurred_at, fact, source, party, word, name, topic, by_when, "
    "serial, brand, model, fault_text, aside FROM facts"
)
#: Facts that say something of what is owed.
_NOTES: Final = ("commitment.overdue", "commitment.nudged", "commitment.withdrawn")
#: Kinds for which the chain may wait for the customer.
_WAITS: Final = ("decide", "answer")


class Beside:
    """What is made of the facts of some orders beside SQL: tables by name, which the models read or are.

    ``idle`` are the models that can have no rows, whatever their SQL.
    """

    def __init__(self, facts: pa.Table, rules: Rules) -> None:
        story = Story(facts)
        handoffs, agreed = custody.handoffs_of(story), marks.agreed_in(story)
        self._expected, restated = matching.match(story, agreed, handoffs, rules)
        self.tables = {
            "handoffs": custody.as_arrow(story, handoffs),
            "marks": marks.marks_of(story, agreed, handoffs, rules.statuses),
            "expected": self._expected.rows,
            "restated": restated,
        }
        kinds = self._expected.rows["kind"]
        has_rows = {
            "promised": len(restated) > 0,
            "waits": _any_of(kinds, _WAITS),
            "noted": _any_of(facts["fact"], _NOTES),
            "told_elsewhere": _any_of(kinds, ("promise",)),
        }
        self.idle = frozenset(model for model, has in has_rows.items() if not has)

    def terms(self, book: Book, parts: Mapping[str, pa.Table]) -> pa.Table:
        """The table `terms`, given the rows of the models `promised`, `waits` and `noted`."""
        return terms_beside(book, self._expected, parts)


def _any_of(column: Any, values: tuple[str, ...]) -> bool:
    found = pc.any(pc.is_in(column.cast(pa.string()), pa.array(values, pa.string())))
    return bool(found.as_py())
