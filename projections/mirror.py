"""The mirror: the log's messages as rows of `events`, taken apart in SQL, many at a time."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import hashlib
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from events import vocabulary
from events.envelope import TypeNameError, full_type, split_type
from events.vocabulary import MERGING_FACTS
from projections import plain
from projections.desk import Desk
from projections.merging import Merges, until
from projections.models import ANNOUNCING, CATALOG
from projections.recent import Known
from projections.regrouping import regroup
from projections.statements import execute, read_sql
from projections.workbench import Workbench

#: One message of the log: its position and its payload.
Message = tuple[int, bytes]

#: Raise it when what the mirror holds changes in a way that no file of this package shows.
_GENERATION: Final = 3

#: What `subjects` has of orders that may be those of the batch: keys can collide, so their ids are compared besides. By
#: the keys alone DuckDB has to look through one column only.
_STORED: Final = """
SELECT order_id, first_position, until, announces FROM chain.subjects WHERE order_key IN (SELECT order_key FROM touched)
"""

#: The same for a single order, of which DuckDB finds a constant sooner.
_STORED_ONE: Final = (
    "SELECT order_id, first_position, until, announces FROM chain.subjects WHERE order_key = $order_key"
)

_ADD_EVENTS: Final = "INSERT INTO chain.events FROM placed"
_ADD_SUBJECTS: Final = "INSERT INTO chain.subjects FROM beginning"


@dataclass(frozen=True)
class Arrived:
    """A batch taken apart, as rows of `events`, with its orders: `touched` has a row for each.

    ``stands`` are those whose row in `subjects` stays as it is, by where they begin. ``merges`` is what holds with the
    batch; ``regrouped`` are the first positions of orders that became one, or are no longer, with this batch: before
    and after. ``may_merge`` tells whether any order may be several in one.
    """

    rows: pa.Table
    touched: pa.Table
    stands: frozenset[int]
    merges: Merges
    may_merge: bool
    regrouped: frozenset[int] = frozenset()

    @property
    def begin(self) -> int:
        """The position of the first of the batch."""
        return int(self.rows["position"][0].as_py())

    @property
    def end(self) -> int:
        """The position after the last of the batch."""
        return int(self.rows["position"][-1].as_py()) + 1


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
    texts = (*(read_sql(name) for name in ("incoming_events", "moments", "merge_subjects")), _ADD_EVENTS)
    parts = (*texts, repr(known_types()), duckdb.__version__, str(_GENERATION))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def define_facts(cursor: DuckDBPyConnection) -> None:
    """Create what the mirror's SQL refers to: macros, and the type whose values are the names of facts."""
    cursor.execute(read_sql("moments"))
    names = ", ".join(f"'{name}'" for name in vocabulary.FACTS)
    cursor.execute(f"CREATE TYPE fact_name AS ENUM ({names})")


def create_mirror(cursor: DuckDBPyConnection) -> None:
    """Create the empty mirror: `events`, `subjects` with where each order begins and by where it ends, and `merged`.

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
        "SELECT position, position AS first_position, false AS aside, * EXCLUDE (position, order_key) "
        f"FROM ({read_sql('incoming_events')})"
    )
    cursor.unregister("incoming")
    cursor.execute(
        "CREATE TABLE subjects "
        "(order_id VARCHAR, order_key UBIGINT, first_position BIGINT, until BIGINT, announces BOOLEAN)"
    )
    cursor.execute("CREATE TABLE merged (order_id VARCHAR, order_key UBIGINT, first_position BIGINT, survivor VARCHAR)")


def unseen(batch: Sequence[Message], position: int) -> Sequence[Message]:
    """The messages of ``batch`` after ``position``, in the log's order, each position once."""
    positions = [at for at, _ in batch]
    if positions and positions[0] > position and all(map(operator.lt, positions, positions[1:])):
        return batch
    return sorted({at: (at, payload) for at, payload in batch if at > position}.values())


def mirror_batch(desk: Desk, batch: Sequence[Message], merges: Merges) -> Merges:
    """Add messages, all of them new and in order, within the caller's transaction. Returns what holds with them."""
    arrived = take_apart(desk, batch, merges)
    add_events(desk, arrived)
    desk.recent.clear(batch[-1][0] + 1)
    return arrived.merges


def take_apart(desk: Desk, batch: Sequence[Message], merges: Merges) -> Arrived:
    """Put `placed` on both of the desk's workbenches, the batch taken apart, and `touched`, its orders.

    Nothing is changed yet, but where what is there already lies, if orders became one with this batch.
    """
    rows = _rows(desk.maker, batch)
    spoken, lasts = _spoken_of(rows)
    touched, stands = _with_stored(desk, spoken, lasts, batch[0][0])
    rows = rows.drop_columns(["order_key"])
    named = touched.select(["order_id", "first_position"]).append_column("aside", pa.array([False] * len(touched)))
    regrouped: frozenset[int] = frozenset()
    may_merge = bool(merges.involved) or not MERGING_FACTS.isdisjoint(rows["fact"].unique().to_pylist())
    if may_merge:
        desk.put("arrived", rows)
        ids: list[Any] = spoken["order_id"].to_pylist()
        last_of = dict(zip(ids, lasts.tolist(), strict=True))
        touched, named, merges, regrouped = regroup(desk.writer.cursor, rows, touched, named, merges, last_of)
    placed = _placed(rows, named)
    desk.put("touched", touched)
    desk.put("placed", placed)
    return Arrived(placed, touched, stands, merges, may_merge, regrouped)


def _rows(maker: Workbench, batch: Sequence[Message]) -> pa.Table:
    """The rows of incoming_events.sql."""

    def hashes(hashed: pa.Table) -> pa.Table:
        maker.put("hashed", hashed)
        return maker.numbers(plain.HASHES)

    lifted = _lifted(batch)
    rows = plain.rows_of(lifted, hashes)
    if rows is None:
        maker.put("incoming", _incoming(lifted))
        rows = maker.make(read_sql("incoming_events"))
    return rows


def add_events(desk: Desk, arrived: Arrived) -> None:
    """Add what was taken apart to the mirror."""
    desk.writer.run(_ADD_EVENTS)
    touched: Any = arrived.touched
    firsts = touched["first_position"].to_numpy()
    are_new = firsts >= arrived.begin
    # Where anything is announced or one, more orders may have been touched meanwhile than the batch speaks of.
    if (
        arrived.may_merge
        or touched["announces"].to_numpy().any()
        or not arrived.stands.issuperset(firsts[~are_new].tolist())
    ):
        desk.keys.add(_listed(touched["order_key"]))
        execute(desk.writer.cursor, read_sql("merge_subjects"))
    elif are_new.any():
        beginning = touched.filter(pa.array(are_new))
        desk.keys.add(_listed(beginning["order_key"]))
        desk.writer.put("beginning", beginning)
        desk.writer.run(_ADD_SUBJECTS)


def _spoken_of(rows: Any) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The orders that a batch speaks of, as rows of `subjects`, as though all of them began with it; and the position
    of the last fact of each.

    Where an order began before the batch, ``_with_stored`` puts in its place.
    """
    encoded = rows["order_id"].combine_chunks().dictionary_encode()
    names, order, positions = encoded.dictionary, encoded.indices.to_numpy(), rows["position"].to_numpy()
    firsts, lasts = np.full(len(names), np.iinfo(np.int64).max), np.zeros(len(names), np.int64)
    np.minimum.at(firsts, order, positions)
    np.maximum.at(lasts, order, positions)
    keys, announce = np.zeros(len(names), np.uint64), np.zeros(len(names), np.bool_)
    keys[order] = rows["order_key"].to_numpy()
    announce[order[are_named(rows["fact"], ANNOUNCING)]] = True
    spoken = {
        "order_id": names,
        "order_key": pa.array(keys),
        "first_position": pa.array(firsts),
        "until": pa.array(until(firsts, lasts)),
        "announces": pa.array(announce),
    }
    return pa.table(spoken), lasts


def are_named(facts: Any, names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which rows of a column of names of facts are any of those."""
    found = np.zeros(len(facts), np.bool_)
    begin = 0
    for part in facts.chunks:
        among = np.array([name in names for name in part.dictionary.to_pylist()] + [False])
        numbers = part.indices.cast(pa.int64()).fill_null(-1) if part.null_count else part.indices
        found[begin : begin + len(part)] = among[numbers.to_numpy()]
        begin += len(part)
    return found


def _listed(column: Any) -> list[Any]:
    """The values of a column of numbers without gaps, sooner than Arrow lists them."""
    values: list[Any] = column.to_numpy().tolist()
    return values


def _with_stored(
    desk: Desk, spoken: pa.Table, lasts: npt.NDArray[np.int64], begin: int
) -> tuple[pa.Table, frozenset[int]]:
    """The orders of a batch from ``begin`` on, each with where it began, and whether it announced anything before.

    Also tells where those begin whose row in `subjects` says so already.
    """
    ids: list[Any] = spoken["order_id"].to_pylist()
    stored = desk.recent.find(ids)
    unknown = _that_may_be_stored(desk, spoken, ids, stored)
    if unknown is not None and desk.miss(begin):
        stored = desk.recent.find(ids)
        unknown = _that_may_be_stored(desk, spoken, ids, stored)
    if unknown is not None:
        stored |= _looked_up(desk, unknown)
    if not stored:
        return spoken, frozenset()
    were = [*map(stored.get, ids)]
    firsts, announces = _listed(spoken["first_position"]), _listed(spoken["announces"])
    for row, known in enumerate(were):
        if known is not None:
            firsts[row] = known.first_position
            announces[row] = announces[row] or known.announces
    untils = until(np.array(firsts), lasts)
    stands = frozenset(
        first
        for known, first, *rest in zip(were, firsts, untils.tolist(), announces, strict=True)
        if known is not None and [known.until, known.announces] == rest
    )
    columns = {
        "first_position": pa.array(firsts),
        "until": pa.array(untils),
        "announces": pa.array(announces),
    }
    return pa.table({name: columns.get(name, spoken[name]) for name in spoken.schema.names}), stands


def _that_may_be_stored(
    desk: Desk, spoken: pa.Table, ids: Sequence[str], stored: Mapping[str, Known]
) -> pa.Table | None:
    """The orders that `subjects` may have, but for those that were found already; None if there are none."""
    rest: Any = spoken
    keys = rest["order_key"].to_numpy()
    if stored:
        rows = [row for row, order in enumerate(ids) if order not in stored]
        if not rows:
            return None
        rest, keys = rest.take(pa.array(rows, pa.int64())), keys[rows]
    return rest if desk.keys.may_have(keys.tolist()) else None


def _looked_up(desk: Desk, orders: pa.Table) -> dict[str, Known]:
    """What `subjects` has of them."""
    if len(orders) == 1:
        rows = desk.writer.look_up(_STORED_ONE, {"order_key": orders["order_key"][0].as_py()}).to_pydict()
    else:
        desk.writer.put("touched", orders)
        rows = desk.writer.look_up(_STORED).to_pydict()
    places = zip(rows["order_id"], rows["first_position"], rows["until"], rows["announces"], strict=True)
    wanted = frozenset(orders["order_id"].to_pylist())
    return {order: Known(*place) for order, *place in places if order in wanted}


def _placed(rows: pa.Table, named: pa.Table) -> pa.Table:
    """What has arrived as rows of `events`, in the log's order."""
    arrived: Any = rows
    where: Any = pc.index_in(arrived["order_id"], value_set=named["order_id"])
    first, aside = (named[column].take(where) for column in ("first_position", "aside"))
    placed: pa.Table = arrived.add_column(1, "first_position", first).add_column(2, "aside", aside)
    positions = placed["position"].to_numpy()
    return placed if np.all(positions[1:] > positions[:-1]) else placed.sort_by("position")


def _lifted(batch: Sequence[Message]) -> Sequence[Message]:
    return [(position, lift(payload)) for position, payload in batch] if vocabulary.UPCASTERS else batch


def _incoming(batch: Sequence[Message]) -> pa.Table:
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
