"""Orders that become one with a batch, or are no longer: where what the mirror holds of them lies from now on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from events.vocabulary import MERGING_FACTS
from projections.merging import (
    CORRECTED,
    Merges,
    Place,
    Span,
    corrections_of,
    grouped,
    known_places,
    said_of_orders,
    spans_of,
    survivors,
    until,
)

#: `touched`, `named`, what holds from now on, and the first positions of what moves: before, and from now on.
Regrouped = tuple[pa.Table, pa.Table, Merges, frozenset[int]]

_MOVE: Final = """
UPDATE chain.events AS e SET first_position = m.first_position, aside = m.aside
FROM moving AS m
WHERE e.order_id = m.order_id AND e.position BETWEEN m.first_said AND m.last_said
"""


def regroup(
    cursor: DuckDBPyConnection,
    arrived: pa.Table,
    touched: pa.Table,
    named: pa.Table,
    merges: Merges,
    last_of: Mapping[str, int],
) -> Regrouped:
    """Bring together what is one with this batch, and take apart what is not, within the caller's transaction.

    ``last_of`` has the position of the last fact of each order that the batch speaks of.
    """
    facts = frozenset(arrived["fact"].unique().to_pylist())
    batch: list[str] = touched.to_pydict()["order_id"]
    corrects = CORRECTED in facts and not merges.involved.isdisjoint(batch)
    if facts.isdisjoint(MERGING_FACTS) and not corrects:
        if merges.places.keys().isdisjoint(batch):
            return touched, named, merges, frozenset()
        stored = _stored(cursor, {merges.places[order] for order in batch if order in merges.places})
        return *_orders(cursor, touched, merges.places, stored, last_of), merges, frozenset()
    said = [*said_of_orders(cursor), *said_of_orders(cursor, "arrived")]
    involved = frozenset(name for fact in said for name in (fact.order, fact.into) if name)
    was = known_places(cursor, involved, merges)
    firsts = {place.first_position for place in was.values()}
    said += corrections_of(cursor, involved, firsts)
    said += corrections_of(cursor, involved, firsts, "arrived")
    mirrored, fresh = spans_of(cursor, involved, firsts), _arrived_spans(cursor, involved)
    spans = fresh | {order: span.with_(fresh.get(order)) for order, span in mirrored.items()}
    places = grouped(survivors(said), spans)
    now = {order: Place(span.first, order) for order, span in spans.items()} | places
    # What nobody had spoken of before lies nowhere yet: it moves if it is one with something else.
    moved = {order for order, place in now.items() if order in places or order in was}
    moved = {order for order in moved if now[order] != was.get(order)}
    changed = frozenset(now[order].first_position for order in moved) | frozenset(
        was[order].first_position for order in moved if order in was
    )
    if changed:
        _move(cursor, {order: (now[order], span) for order, span in mirrored.items()}, changed, places)
    together: dict[Place, Span] = {}
    for order, place in now.items():
        if order in spans and (place.first_position in changed or order in batch):
            together[place] = spans[order].with_(together.get(place))
    return *_orders(cursor, touched, now, together, last_of), Merges(places, involved), changed


def _move(
    cursor: DuckDBPyConnection,
    mirrored: Mapping[str, tuple[Place, Span]],
    changed: Collection[int],
    places: Mapping[str, Place],
) -> None:
    rows = [
        (order, place.first_position, place.survivor != order, span.first, span.last)
        for order, (place, span) in mirrored.items()
        if place.first_position in changed
    ]
    names = ("order_id", "first_position", "aside", "first_said", "last_said")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    types = (pa.string(), pa.int64(), pa.bool_(), pa.int64(), pa.int64())
    moving = pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})
    cursor.register("moving", moving)
    cursor.execute(_MOVE)
    cursor.unregister("moving")
    # Made anew from `touched`, which has all of them.
    cursor.execute("DELETE FROM chain.subjects WHERE first_position IN (SELECT unnest($1::BIGINT[]))", [list(changed)])
    cursor.execute("DELETE FROM chain.merged")
    if places:
        orders = sorted(places)
        cursor.execute(
            "INSERT INTO chain.merged SELECT id, hash(id), first_position, survivor FROM (SELECT "
            "unnest($1::VARCHAR[]) AS id, unnest($2::BIGINT[]) AS first_position, unnest($3::VARCHAR[]) AS survivor)",
            [orders, [places[order].first_position for order in orders], [places[order].survivor for order in orders]],
        )


def _arrived_spans(cursor: DuckDBPyConnection, orders: Collection[str]) -> dict[str, Span]:
    rows = cursor.execute(
        "SELECT order_id, min(position), max(position), "
        "coalesce(bool_or(fact IN ('party.closed', 'policy.adopted')), false) "
        "FROM arrived WHERE order_id IN (SELECT unnest($1::VARCHAR[])) GROUP BY order_id",
        [list(orders)],
    ).fetchall()
    return {order: Span(first, last, announces) for order, first, last, announces in rows}


def _stored(cursor: DuckDBPyConnection, places: Iterable[Place]) -> dict[Place, Span]:
    by_first = {place.first_position: place for place in places}
    rows = cursor.execute(
        "SELECT first_position, until, announces FROM chain.subjects "
        "WHERE first_position IN (SELECT unnest($1::BIGINT[]))",
        [list(by_first)],
    ).fetchall()
    return {by_first[first]: Span(first, last, announces) for first, last, announces in rows}


def _orders(
    cursor: DuckDBPyConnection,
    touched: pa.Table,
    places: Mapping[str, Place],
    together: Mapping[Place, Span],
    last_of: Mapping[str, int],
) -> tuple[pa.Table, pa.Table]:
    """`touched` with one row for what is one, also for what moved without being spoken of, and `named`."""
    rows = dict(together)
    named: list[tuple[str, int, bool]] = []
    for row in touched.to_pylist():
        order = row["order_id"]
        place = places.get(order) or Place(row["first_position"], order)
        named.append((order, place.first_position, place.survivor != order))
        span = Span(place.first_position, last_of[order], row["announces"])
        rows[place] = span.with_(rows.get(place))
    found = cursor.execute(
        "SELECT order_id, hash(order_id) AS order_key, first_position, until, announces FROM ("
        "SELECT unnest($1::VARCHAR[]) AS order_id, unnest($2::BIGINT[]) AS first_position, "
        "unnest($3::BIGINT[]) AS until, unnest($4::BOOLEAN[]) AS announces)",
        [
            [place.survivor for place in rows],
            [place.first_position for place in rows],
            [int(until(place.first_position, span.last)) for place, span in rows.items()],
            [span.announces for span in rows.values()],
        ],
    ).to_arrow_table()
    assert found is not None, "it has just been executed"
    order_ids, firsts, asides = zip(*named, strict=True)
    return found, pa.table(
        {
            "order_id": pa.array(order_ids, pa.string()),
            "first_position": pa.array(firsts, pa.int64()),
            "aside": pa.array(asides, pa.bool_()),
        }
    )
