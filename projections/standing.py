"""How far overdue a commitment is by its rule, and who is to hear of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from projections.book import Book
from projections.clock import micros_of
from projections.terms import level_at


def standing(book: Book, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is to be said now of a row of the query ``sweep``.

    ``say`` is ``nudge``, ``overdue`` (with the ``level`` that is reached) or ``withdraw``; ``tell`` is whom:
    of owner, accountable, customer, person.
    """
    if row["state"] != "open":
        return {"say": "withdraw", "reached": row["level"], "tell": ["accountable", "owner"]}
    terms = book.terms(-1, row["kind"], row["owner"], row["counterpart"], row["category"], row["urgency"])
    due, moment = np.array([micros_of(datetime.fromisoformat(row["due_at"]))]), micros_of(now)
    reached = [
        number for number in range(1, len(terms.rule.levels) + 1) if int(level_at(terms, due, number)[0]) < moment
    ]
    if not reached:
        return {"say": "nudge", "reached": 0, "tell": ["owner"]}
    # Of several that were reached meanwhile, the highest says it all; whom the others would have told hears it, too.
    fresh = [number for number in reached if number > row["level"]]
    told = {whom for number in fresh for whom in terms.rule.levels[number - 1].tell}
    return {"say": "overdue", "reached": reached[-1], "tell": sorted(told)}
