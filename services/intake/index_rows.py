"""What the index keeps of each fact: the tables of its file, and the rows that facts have in them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import ValidationError

from events.envelope import Event
from events.log import fact_key
from events.vocabulary import MERGING_FACTS
from services.intake.deciding import name_hash, order_hash
from services.intake.numbers import numbers_in

#: Raise it with every change of the tables; a file of another version is made anew.
VERSION: Final = 6
SCHEMA: Final = """
begin;
create table facts (
    key blob primary key, position integer not null, order_hash integer not null, name_hash integer not null
) without rowid;
create table orders (order_id text primary key, opened_by text not null, position integer not null) without rowid;
create table aliases (
    party text not null, reference text not null, order_id text not null, position integer not null,
    fact blob not null, primary key (party, reference)
) without rowid;
create index aliases_by_reference on aliases (reference);
create index aliases_by_order on aliases (order_id, party);
create table numbers (
    number text not null, kind text not null, given_by text not null, order_id text not null, fact blob not null,
    primary key (number, kind, order_id, given_by, fact)
) without rowid;
create index numbers_by_order on numbers (order_id);
create table handed (
    party text not null, order_id text not null, fact blob not null, primary key (party, order_id, fact)
) without rowid;
create table merges (
    fact blob primary key, order_id text not null, into_id text, moment integer not null, position integer not null
) without rowid;
create index merges_by_order on merges (order_id);
create table retracted (fact blob primary key) without rowid;
create table progress (one integer primary key check (one = 1), position integer not null);
insert into progress values (1, 0);
commit;
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

NUMBERING: Final = frozenset({"order.opened", "order.referenced", "unit.replaced"})
#: Of other facts no more is kept than that they are there.
NOTED: Final = NUMBERING | MERGING_FACTS | {"item.handed_over", "fact.corrected"}

#: position, source, id, name, subject, data, when it happened (of what says which orders are one; microseconds)
Note = tuple[int, str, str, str, str, dict[str, Any], int]


@dataclass
class Rows:
    """The rows of some facts, by table."""

    facts: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    orders: list[tuple[str, str, int]] = field(default_factory=list)
    aliases: list[tuple[str, str, str, int, bytes]] = field(default_factory=list)
    merges: list[tuple[bytes, str, str | None, int, int]] = field(default_factory=list)
    numbers: list[tuple[str, str, str, str, bytes]] = field(default_factory=list)
    handed: list[tuple[str, str, bytes]] = field(default_factory=list)
    retracted: list[tuple[bytes]] = field(default_factory=list)

    def add(self, note: Note) -> None:
        """Add the rows of one fact."""
        position, source, id, name, subject, data, moment = note
        key = fact_key(source, id)
        self.facts.append((key, position, order_hash(subject), name_hash(name)))
        if name not in NOTED:
            return
        if name in NUMBERING:
            self.numbers += [
                (number, kind, given_by, subject, key) for kind, number, given_by in numbers_in(name, source, data)
            ]
        if name == "order.opened":
            self.orders.append((subject, source, position))
        elif name == "order.referenced":
            self.aliases.append((source, str(data.get("reference")), subject, position, key))
        elif name == "item.handed_over":
            self.handed.append((str(data.get("to")), subject, key))
        elif name in MERGING_FACTS:
            into = data.get("into")
            self.merges.append((key, subject, into if isinstance(into, str) else None, moment, position))
        elif name == "fact.corrected":
            self.retracted.append((fact_key(str(data.get("fact_source") or source), str(data.get("fact_id"))),))

    def write(self, connection: sqlite3.Connection) -> None:
        """Put them into the tables, within a transaction of the caller's. Those that are there are left alone."""
        self.facts.sort()  # neighbours in the table are written together
        connection.executemany("insert or ignore into facts values (?, ?, ?, ?)", self.facts)
        # What is first in the log holds for an order, what is last for a number, in whatever order we are told.
        connection.executemany(
            "insert into orders values (?, ?, ?) on conflict (order_id) do update set"
            " opened_by = excluded.opened_by, position = excluded.position where excluded.position < position",
            self.orders,
        )
        connection.executemany(
            "insert into aliases values (?, ?, ?, ?, ?) on conflict (party, reference) do update set"
            " order_id = excluded.order_id, position = excluded.position, fact = excluded.fact"
            " where excluded.position > position",
            self.aliases,
        )
        connection.executemany("insert or ignore into numbers values (?, ?, ?, ?, ?)", self.numbers)
        connection.executemany("insert or ignore into handed values (?, ?, ?)", self.handed)
        connection.executemany("insert or ignore into merges values (?, ?, ?, ?, ?)", self.merges)
        connection.executemany("insert or ignore into retracted values (?)", self.retracted)


def note_of(event: Event, position: int) -> Note:
    """What the index keeps of a fact that stands at ``position``."""
    moment = _moment_of(event) if event.name in MERGING_FACTS else 0
    return position, event.source, event.id, event.name, event.subject, event.data, moment


def read_note(position: int, payload: bytes) -> Note | None:
    """What the index keeps of a stored fact, or None of what is no event: the log keeps it, nothing can refer to it."""
    try:
        document = orjson.loads(payload)
        source, id, subject = document["source"], document["id"], document["subject"]
        name = document["type"].removeprefix("repairchain.").rpartition(".v")[0]
        data = document.get("data")
        moment = _moment_of(Event.from_json(payload)) if name in MERGING_FACTS else 0
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValidationError):
        return None
    if not (isinstance(source, str) and isinstance(id, str) and isinstance(subject, str)):
        return None
    return position, source, id, name, subject, data if isinstance(data, dict) else {}, moment


def _moment_of(event: Event) -> int:
    """When it happened, as readers take it: never after it was recorded."""
    time = min(event.time, event.recordedtime or event.time)
    return (time - _EPOCH) // timedelta(microseconds=1)
