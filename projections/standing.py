"""How far overdue a commitment is by its rule, and who is to hear of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np

from projections.book import Book
from projections.clock import micros_of, moment_of
from projections.terms import level_at

#: News that she was promised is ours to send: the nudge is our own cue, and nobody else need hear of it.
_OURS: Final = frozenset({"update"})


def standing(book: Book, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is to be said now of a row of the query ``sweep``.

    ``say`` is ``nudge``, ``overdue`` (with the level that is ``reached``) or ``withdraw``, ``said_for`` the moment at
    which it came to that; ``tell`` is whom: of owner, accountable, customer, person.
    """
    if row["state"] != "open":
        tell = ["accountable", "owner"]
        return {"say": "withdraw", "reached": row["level"], "said_for": row["ended_at"], "tell": tell}
    terms = book.terms(-1, row["kind"], row["owner"], row["counterpart"], row["category"], row["urgency"])
    due, moment = np.array([micros_of(datetime.fromisoformat(row["due_at"]))]), micros_of(now)
    moments = [int(level_at(terms, due, number)[0]) for number in range(1, len(terms.rule.levels) + 1)]
    reached = [number for number, at in enumerate(moments, 1) if at < moment]
    if not reached:
        tell = [] if row["kind"] in _OURS else ["owner"]
        return {"say": "nudge", "reached": 0, "said_for": row["next_at"], "tell": tell}
    # Of several that were reached meanwhile, the highest says it all; whom the others would have told hears it, too.
    fresh = [number for number in reached if number > row["level"]]
    told = {whom for number in fresh for whom in terms.rule.levels[number - 1].tell}
    since = moment_of(moments[reached[-1] - 1]).isoformat()
    return {"say": "overdue", "reached": reached[-1], "said_for": since, "tell": sorted(told)}
