"""The mirror: the log's messages as rows of `events`, taken apart in SQL, many at a time."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import duckdb
import orjson
import pyarrow as pa
from duckdb import DuckDBPyConnection

from events import vocabulary
from events.envelope import TypeNameError, full_type, split_type
from events.vocabulary import MERGING_FACTS
from projections.desk import Desk
from projections.merging import Merges
from projections.models import CATALOG
from projections.regrouping import regroup
from projections.statements import execute, read_sql

#: One message of the log: its position and its payload.
Message = tuple[int, bytes]

#: Raise it when what the mirror holds changes in a way that no file of this package shows.
_GENERATION: Final = 2

_ADD_EVENTS: Final = """
INSERT INTO chain.events
SELECT e.position, n.first_position, n.aside, e.* EXCLUDE (position)
FROM arrived e
JOIN named n ON n.order_id = e.order_id
ORDER BY e.position
"""


@dataclass(frozen=True)
class Arrived:
    """A batch taken apart, with its orders: `touched` has a row for each, `named` one for each id that they go by.

    ``merges`` is what holds with the batch; ``regrouped`` are the first positions of orders that became one, or are no
    longer, with this batch: before and after.
    """

    rows: pa.Table
    touched: pa.Table
    merges: Merges
    regrouped: frozenset[int] = frozenset()


@lru_cache
def known_types() -> tuple[tuple[str, str, int], ...]:
    """Every type that we can read, in full (``repairchain.item.received.v1``), with its name and version."""
    return tuple(
        (full_type(name, version), name, version)
        for name, fact in sorted(vocabulary.FACTS.items())
        for version in range(1, fact.VERSION + 1)
    )


@lru_cache
def mirror_version() -> str:
    """Changes with how messages are taken apart; a mirror of another version is read from the log again.

    DuckDB's own version is part of it, for the hashes are DuckDB's.
    """
    texts = (*(read_sql(name) for name in ("incoming_events", "moments", "touched", "merge_subjects")), _ADD_EVENTS)
    parts = (*texts, repr(known_types()), duckdb.__version__, str(_GENERATION))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def define_facts(cursor: DuckDBPyConnection) -> None:
    """Create what the mirror's SQL refers to: macros, and the type whose values are the names of facts."""
    cursor.execute(read_sql("moments"))
    names = ", ".join(f"'{name}'" for name in vocabulary.FACTS)
    cursor.execute(f"CREATE TYPE fact_name AS ENUM ({names})")


def create_mirror(cursor: DuckDBPyConnection) -> None:
    """Create the empty mirror: `events`, `subjects` with each order's first and last position, and `merged`.

    Orders that are one have one row in `subjects`, under the id with which they go on, and lie where the first of them
    begins; `merged` has all their ids. ``aside`` is what was said of one that does not go on under its own id.
    """
    define_facts(cursor)
    cursor.execute("CREATE TABLE vocabulary (full_type VARCHAR, name VARCHAR, version INTEGER, fact fact_name)")
    columns = [list(column) for column in zip(*known_types(), strict=True)]
    cursor.execute("INSERT INTO vocabulary SELECT unnest($1), unnest($2), unnest($3), unnest($2)", columns)
    cursor.register("incoming", _incoming(()))
    cursor.execute(
        f"CREATE TABLE {CATALOG}.events AS "
        "SELECT position, position AS first_position, false AS aside, * EXCLUDE (position) "
        f"FROM ({read_sql('incoming_events')})"
    )
    cursor.unregister("incoming")
    cursor.execute(
        "CREATE TABLE subjects "
        "(order_id VARCHAR, order_key UBIGINT, first_position BIGINT, last_position BIGINT, announces BOOLEAN)"
    )
    cursor.execute("CREATE TABLE merged (order_id VARCHAR, order_key UBIGINT, first_position BIGINT, survivor VARCHAR)")


def unseen(batch: Sequence[Message], position: int) -> Sequence[Message]:
    """The messages of ``batch`` after ``position``, in the log's order, each position once."""
    if batch and batch[0][0] > position and all(a[0] < b[0] for a, b in itertools.pairwise(batch)):
        return batch
    return sorted({at: (at, payload) for at, payload in batch if at > position}.values())


def mirror_batch(desk: Desk, batch: Sequence[Message], merges: Merges) -> Merges:
    """Add messages, all of them new and in order, within the caller's transaction. Returns what holds with them."""
    arrived = take_apart(desk, batch, merges)
    add_events(desk)
    return arrived.merges


def take_apart(desk: Desk, batch: Sequence[Message], merges: Merges) -> Arrived:
    """Put `arrived` on both of the desk's workbenches, the batch taken apart, and `touched` and `named`, its orders.

    Nothing is changed yet, but where what is there already lies, if orders became one with this batch.
    """
    desk.maker.put("incoming", _incoming(batch))
    rows = desk.maker.make(read_sql("incoming_events"))
    desk.put("arrived", rows)
    touched = desk.writer.look_up(read_sql("touched"))
    named = touched.select(["order_id", "first_position"]).append_column("aside", pa.array([False] * len(touched)))
    regrouped: frozenset[int] = frozenset()
    if merges.involved or not MERGING_FACTS.isdisjoint(rows["fact"].unique().to_pylist()):
        touched, named, merges, regrouped = regroup(desk.writer.cursor, rows, touched, named, merges)
    desk.put("touched", touched)
    desk.put("named", named)
    return Arrived(rows, touched, merges, regrouped)


def add_events(desk: Desk) -> None:
    """Add what was taken apart to the mirror."""
    desk.writer.run(_ADD_EVENTS)
    execute(desk.writer.cursor, read_sql("merge_subjects"))


def _incoming(batch: Sequence[Message]) -> pa.Table:
    if vocabulary.UPCASTERS:
        batch = [(position, lift(payload)) for position, payload in batch]
    return pa.table(
        {
            "position": pa.array([position for position, _ in batch], pa.int64()),
            "payload": pa.array([payload for _, payload in batch], pa.binary()),
        }
    )


def lift(payload: bytes) -> bytes:
    """The payload with its data brought up to the newest version we know; unchanged if there is nothing to do."""
    try:
        event = orjson.loads(payload)
        name, version = split_type(event["type"])
        lifted, data = vocabulary.upcast(name, version, event["data"])
    except (orjson.JSONDecodeError, TypeNameError, KeyError, TypeError):
        return payload
    if lifted == version:
        return payload
    return orjson.dumps({**event, "type": full_type(name, lifted), "data": data})
