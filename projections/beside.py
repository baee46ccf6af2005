"""What is not done in SQL: facts go out as arrays, the rows of models come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from projections import custody, matching
from projections.agreed import agreed_in
from projections.book import Book
from projections.commitments import commitments_of
from projections.custody import Handoffs
from projections.expected import Expected, Restated
from projections.kept import Difference, Kept, made_of
from projections.messages import Messages, messages_of, messages_since
from projections.orders import orders_of
from projections.rules import Rules
from projections.standstill import WAITED_FOR
from projections.statements import read_sql
from projections.story import Flags, Numbers, Story

#: The columns of `facts` that a story is made of, and whether all of them count.
STORY: Final = (
    "SELECT position, first_position, fact_key, occurred_at, fact, source, party, word, name, topic, by_when, "
    "serial, brand, model, items, fault_text, level, aside FROM facts"
)
#: Facts that say something of what is owed.
_NOTES: Final = ("commitment.overdue", "commitment.nudged", "commitment.withdrawn")
#: Kinds that may be told elsewhere.
_TOLD_ELSEWHERE: Final = ("promise",)


#: What commitments are made of besides, in SQL.
PARTS: Final = ("promised", "noted", "told_elsewhere")

Make = Callable[[str], pa.Table]


class Beside:
    """What is made of the facts of some orders beside SQL: the rows of models, by name.

    ``subjects`` has the id of each order by its first position. With ``kept``, of which the orders that begin at
    ``touched`` are, rows are left out that are stored as they are; ``written`` says what is left.
    """

    def __init__(
        self,
        facts: pa.Table,
        subjects: pa.Table,
        rules: Rules,
        kept: Kept | None = None,
        touched: Sequence[int] = (),
    ) -> None:
        story = Story(facts)
        handoffs, agreed = custody.handoffs_of(story), agreed_in(story)
        expected, restated = matching.match(story, agreed, handoffs, rules)
        handover = _handovers(story, expected, handoffs)
        self.written: Difference | None = None
        if kept is not None:
            self.written = _compared(kept, touched, story, expected, restated, handover)
            expected, handover = expected.only(self.written.fresh), handover[self.written.fresh]
        self._story, self._expected, self._restated, self._handover = story, expected, restated, handover
        self.orders = orders_of(story, agreed, handoffs, rules.statuses, subjects)
        elsewhere = bool(expected.of_kinds(_TOLD_ELSEWHERE).any())
        has_rows = {
            "promised": elsewhere or len(restated.place) > 0,
            "noted": len(story.places(*_NOTES)) > 0,
            "told_elsewhere": elsewhere,
        }
        self._parts = [part for part in PARTS if has_rows[part]]

    @property
    def messages(self) -> pa.Table:
        """The rows of `messages`. Few batches speak of any."""
        return messages_of(self._story)

    def messages_since(self, begin: int) -> Messages:
        """What changed of them with the facts from there on."""
        return messages_since(self._story, begin)

    @property
    def owes(self) -> bool:
        """Whether `commitments` has any rows that may have to be written."""
        return len(self._expected.place) > 0

    def commitments(self, book: Book, put: Callable[[str, pa.Table], object], make: Make) -> pa.Table:
        """The rows of `commitments`. ``make`` makes the rows of a SELECT that reads the facts and what was ``put``."""
        parts: dict[str, pa.Table] = {}
        if self._parts:
            put("expected", self._expected.rows)
            put("restated", self._restated.rows)
        for part in self._parts:
            parts[part] = make(read_sql(part))
            put(part, parts[part])
        return commitments_of(book, self._expected, self._handover, parts)


def learn(kept: Kept, orders: Sequence[int], facts: pa.Table, rules: Rules) -> None:
    """Have it known to ``kept`` what is stored of the orders that begin there; all their facts that count are given."""
    story = Story(facts)
    handoffs, agreed = custody.handoffs_of(story), agreed_in(story)
    expected, restated = matching.match(story, agreed, handoffs, rules)
    handover = _handovers(story, expected, handoffs)
    kept.remember(_compared(kept, orders, story, expected, restated, handover))


def _handovers(story: Story, expected: Expected, handoffs: Handoffs) -> Numbers:
    """Of each row that is a receipt, what it is as a handover (see ``custody.as_numbers``); -1 of the others."""
    found = np.full(len(expected.place), -1)
    found[expected.of_kinds(("receive",))] = custody.as_numbers(story, handoffs)
    return found


def _compared(
    kept: Kept, orders: Sequence[int], story: Story, expected: Expected, restated: Restated, handover: Numbers
) -> Difference:
    return kept.compare(orders, story, made_of(story, expected, handover), _told_apart(story, expected, restated))


def _told_apart(story: Story, expected: Expected, restated: Restated) -> Flags:
    """The orders, by number, of which the models `promised`, `noted` and `told_elsewhere` may have rows, or in which
    others may be waited for: there a commitment does not follow from its row of `expected` alone."""
    told = np.zeros(story.orders, np.bool_)
    told[expected.order[expected.of_kinds((*WAITED_FOR, *_TOLD_ELSEWHERE))]] = True
    told[story.order[np.concatenate([restated.place, story.places(*_NOTES)])]] = True
    return told
