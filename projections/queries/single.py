"""One order's rows: each table is read once, by a plain statement, and what follows from the rows is worked out here.

DuckDB takes some milliseconds to set up a join or an order, more than all else that a question about one order costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from projections.queries import telling
from projections.queries.reading import Reading, Row

#: Kinds that are owed beside the work.
BESIDE_THE_WORK: Final = frozenset({"update", "check"})
_PASSING: Final = frozenset({"open", "paused"})
_SECOND: Final = timedelta(seconds=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class SingleOrder:
    """Of the order that ``subject`` names (a row of find_subject.sql, with ``merged``), at the reading's moment.

    Rows are lists of the same objects each time: who changes one makes a copy.
    """

    def __init__(self, reading: Reading, subject: Row) -> None:
        self._reading = reading
        self.subject = subject
        self.first: int = subject["first_position"]

    @cached_property
    def entries(self) -> dict[int, Row]:
        """Its events by position, in the order in which they happened, with their data read.

        ``counted`` is the name of the fact where it counts: it can be read, was said once, and is not taken back.
        """
        several = [self.first] if self.subject["merged"] else []
        last = self.subject["last_position"]
        said_of = telling.said_of(self._reading, several, self.first, last)
        moments = {"as_of": self._reading.as_of, "known_at": self._reading.known_at}
        rows = self._reading.rows("entries", first=self.first, last=last, **moments)
        voids = {row["position"] for row in self._reading.rows("voids_of_order", first=self.first)}
        for row in rows:
            row["voided"] = row["position"] in voids
            row["counted"] = None if row["voided"] else row["counted"]
        return telling.by_position(
            sorted(rows, key=lambda row: (_moment(row["occurred_at"]), row["position"])), said_of
        )

    @cached_property
    def commitments(self) -> list[Row]:
        """All that was ever owed, in the order in which it was opened."""
        rows = self._reading.rows("order_commitments", first=self.first)
        return sorted(rows, key=lambda row: (_moment(row["opened_at"]), row["position"], row["kind"]))

    @cached_property
    def handoffs(self) -> list[Row]:
        """Its handovers, one after the other; ``due`` is when the receipt of each is."""
        due = {row["position"]: row["due_at"] for row in self.commitments if row["kind"] == "receive"}
        rows = self._reading.rows("order_handoffs", first=self.first)
        rows.sort(key=lambda row: row["stint"])
        return [
            {name: value for name, value in row.items() if name != "stint"} | {"due": due.get(row["position"])}
            for row in rows
        ]

    def owed(self, now: datetime | None) -> list[Row]:
        """What is owed by ``now``, that which comes next first: as in ball.sql, news and the question whether all is
        well come last, which are owed beside the work, and so does what is paused, which waits for another."""
        rows = [row for row in self.commitments if row["state"] in _PASSING]
        rows.sort(
            key=lambda row: (
                row["kind"] in BESIDE_THE_WORK,
                row["state"] == "paused",
                _moment(row["due_at"]),
                row["position"],
                row["kind"],
            )
        )
        return [_owed(row, now) for row in rows]


def _owed(row: Row, now: datetime | None) -> Row:
    late = now is not None and row["state"] == "open" and row["due_at"] is not None and _moment(row["due_at"]) < now
    return {
        "kind": row["kind"],
        "topic": row["topic"] or None,
        **{name: row[name] for name in ("owner", "owed_to", "opened_at", "due_at")},
        "state": "overdue" if late else row["state"],
        "overdue_seconds": (now - _moment(row["due_at"])) // _SECOND if now is not None and late else None,
        "level": row["level"],
    }


def counted(entries: Iterable[Row]) -> list[Row]:
    """The entries that count."""
    return [entry for entry in entries if entry["counted"] is not None]


def without_notes(entry: Row) -> Row:
    """An entry as it is answered: without what only serves to work out other things."""
    return {name: value for name, value in entry.items() if name not in {"counted", "party"}}


def _moment(text: Any) -> datetime:
    """A moment as rows have it; after all others where there is none."""
    return datetime.fromisoformat(text) if text is not None else _LAST
