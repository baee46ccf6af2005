"""How long a working day is for each of some parties: what their time in opening hours is divided by to be read.

It is what a working day in the policy means for whoever owes something: its calendar's, of the policy that held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from projections.book import open_book
from projections.database import Database
from projections.queries import QueryError

#: The question, beside those of the read models.
WORKING_DAYS: Final = "working_days"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST: Final = 1_000


def working_days(database: Database, args: dict[str, Any], *moments: str | datetime | None) -> dict[str, Any]:
    """``{"parties": […]}`` to ``{"seconds": {party: …}}``, as it was at the earliest of ``moments``, or is.

    Raises QueryError for what is no list of parties.
    """
    parties = args.get("parties")
    if not isinstance(parties, list) or len(parties) > _MOST or not all(isinstance(each, str) for each in parties):
        raise QueryError(f"'{WORKING_DAYS}' takes 'parties': a list of at most {_MOST:,}")
    return {"seconds": _seconds(database, parties, _earliest(moments))}


def _seconds(database: Database, parties: Sequence[str], moment: int | None) -> dict[str, int]:
    cursor = database.cursor()
    try:
        book = open_book(cursor)
    finally:
        cursor.close()
    policy = book.policies[book.edition(moment)][1]
    return {party: int(policy.calendar_of(party).day_length.total_seconds()) for party in parties}


def _earliest(moments: Sequence[str | datetime | None]) -> int | None:
    """In microseconds since 1970; None for now."""
    given = [datetime.fromisoformat(each) if isinstance(each, str) else each for each in moments if each is not None]
    aware = [each if each.tzinfo is not None else each.replace(tzinfo=UTC) for each in given]
    return (min(aware) - _EPOCH) // timedelta(microseconds=1) if aware else None
