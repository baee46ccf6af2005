"""Why the time of what is owed stands still: the chain waits for the customer, or for who pays to be decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from projections.owing import UNTIL_DECIDED
from projections.queries.reading import Reading, Row

#: These go on in tables, whatever the moment of asking makes of them.
_RUNNING = frozenset({"open", "paused"})


def with_reason_of_pause(rows: Sequence[Row]) -> list[Row]:
    """All that was ever owed on one order, by the states of the table, each with ``paused_for``."""
    owed = [row for row in rows if row["state"] in _RUNNING]
    return [row | {"paused_for": _paused_for(row, owed)} for row in rows]


def looked_up(reading: Reading, rows: Collection[Row]) -> list[Row]:
    """What is owed on several orders (``first_position`` says on which), each with ``paused_for``."""
    paused = sorted({row["first_position"] for row in rows if row["state"] == "paused"})
    owed: dict[int, list[Row]] = defaultdict(list)
    for row in reading.rows("standstill", orders=paused) if paused else ():
        owed[row["first_position"]].append(row)
    return [row | {"paused_for": _paused_for(row, owed.get(row["first_position"], ()))} for row in rows]


def _paused_for(row: Row, owed: Iterable[Row]) -> list[str]:
    """``customer``, ``cover`` (who pays) or both, by what is ``owed`` on its order; nothing if its time runs."""
    if row["state"] != "paused":
        return []
    found = {_what(each) for each in owed if each["kind"] != "cover" or row["kind"] in UNTIL_DECIDED}
    return sorted(what for what in found if what is not None)[::-1]


def _what(owed: Row) -> str | None:
    if owed["kind"] == "cover":
        return "cover"
    hers = owed["owner"].partition(":")[0] == "customer"
    return "customer" if hers and owed["kind"] in ("decide", "answer") else None
