"""As it was, and as we knew it: the same models over fewer facts, in temporary tables that hide the stored ones.

``as_of`` leaves out what happened later, ``known_at`` what we came to know later. A correction counts from the moment
we knew it, whatever moment it speaks of, so that "as it was" is told by the best of today's knowledge.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Mapping

from projections.merging import (
    Merges,
    Place,
    corrections_of,
    grouped,
    known_places,
    said_of_orders,
    spans_of,
    survivors,
)
from projections.models import CATALOG, build_temporary
from projections.queries.reading import Reading, as_parameter


def travel(reading: Reading) -> None:
    """Make the models of all orders as of the reading's moments. Of one alone they are made in past.py."""
    if not reading.travels:
        return
    known = f"recorded_at <= TIMESTAMP '{as_parameter(reading.known_at)}'" if reading.known_at else "TRUE"
    happened = f"occurred_at <= TIMESTAMP '{as_parameter(reading.as_of)}'" if reading.as_of else "TRUE"
    if regroup(reading) is not None:
        reading.cursor.execute(
            f"CREATE TEMP VIEW raw AS SELECT e.* REPLACE (coalesce(t.first_position, e.first_position) AS "
            f"first_position, coalesce(t.aside, e.aside) AS aside) FROM {CATALOG}.events e "
            f"LEFT JOIN places_then t ON t.order_id = e.order_id WHERE {known}"
        )
        reading.cursor.execute("CREATE TEMP VIEW events AS FROM raw")
    else:
        reading.cursor.execute(f"CREATE TEMP VIEW raw AS SELECT e.* FROM {CATALOG}.events e WHERE {known}")
    build_temporary(reading.cursor, happened)


def regroup(reading: Reading, first_position: int | None = None) -> list[int] | None:
    """Bring together what was one then, and take apart what was not: `subjects` and `merged` as they were.

    Returns where the orders lie now that this is about; None if it is none of those of which it was ever said.
    """
    cursor = reading.cursor
    merges = Merges.read(cursor)
    if not merges.involved:
        return None
    now = known_places(cursor, merges.involved, merges)
    firsts = {place.first_position for place in now.values()}
    if not firsts or first_position not in (None, *firsts):
        return None
    said = [*said_of_orders(cursor), *corrections_of(cursor, merges.involved, firsts)]
    spans = spans_of(cursor, merges.involved, firsts)
    as_of, known_at = (as_parameter(moment) for moment in (reading.as_of, reading.known_at))
    places = grouped(survivors(said, as_of, known_at), spans)
    then = {order: Place(span.first, order) for order, span in spans.items()} | places
    ends = {place: max(spans[order].last for order in spans if then[order] == place) for place in then.values()}
    _put(reading, then, ends, firsts)
    if first_position is None:
        return sorted(firsts)
    # An order may be named as what another is part of, and nothing be said of it: it lies nowhere then.
    there = {order: place for order, place in now.items() if order in then}
    together = {then[order] for order, place in there.items() if place.first_position == first_position}
    return sorted({place.first_position for order, place in there.items() if then[order] in together})


def _put(reading: Reading, then: Mapping[str, Place], ends: Mapping[Place, int], firsts: set[int]) -> None:
    columns = [
        [*then],
        [place.first_position for place in then.values()],
        [place.survivor for place in then.values()],
        [ends[place] for place in then.values()],
    ]
    reading.cursor.execute(
        "CREATE TEMP TABLE places_then AS SELECT *, order_id <> survivor AS aside FROM (SELECT "
        "unnest($1::VARCHAR[]) AS order_id, unnest($2::BIGINT[]) AS first_position, unnest($3::VARCHAR[]) AS survivor, "
        "unnest($4::BIGINT[]) AS until)",
        columns,
    )
    reading.cursor.execute(
        "CREATE TEMP TABLE merged AS SELECT order_id, hash(order_id) AS order_key, first_position, survivor "
        "FROM places_then QUALIFY count(*) OVER (PARTITION BY survivor) > 1"
    )
    among = ", ".join(str(first) for first in firsts)
    reading.cursor.execute(
        f"CREATE TEMP VIEW subjects AS FROM {CATALOG}.subjects WHERE first_position NOT IN ({among}) UNION ALL BY NAME "
        "SELECT DISTINCT survivor AS order_id, hash(survivor) AS order_key, first_position, until, "
        "false AS announces FROM places_then"
    )
