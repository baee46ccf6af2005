"""One order's rows: each table is read once, by a plain statement, and what follows from the rows is worked out here.

DuckDB takes some milliseconds to set up a join or an order, more than all else that a question about one order costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from projections.queries import telling
from projections.queries.reading import Reading, Row

#: Kinds that are owed beside the work.
BESIDE_THE_WORK: Final = frozenset({"update", "check"})
_PASSING: Final = frozenset({"open", "paused"})
#: What is read of the tables. Of events this is what entries.sql reads.
_EVENT: Final = (
    "position", "occurred_at", "recorded_at", "type", "version", "source", "id", "data", "fact", "party", "aside",
)  # fmt: skip
_COMMITMENT: Final = (
    "position", "kind", "topic", "owner", "owed_to", "accountable", "opened_at", "due_at", "ended_at", "state",
    "paused_for", "met_late", "rule", "level", "nudged_at", "withdrawn_at", "promises", "first_promised_at",
    "promised_at", "promised_by",
)  # fmt: skip
_HANDOFF: Final = (
    "position", "from_party", "to_party", "handed_at", "received_at", "wait_seconds", "state", "ping_pong", "stint",
)  # fmt: skip
_MESSAGE: Final = (
    "message_id", "kind", "status", "planned_at", "sent_at", "next_news_by", "planned_position", "sent_position",
    "reason_position",
)  # fmt: skip
_STATUS: Final = (
    "order_id", "status", "open", "since", "holder", "heading_to", "accountable", "customer", "opened_by",
    "opened_at", "closed_at", "outcome", "brand", "model", "serial", "fault_text", "urgency", "category", "next_step",
    "next_owner", "last_told_at", "last_told_kind", "next_news_by", "facts", "handoffs", "reopenings", "ping_pongs",
    "contacts_started", "messages_sent", "first_position", "last_position",
)  # fmt: skip
#: What an entry has only for other things to be worked out.
_NOTES: Final = frozenset({"counted", "party", "aside"})
_SECOND: Final = timedelta(seconds=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class SingleOrder:
    """Of the order that ``subject`` names (a row of find_subject.sql), at the reading's moment.

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
        rows = self._events()
        voids = self._voids_among(rows)
        entries = [_entry(row, is_void=row["position"] in voids) for row in sorted(rows, key=as_it_happened)]
        return telling.by_position(entries, self._said_of(rows))

    def _events(self) -> list[Row]:
        if self._reading.past is not None:
            return self._reading.past.rows("events", _EVENT, self.first)
        return self._reading.rows("entries", first=self.first, last=self.subject["until"])

    def _said_of(self, rows: Sequence[Row]) -> dict[int, str]:
        """Of which id that became part of the order something was said."""
        if not any(row["aside"] for row in rows):
            return {}
        if self._reading.past is None:
            return telling.said_of(self._reading, [self.first], self.first, self.subject["until"])
        events = self._reading.past.rows("events", ("position", "order_id", "aside"), self.first)
        return {event["position"]: event["order_id"] for event in events if event["aside"]}

    def _voids_among(self, rows: Sequence[Row]) -> set[int]:
        # What is taken back may have been so by a fact that happened after the moment of the question.
        if self._reading.as_of is None and count_all(rows):
            return set()
        return {row["position"] for row in self._reading.of_order("voids", ("position",), self.first)}

    @cached_property
    def row(self) -> Row | None:
        """Its row of the model `orders`; None for a party of which no fact made an order."""
        rows = self._reading.of_order("orders", _STATUS, self.first)
        return rows[0] if rows else None

    @cached_property
    def counted(self) -> list[Row]:
        """The entries that count."""
        return [entry for entry in self.entries.values() if entry["counted"] is not None]

    @cached_property
    def merged(self) -> list[str]:
        """The ids of the orders that became part of it. The fact by which each did so was said of that one."""
        if not any(entry["aside"] for entry in self.entries.values()):
            return []
        return sorted(row["order_id"] for row in self._reading.rows("merged_of", first=self.first))

    @cached_property
    def references(self) -> list[Row]:
        """What parties call it. The names are not read with the entries: unpacked, each column of texts is dear."""
        if not self.says("order.referenced"):
            return []
        names = self._reading.of_order("names", ("kind", "party", "name"), self.first)
        said = sorted((name["party"], name["name"]) for name in names if name["kind"] == "reference")
        return [{"party": party, "reference": name} for party, name in said]

    @cached_property
    def messages(self) -> list[Row]:
        """What the customer was told, in the order in which it was planned or sent."""
        rows = self._reading.of_order("messages", _MESSAGE, self.first)
        return sorted(rows, key=as_it_was_told)

    @cached_property
    def commitments(self) -> list[Row]:
        """All that was ever owed, in the order in which it was opened."""
        rows = self._reading.of_order("commitments", _COMMITMENT, self.first)
        return sorted(rows, key=as_it_was_opened)

    @cached_property
    def handoffs(self) -> list[Row]:
        """Its handovers, one after the other; ``due`` is when the receipt of each is."""
        if not self.says("item.handed_over"):
            return []
        due = {row["position"]: row["due_at"] for row in self.commitments if row["kind"] == "receive"}
        rows = self._reading.of_order("handoffs", _HANDOFF, self.first)
        return [_handoff(row, due.get(row["position"])) for row in sorted(rows, key=lambda row: row["stint"])]

    def says(self, start: str) -> bool:
        """Whether any fact counts whose name begins with that."""
        return any(fact["counted"].startswith(start) for fact in self.counted)

    def owed(self, now: datetime | None) -> list[Row]:
        """What is owed by ``now``, that which comes next first."""
        return owed_by(now, (row for row in self.commitments if row["state"] in _PASSING))


def _entry(row: Row, *, is_void: bool) -> Row:
    counts = row["version"] != 0 and not is_void
    notes = {"counted": row["fact"] if counts else None, "party": row["party"], "aside": row["aside"]}
    return entry_of(row, is_void=is_void) | notes


def entry_of(row: Row, *, is_void: bool) -> Row:
    """An event as it is answered, but for what telling.py adds."""
    return {
        **{name: row[name] for name in ("position", "occurred_at", "recorded_at", "type")},
        "version": row["version"] or None,
        **{name: row[name] for name in ("source", "id", "data")},
        "known": row["fact"] is not None,
        "voided": is_void,
    }


def _handoff(row: Row, due: Any) -> Row:
    names = ("received_at", "wait_seconds", "state", "ping_pong")
    sent = {name: row[name] for name in ("position", "from_party", "to_party", "handed_at")}
    return {**sent, "due": due, **{name: row[name] for name in names}}


def owed_by(now: datetime | None, rows: Iterable[Row]) -> list[Row]:
    """What is owed in one order, that which comes next first: as in ball.sql, news and the question whether all is well
    come last, which are owed beside the work, and so does what is paused, which waits for another."""
    return [_owed(row, now) for row in sorted(rows, key=_comes_next)]


def _comes_next(row: Row) -> tuple[Any, ...]:
    beside, paused = row["kind"] in BESIDE_THE_WORK, row["state"] == "paused"
    return beside, paused, moment_of(row["due_at"]), row["position"], row["kind"]


def _owed(row: Row, now: datetime | None) -> Row:
    late = now is not None and row["state"] == "open" and moment_of(row["due_at"]) < now
    return {
        "kind": row["kind"],
        "topic": row["topic"] or None,
        **{name: row[name] for name in ("owner", "owed_to", "opened_at", "due_at")},
        "state": "overdue" if late else row["state"],
        "overdue_seconds": overdue_seconds(row, now) if now is not None and late else None,
        "level": row["level"],
    }


def count_all(rows: Sequence[Row]) -> bool:
    """Whether it can be seen that none is void: nothing is said twice, and nothing is taken back."""
    once = {(row["source"], row["id"]) for row in rows}
    return len(once) == len(rows) and all(row["fact"] != "fact.corrected" for row in rows)


def without_notes(entry: Row) -> Row:
    """An entry as it is answered: without what only serves to work out other things."""
    return {name: value for name, value in entry.items() if name not in _NOTES}


def as_it_happened(event: Row) -> tuple[Any, ...]:
    """The place of an event in its order's story."""
    return moment_of(event["occurred_at"]), event["position"]


def as_it_was_opened(commitment: Row) -> tuple[Any, ...]:
    """The place of a commitment among those of its order."""
    return moment_of(commitment["opened_at"]), commitment["position"], commitment["kind"]


def as_it_was_told(message: Row) -> tuple[Any, ...]:
    """The place of a message among those of its order: when it was planned or, if nobody planned it, sent."""
    return moment_of(message["planned_at"] or message["sent_at"]), message["message_id"]


def overdue_seconds(row: Row, now: datetime) -> int:
    """For how long it has been due."""
    return (now - moment_of(row["due_at"])) // _SECOND


def moment_of(text: Any) -> datetime:
    """A moment as rows have it; after all others where there is none."""
    return datetime.fromisoformat(text) if text is not None else _LAST
