"""As it was, and as we knew it: the same models over fewer facts, in temporary tables that hide the stored ones.

``as_of`` leaves out what happened later, ``known_at`` what we came to know later. A correction counts from the moment
we knew it, whatever moment it speaks of, so that "as it was" is told by the best of today's knowledge.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from projections.models import CATALOG, build_temporary
from projections.queries.reading import Reading, as_parameter


def travel(reading: Reading, first_position: int | None = None) -> None:
    """Make the models as of the reading's moments, for one order or, without ``first_position``, for all."""
    if not reading.travels:
        return
    known = f"recorded_at <= TIMESTAMP '{as_parameter(reading.known_at)}'" if reading.known_at else "TRUE"
    happened = f"occurred_at <= TIMESTAMP '{as_parameter(reading.as_of)}'" if reading.as_of else "TRUE"
    if first_position is None:
        reading.cursor.execute(f"CREATE TEMP VIEW raw AS SELECT * FROM {CATALOG}.events WHERE {known}")
    else:
        # Closures move due times, so the parties that announced any belong to every order.
        subjects = f"SELECT first_position FROM {CATALOG}.subjects WHERE announces OR first_position = {first_position}"
        reading.cursor.execute(
            f"CREATE TEMP TABLE raw AS SELECT * FROM {CATALOG}.events WHERE first_position IN ({subjects}) AND {known}"
        )
    build_temporary(reading.cursor, happened)
