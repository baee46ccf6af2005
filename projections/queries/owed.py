"""What is owed: the ledger of commitments, whose move it is, promises, what is to be said now, and the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from events.chain import commitment_id
from projections.book import open_book, use
from projections.queries.arguments import MAX_LIMIT, Arguments
from projections.queries.ledger import ledger
from projections.queries.next_step import ball_of
from projections.queries.order import find_one, find_then
from projections.queries.reading import Reading, Row
from projections.queries.single import BESIDE_THE_WORK, SingleOrder
from projections.queries.spending import spent_on
from projections.queries.travel import travel
from projections.queries.waiting import with_awaited
from projections.standing import standing

#: Nobody can tell from fewer cases how long something takes.
_LEAST: Final = 30
STATES: Final = ("open", "overdue", "paused", "met", "met_late", "cancelled")


def commitments(reading: Reading, arguments: Arguments) -> Row:
    """Commitments, what is due first to begin with, and how likely open ones are to be met in time."""
    now, name, owner = reading.moment(arguments), arguments.text("order"), arguments.text("owner")
    states, kind, late = arguments.texts("states", STATES), arguments.text("kind"), arguments.flag("late")
    limit = arguments.number("limit", 100)
    if name is None:
        travel(reading)
        rows = listed(reading, now, owner=owner, kind=kind, states=states, late=late, limit=limit)
        chances = _chances(reading, now, owner=owner)
        return {"commitments": [row | chances.get(row["commitment_id"], _UNKNOWN) for row in rows]}
    reading, subject = find_then(reading, name)
    single = SingleOrder(reading, subject)
    rows = ledger(reading, single, now, owner=owner, kind=kind, states=states, late=late)[:limit]
    chances = _chances(reading, now, first=single.first, owner=owner)
    return {
        "commitments": [row | chances.get(row["commitment_id"], _UNKNOWN) for row in rows],
        "ball": _ball_of(single, now),
        "time_spent": spent_on(reading, single, now),
    }


def _ball_of(order: SingleOrder, now: datetime) -> Row | None:
    return ball_of(order.row, order.owed(now)) if order.row is not None else None


def ball(reading: Reading, arguments: Arguments) -> Row:
    """Whose move it is, of every open order; or, of one party, all that it owes, the most urgent first."""
    now, party, limit = reading.moment(arguments), arguments.text("party"), arguments.number("limit", 100)
    travel(reading)
    if party is None:
        return {"ball": reading.rows("ball", now=now, limit=limit)}
    open_ones = listed(reading, now, owner=party, states=["overdue", "open", "paused"], limit=limit)
    chances = _chances(reading, now, owner=party)
    return {"party": party, "ball": [row | chances.get(row["commitment_id"], _UNKNOWN) for row in open_ones]}


def promises(reading: Reading, arguments: Arguments) -> Row:
    """Commitments for which somebody named a date: the first and the last one, kept or missed, and by how much."""
    now, party = reading.moment(arguments), arguments.text("party")
    limit = arguments.number("limit", 1_000)
    travel(reading)
    rows = listed(reading, now, promised=True, limit=MAX_LIMIT)
    own = [row for row in rows if party is None or row["promised_by"] == party]
    return {"promises": [_kept(row, now) for row in own][:limit]}


def sweep(reading: Reading, arguments: Arguments) -> Row:
    """What is to be said by now of commitments: a nudge, a level that is reached, or that it was not overdue at all."""
    now = reading.moment(arguments)
    if not (reading.rows("sweep_due", now=now) or reading.rows("sweep_disproved")):  # as a rule; that is found out soon
        return {"sweep": []}
    rows, book = reading.rows("sweep", now=now), reading.book
    return {"sweep": [row | standing(book, row, now) for row in with_awaited(reading, rows)]}


def policy(reading: Reading, arguments: Arguments) -> Row:
    """The policy that was adopted last; nothing if none was."""
    del arguments
    rows = reading.rows("policy")
    if not rows:
        taken_back = reading.rows("policies_until")[0]["last_position"]
        return {"digest": None, "policy": None, "adopted_at": None, "position": None, "last_position": taken_back}
    return rows[0] | {"policy": orjson.loads(rows[0]["policy"])}


def spent(reading: Reading, arguments: Arguments) -> Row:
    """Who had orders for how long, over all orders or of one."""
    now, name = reading.moment(arguments), arguments.text("order")
    if name is not None:
        return {"time_spent": spent_on(reading, SingleOrder(reading, find_one(reading, name)), now)}
    open_book(reading.cursor)
    return {"time_spent": reading.rows("time_spent", now=now)}


def listed(
    reading: Reading,
    now: datetime,
    *,
    owner: str | None = None,
    kind: str | None = None,
    states: Sequence[str] | None = None,
    promised: bool | None = None,
    late: bool | None = None,
    limit: int = MAX_LIMIT,
) -> list[Row]:
    """What is and was owed in all orders, with names; of one order ledger.py tells it."""
    chosen = {"owner": owner, "kind": kind, "promised": promised, "late": late}
    rows = reading.rows("commitments", now=now, **chosen, states=list(states) if states else None, limit=limit)
    return _named(reading, rows) if rows else []


def _named(reading: Reading, rows: Sequence[Row]) -> list[Row]:
    """Commitments with the names that they have for ever, and with their orders."""
    found = reading.rows("openings", positions=list({row["position"] for row in rows}))
    openings = {row["position"]: row for row in found}
    survivors: dict[str, str] = {}
    if any(row["aside"] for row in found):
        survivors = {row["order_id"]: row["survivor"] for row in reading.rows("survivors")}
    named = []
    for row in rows:
        del row["first_position"]
        opening = openings[row.pop("position")]
        order = opening["order_id"]
        name = commitment_id(row["kind"], order, opening["source"], opening["id"])
        named.append({"commitment_id": name, "order": survivors.get(order, order), **row})
    return named


def likely_late(reading: Reading, now: datetime, below: float) -> list[Row]:
    """Open commitments that are less likely than ``below`` to be met in time, the least likely first."""
    chances = _chances(reading, now, below=below)
    rows = listed(reading, now, states=["open"]) if chances else []
    found = [row | chances[row["commitment_id"]] for row in rows if row["commitment_id"] in chances]
    return sorted(
        (row for row in found if row["kind"] not in BESIDE_THE_WORK), key=lambda row: (row["chance"], row["due_at"])
    )


#: What stands where there is too little history to say anything.
_UNKNOWN: Final[Row] = {"chance": None, "cases": None, "based_on": None}


def _chances(
    reading: Reading,
    now: datetime,
    *,
    first: int | None = None,
    owner: str | None = None,
    below: float | None = None,
) -> dict[str, Row]:
    if reading.past is not None:
        reading.cursor.register("commitments", reading.past.tables["commitments"])
    if reading.rows("likely_enough", least=_LEAST)[0]["cases"] < _LEAST:
        return {}
    use(reading.cursor, reading.book)
    rows = reading.rows("likely", now=now, first=first, owner=owner, below=below, least=_LEAST)
    return {row.pop("commitment_id"): row for row in rows}


def _kept(row: Row, now: datetime) -> Row:
    """A promise and what became of it; ``late_seconds`` is negative for one that was kept early."""
    done = row["met_at"] or (now.isoformat() if row["state"] == "overdue" else None)
    late = None
    if done is not None:
        late = int((datetime.fromisoformat(done) - datetime.fromisoformat(row["promised_at"])).total_seconds())
    kept = None if late is None else late <= 0
    names = (
        "order",
        "kind",
        "topic",
        "owner",
        "owed_to",
        "promised_by",
        "first_promised_at",
        "promised_at",
        "promises",
        "paused_for",
    )
    return {name: row[name] for name in (*names, "met_at", "state")} | {
        "kept": kept,
        "late_seconds": late,
    }
