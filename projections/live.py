"""A live batch: the models of the touched orders made anew, in place of the rows that they had.

Small batches are the rule, and cost what their statements cost, whatever the rows. So models that nothing in the batch
speaks of are left as they are.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from events.party import POLICY
from projections.beside import Beside
from projections.book import Book, open_book
from projections.desk import Desk
from projections.doubts import may_not_count
from projections.mirror import Arrived, are_named
from projections.models import (
    CLOSURES,
    COMMITMENTS,
    FACTS,
    MESSAGES,
    ORDER_MODELS,
    ORDERS,
    STORED_MODELS,
    VOIDS,
    Model,
)
from projections.recent import UNREAD
from projections.statements import execute, read_sql
from projections.workbench import Workbench

#: What the mirror holds of the orders in `sought`. The join tells the scan which blocks of older rows to skip. The
#: order's id comes from there, which is short, and not from the mirror, where it would have to be unpacked.
_MIRRORED: Final = """
SELECT e.* EXCLUDE (order_id, type, recorded_at, correlation_id, causation_id, data), t.order_id
FROM chain.events e
JOIN sought t ON t.first_position = e.first_position
"""
#: The same where several orders are one: each fact with the id that it was said of.
_MIRRORED_AS_SAID: Final = """
SELECT e.* EXCLUDE (order_id, type, recorded_at, correlation_id, causation_id, data), e.order_id
FROM chain.events e
JOIN sought t ON t.first_position = e.first_position
"""
#: The same of a single order: DuckDB is done with it in two thirds of the time.
_MIRRORED_ONE: Final = """
SELECT * EXCLUDE (type, recorded_at, correlation_id, causation_id, data)
FROM chain.events
WHERE position >= $only AND first_position = $only
"""
#: So many rows DuckDB finds by constants sooner than by a table of them.
_FEW: Final = 8
#: What the models that are made of facts alone read of them.
_OF_FACTS_ALONE: Final = ("first_position", "fact", "source", "name", "serial", "items")


class PolicyChangedError(Exception):
    """The batch adopts another policy, or takes one back: everything that is open has to be made anew. Or orders that
    announce anything became one, which nobody does."""


@dataclass(frozen=True)
class Making:
    """Models that are made, to be stored, and the ``book`` that they are made by."""

    desk: Desk
    arrived: Arrived
    book: Book
    models: tuple[Model, ...]
    made: Beside
    taken: _Taken
    #: The models of which anything may be stored.
    held: tuple[Model, ...]
    #: Where the touched orders begin, and which of them began before the batch.
    firsts: list[int]
    old: list[int]
    #: What the batch says, if of each order only the models that it speaks of have to be made anew.
    said: pa.Table | None


def make_models(desk: Desk, arrived: Arrived, book: Book) -> Making:
    """Make what the models of the orders in `touched` are made of: from the mirror, and from what is not mirrored yet.

    The cost grows with those orders and with how long ago the oldest of them began, not with the history. Raises
    PolicyChangedError; what was changed by then is for the caller to roll back.
    """
    touched = arrived.touched
    said: pa.Table | None = None
    if True in touched["announces"].unique().to_pylist():
        if arrived.regrouped or POLICY in touched["order_id"].to_pylist():
            raise PolicyChangedError
        touched, book = _spread_closures(desk, arrived)
        taken = _take_facts(desk, arrived, touched)
        models, held = ORDER_MODELS, ORDER_MODELS
        desk.recent.kept.forget(_firsts(touched))  # what was settled may be due at another time
    else:
        if arrived.regrouped:
            _remove_all(desk.writer, arrived.regrouped)
        taken = _take_facts(desk, arrived, touched)
        models = ORDER_MODELS
        if not (taken.new_voids or arrived.regrouped):
            said = arrived.rows
            models = _spoken_of(desk, said)
        # Of orders that say nothing of a model it has no rows that would have to go.
        held = _spoken_of(desk, taken.mirrored)
    if arrived.regrouped:
        desk.recent.clear(arrived.end)
    firsts = _firsts(touched)
    made = Beside(desk.maker.rows(FACTS.name), touched, desk.rules, desk.recent.kept, firsts)
    begin = arrived.begin
    old = [first for first in firsts if first < begin]
    return Making(desk, arrived, book, models, made, taken, held, firsts, old, said)


def apply_models(making: Making) -> None:
    """Put the models' rows in the place of those that are stored, within the writer's transaction."""
    desk = making.desk
    if making.taken.new_voids:
        _store(desk.writer, VOIDS)
    for model in making.models:
        if model is MESSAGES:
            _replace_messages(making)
            continue
        if not model.is_linked:
            _replace(making, model)
            continue
        if model in making.held:
            _remove_linked(making, model)
        rows = making.made.orders if model is ORDERS else _commitments(making)
        if rows is not None and len(rows):
            desk.writer.put(model.name, rows)
            _insert(desk.writer, model)
    desk.note(partial(_remember, making))


def _remember(making: Making) -> None:
    """Take note of what is stored now."""
    recent, arrived = making.desk.recent, making.arrived
    if not arrived.regrouped:
        # Where orders are one, more may have come to one than the batch says under its id.
        stands = () if arrived.may_merge else arrived.stands
        recent.remember(arrived.touched, making.taken.new, stands)
    if COMMITMENTS in making.models:
        assert making.made.written is not None, "it was compared"
        recent.kept.remember(making.made.written, recent.begin)
    else:  # of an order that has just begun, and says nothing of it
        old = frozenset(making.old)
        recent.kept.remember_nothing([first for first in making.firsts if first not in old], recent.begin)


def _remove_linked(making: Making, model: Model) -> None:
    """Remove the rows that have to go."""
    writer, made = making.desk.writer, making.made
    if not model.is_kept:
        _remove(writer, model, making.old)
        return
    assert made.written is not None, "it was compared"
    _remove(writer, model, [first for first in made.written.unknown if first < making.arrived.begin])
    _remove_of_facts(writer, model, made.written.gone, making.old)


def _replace(making: Making, model: Model) -> None:
    """Put the rows of a model that is made of facts alone in the place of those of the orders that speak of it."""
    writer = making.desk.writer
    firsts, old = making.firsts, making.old
    if making.said is not None:
        speak: Any = making.said["first_position"].filter(_speaks_of(making.said, model))
        spoken = frozenset(speak.to_pylist())
        firsts = sorted(spoken)
        old = [first for first in old if first in spoken]
    if model in making.held:
        _remove(writer, model, old)
    facts: Any = making.desk.maker.rows(FACTS.name).select(_OF_FACTS_ALONE)
    speaking = facts.filter(_speaks_of(facts, model))
    writer.put(FACTS.name, speaking.filter(pc.is_in(speaking["first_position"], pa.array(firsts, pa.int64()))))
    _insert(writer, model)


def _replace_messages(making: Making) -> None:
    """Put the messages that the batch speaks of in their place; all of the orders where other facts may not count."""
    writer, made = making.desk.writer, making.made
    if making.said is None:
        rows, gone = made.messages, making.old
    else:
        changed = made.messages_since(making.arrived.begin)
        rows, gone = changed.rows, changed.gone
    if MESSAGES in making.held:
        _remove(writer, MESSAGES, gone)
    if len(rows):
        writer.put(MESSAGES.name, rows)
        _insert(writer, MESSAGES)


def _insert(writer: Workbench, model: Model) -> None:
    """Add the rows that follow from what was put on the writer's bench."""
    writer.run(f"INSERT INTO {model.stored} {model.select}")


def _commitments(making: Making) -> pa.Table | None:
    """The rows of `commitments` that are to be written, if there are any."""
    maker, made = making.desk.maker, making.made
    return made.commitments(making.book, maker.put, maker.make) if made.owes else None


@dataclass(frozen=True)
class _Taken:
    """The events of the touched orders that were there before the batch, those of the batch, and whether any may be
    void that was not.
    """

    mirrored: pa.Table
    new: pa.Table
    new_voids: bool


def _take_facts(desk: Desk, arrived: Arrived, touched: pa.Table) -> _Taken:
    """Make the touched orders' `facts`, and `voids` if there may be any new ones."""
    desk.put("touched", touched)
    desk.put("subjects", touched)
    # At first by the stored `voids`: they hold for as long as nothing of the order is doubled or corrected.
    voids = desk.voids_of(_firsts(touched))
    desk.maker.put("voids", voids)
    new = arrived.rows.select([name for name in arrived.rows.schema.names if name not in UNREAD])
    mirrored = _mirrored(desk, arrived, touched, new)
    raw = pa.concat_tables([mirrored, new]) if len(mirrored) else new
    desk.maker.put("raw", raw)
    facts = desk.maker.make(FACTS.select) if len(voids) else _all_facts(desk, raw)
    doubts = may_not_count(facts) or _is_said_again(raw, voids, new)
    if doubts:
        voids = desk.maker.make(VOIDS.select)
        desk.put("voids", voids)
        desk.voided.update(_firsts(voids))
        facts = desk.maker.make(FACTS.select)
    desk.maker.put("facts", facts)
    return _Taken(mirrored, new, doubts)


def _is_said_again(raw: pa.Table, voids: pa.Table, new: pa.Table) -> bool:
    """Whether anything that is void by now comes once more: among the facts it would look like the first of its id."""
    if not len(voids):
        return False
    void = raw.filter(pc.is_in(raw["position"], voids["position"]))
    return bool(pc.any(pc.is_in(new["fact_key"], void["fact_key"])).as_py())


def _mirrored(desk: Desk, arrived: Arrived, touched: pa.Table, new: pa.Table) -> pa.Table:
    """What the mirror holds of the touched orders, with the columns of ``new``."""
    begin, recent = arrived.begin, desk.recent
    old = [first for first in _firsts(touched) if first < begin]
    # Where orders became one, what is remembered lies where it lay before.
    known = [] if arrived.regrouped else [first for first in old if first >= recent.begin]
    parts = recent.rows_of(known)
    if len(known) < len(old):
        parts.append(_looked_up(desk, arrived, touched, frozenset(old).difference(known)))
    return pa.concat_tables([part.select(new.schema.names) for part in parts]) if parts else new.slice(0, 0)


def _looked_up(desk: Desk, arrived: Arrived, touched: Any, firsts: frozenset[int]) -> pa.Table:
    """What the mirror's table holds of the orders that begin there."""
    if len(firsts) == 1:
        return desk.writer.look_up(_MIRRORED_ONE, {"only": next(iter(firsts))})
    desk.writer.put("sought", touched.filter(pc.is_in(touched["first_position"], pa.array(firsts, pa.int64()))))
    several = not arrived.merges.keys.isdisjoint(firsts)
    return desk.writer.look_up(_MIRRORED_AS_SAID if several else _MIRRORED)


def _firsts(rows: pa.Table) -> list[int]:
    firsts: list[Any] = rows["first_position"].to_numpy().tolist()
    return firsts


def _all_facts(desk: Desk, raw: Any) -> pa.Table:
    """The rows of `facts` where nothing is void: what facts.sql says then, without the time that it takes to say so."""
    columns = desk.maker.columns(FACTS.select).names
    unreadable = np.asarray(raw["version"].fill_null(-1).to_numpy()) == 0
    facts: pa.Table = raw.select(columns)
    return facts.filter(pa.array(~unreadable)) if unreadable.any() else facts


def _spoken_of(desk: Desk, said: pa.Table) -> tuple[Model, ...]:
    """The models whose rows follow from anything that is said there."""
    if not len(said):
        return ()
    facts = frozenset(said["fact"].unique().to_pylist())

    def is_spoken_of(model: Model) -> bool:
        if model.facts is None or not facts.isdisjoint(model.facts):
            return True
        if model.by_lanes and not facts.isdisjoint(desk.rules.facts):
            return True
        return any(said[column].null_count < len(said) for column in model.columns)

    return tuple(model for model in ORDER_MODELS if is_spoken_of(model))


def _speaks_of(said: pa.Table, model: Model) -> Any:
    """Which rows say anything that the model's rows follow from, where lanes do not count."""
    assert model.facts is not None
    assert not model.by_lanes
    speaks: Any = pa.array(are_named(said["fact"], model.facts))
    for column in model.columns:
        speaks = pc.or_(speaks, pc.is_valid(said[column]))
    return speaks


def _spread_closures(desk: Desk, arrived: Arrived) -> tuple[pa.Table, Book]:
    """Store the touched parties' closures. Returns `touched` with every order whose due times they can move, and the
    book with those closures in it."""
    _take_facts(desk, arrived, arrived.touched)
    desk.writer.put(CLOSURES.name, desk.maker.make(CLOSURES.select))
    moved = desk.writer.look_up(read_sql("moved_by_closures"))
    _store(desk.writer, CLOSURES)
    desk.writer.put(CLOSURES.name, desk.writer.look_up(f"FROM {CLOSURES.stored}"))
    return pa.concat_tables([arrived.touched, moved]), open_book(desk.writer.cursor)


def _store(writer: Workbench, model: Model) -> None:
    """Put the model's rows of the touched orders in the place of those that are stored."""
    execute(writer.cursor, f"DELETE FROM {model.stored} WHERE first_position IN (SELECT first_position FROM touched)")
    _add(writer, model)


def _remove(writer: Workbench, model: Model, positions: Sequence[int], column: str = "first_position") -> None:
    """Remove the model's rows that have any of those positions there."""
    if not positions:
        return
    if len(positions) <= _FEW:
        given = {f"at_{number}": position for number, position in enumerate(positions)}
        where = f"{column} = $at_0"
        if len(positions) > 1:  # without bounds DuckDB looks for a list of them in all blocks
            where = f"{column} BETWEEN $least AND $most AND {column} IN ({', '.join(f'${name}' for name in given)})"
            given |= {"least": min(positions), "most": max(positions)}
        execute(writer.cursor, f"DELETE FROM {model.stored} WHERE {where}", given)
        return
    writer.put("leaving", pa.table({"position": pa.array(positions, pa.int64())}))
    execute(writer.cursor, f"DELETE FROM {model.stored} WHERE {column} IN (SELECT position FROM leaving)")


def _remove_of_facts(writer: Workbench, model: Model, positions: Sequence[int], firsts: Sequence[int]) -> None:
    """Remove the model's rows of the facts there, which are of orders that begin at ``firsts``.

    Rows of one order lie together, most of them: by where the orders begin fewer have to be looked through.
    """
    if len(positions) <= _FEW:
        _remove(writer, model, positions, "position")
        return
    writer.put("leaving", pa.table({"position": pa.array(positions, pa.int64())}))
    statement = (
        f"DELETE FROM {model.stored} WHERE first_position BETWEEN $first AND $last "
        "AND position IN (SELECT position FROM leaving)"
    )
    execute(writer.cursor, statement, {"first": min(firsts), "last": max(firsts)})


def _remove_all(writer: Workbench, firsts: frozenset[int]) -> None:
    """Remove what the models have of the orders that lay there before the batch, or lie there from now on."""
    for model in STORED_MODELS:
        writer.cursor.execute(
            f"DELETE FROM {model.stored} WHERE first_position IN (SELECT unnest($1::BIGINT[]))", [list(firsts)]
        )


def _add(writer: Workbench, model: Model) -> None:
    writer.run(f"INSERT INTO {model.stored} FROM {model.name}")
