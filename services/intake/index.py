"""What intake must know about the log to decide: which facts are in it, which orders, and whose numbers they bear.

A SQLite file beside the log, filled by following the log, with its position in the same transaction as its rows. It may
be deleted at any time; it is then made anew. Two instances of one service share the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from events.envelope import Event, NumberKind
from events.log import fact_key
from events.vocabulary import MERGING_FACTS
from services.intake.deciding import Found, name_hash, order_hash
from services.intake.index_rows import NOTED, NUMBERING, SCHEMA, VERSION, Note, Rows, note_of, read_note
from services.intake.numbers import Number, brand, numbers_in
from services.transaction import transaction

#: Whether a party takes part in an order: the order's column or a parameter, and then the party, three times.
_TAKES_PART: Final = (
    "(exists (select 1 from orders o where o.order_id = {0} and o.opened_by = ?)"
    " or exists (select 1 from aliases a where a.order_id = {0} and a.party = ?"
    " and a.fact not in (select fact from retracted))"
    " or exists (select 1 from handed h where h.order_id = {0} and h.party = ?"
    " and h.fact not in (select fact from retracted)))"
)
_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


@dataclass
class Pending:
    """What the batch at hand has added so far, not yet in the log."""

    facts: dict[bytes, Found] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    merges: dict[str, tuple[bytes, str | None]] = field(default_factory=dict)  # with the fact that says so
    retracted: set[bytes] = field(default_factory=set)
    numbers: set[tuple[Number, str]] = field(default_factory=set)
    handed: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class _LookedUp:
    """What the index says of everything that a batch names, also that it knows nothing of it."""

    facts: dict[bytes, Found | None] = field(default_factory=dict)
    orders: dict[str, str | None] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str | None] = field(default_factory=dict)


class Index:
    """Look-ups over the log plus the batch at hand. Not for use by several threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open()
        self.pending = Pending()
        self._looked_up = _LookedUp()

    def _open(self) -> sqlite3.Connection:
        """Open the file, made anew if it is damaged or of another version. Raises sqlite3.Error, if it is busy say."""
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=30.0, check_same_thread=False)
        try:
            connection.execute("pragma journal_mode = wal")
            # A lost tail is read again from the log; only a damaged file would hurt, and WAL prevents that.
            connection.execute("pragma synchronous = off")
            connection.execute("pragma cache_size = -65536")  # 64 MiB: facts come under keys in no order
            version = connection.execute("pragma user_version").fetchone()[0]
            if version == 0:
                connection.executescript(SCHEMA.replace("commit;", f"pragma user_version = {VERSION}; commit;"))
            elif version != VERSION:
                connection.close()
                self._discard()
                return self._open()
        except sqlite3.DatabaseError as error:
            connection.close()
            if error.sqlite_errorname not in _DAMAGED:
                raise
            self._path.replace(self._path.with_name(self._path.name + ".unreadable"))
            self._discard()
            return self._open()
        return connection

    def _discard(self) -> None:
        """Remove the file with those beside it; of a long log it is too large to be left lying about."""
        for part in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + part).unlink(missing_ok=True)

    def close(self) -> None:
        self._connection.close()

    @property
    def position(self) -> int:
        """The log has been read up to here."""
        row = self._connection.execute("select position from progress").fetchone()
        return int(row[0])

    def find(self, source: str, id: str) -> Found | None:
        """Where that fact is and which order it is about; None if it is new."""
        key = fact_key(source, id)
        if key in self.pending.facts:
            return self.pending.facts[key]
        if key not in self._looked_up.facts:
            self._look_up_facts([key])
        return self._looked_up.facts[key]

    def position_of(self, source: str, id: str) -> int | None:
        """Where that fact is in the log, also if it is one of the batch at hand."""
        row = self._connection.execute("select position from facts where key = ?", (fact_key(source, id),)).fetchone()
        return None if row is None else int(row[0])

    def opened_by(self, order: str) -> str | None:
        """The party that opened that order; None if nobody has."""
        if order in self.pending.orders:
            return self.pending.orders[order]
        if order not in self._looked_up.orders:
            self._look_up_orders([order])
        return self._looked_up.orders[order]

    def order_of(self, party: str, reference: str) -> str | None:
        """The order that ``party`` has given that number, and has not taken it back."""
        if (party, reference) in self.pending.aliases:
            return self.pending.aliases[(party, reference)]
        if (party, reference) not in self._looked_up.aliases:
            self._look_up_aliases(party, [reference])
        return self._looked_up.aliases[(party, reference)]

    def numbered(self, party: str, kind: NumberKind, number: str, given_by: str | None) -> list[str]:
        """The orders in which ``party`` takes part and that have that number, given by ``given_by`` if that is said.

        It takes part in what it opened, was handed, or gave a number of its own. Of others it learns nothing here.
        """
        by = brand(given_by) if kind == "serial" and given_by is not None else given_by
        sql = (
            "select distinct order_id from numbers n where number = ? and kind = ?"  # noqa: S608 - our own
            " and (? is null or given_by in (?, ''))"
            f" and fact not in (select fact from retracted) and {_TAKES_PART.format('n.order_id')}"
        )
        rows = self._connection.execute(sql, (number, kind, by, by, party, party, party))
        found = {row[0] for row in rows}
        fresh = {order for each, order in self.pending.numbers if each[:2] == (kind, number) and _is_of(each, by)}
        found |= {order for order in fresh if self._takes_part(party, order)}
        # What this batch hands to the party, or it opens, may have had its number before.
        own = {order for to, order in self.pending.handed if to == party}
        for order in own - found:
            row = self._connection.execute(
                "select 1 from numbers where order_id = ? and number = ? and kind = ?"
                " and (? is null or given_by in (?, '')) and fact not in (select fact from retracted)",
                (order, number, kind, by, by),
            ).fetchone()
            if row is not None:
                found.add(order)
        return sorted(found)

    def _takes_part(self, party: str, order: str) -> bool:
        if self.pending.orders.get(order) == party or (party, order) in self.pending.handed:
            return True
        sql = f"select 1 where {_TAKES_PART.format('?')}"
        return self._connection.execute(sql, (order, party, order, party, order, party)).fetchone() is not None

    def numbers_of(self, order: str) -> list[str]:
        """All numbers that the order has, of any kind."""
        return [row[0] for row in self._connection.execute("select number from numbers where order_id = ?", (order,))]

    def merged_into(self, order: str) -> str | None:
        """The order of which that one is said to be a part; None if it is one of its own."""
        if order in self.pending.merges:
            fact, into = self.pending.merges[order]
            if fact not in self.pending.retracted:
                return into
        rows = self._connection.execute(
            "select fact, into_id from merges where order_id = ? and fact not in (select fact from retracted)"
            " order by moment desc, position desc",
            (order,),
        )
        return next((into for fact, into in rows if fact not in self.pending.retracted), None)

    def prepare(self, events: Iterable[Event]) -> None:
        """Look up at once what the decisions about these would ask one by one."""
        facts: set[bytes] = set()
        orders: set[str] = set()
        references: dict[str, set[str]] = {}
        for event in events:
            facts.add(fact_key(event.source, event.id))
            orders.add(event.subject)
            references.setdefault(event.source, set()).add(event.subject)
        self._look_up_facts(list(facts))
        for party, named in references.items():
            self._look_up_aliases(party, list(named))
            orders.update(order for name in named if (order := self._looked_up.aliases[(party, name)]) is not None)
        self._look_up_orders(list(orders))

    def _look_up_facts(self, keys: Sequence[bytes]) -> None:
        rows = self._connection.execute(
            f"select key, position, order_hash, name_hash from facts where key in ({_marks(keys)})",  # noqa: S608 - question marks
            keys,
        )
        found = {row[0]: Found(*row[1:]) for row in rows}
        self._looked_up.facts.update((key, found.get(key)) for key in keys)

    def _look_up_orders(self, orders: Sequence[str]) -> None:
        rows = self._connection.execute(
            f"select order_id, opened_by from orders where order_id in ({_marks(orders)})",  # noqa: S608 - question marks
            orders,
        )
        found = dict(rows.fetchall())
        self._looked_up.orders.update((order, found.get(order)) for order in orders)

    def _look_up_aliases(self, party: str, references: Sequence[str]) -> None:
        marks = _marks(references)
        rows = self._connection.execute(
            f"select reference, order_id from aliases where party = ? and reference in ({marks})"  # noqa: S608 - question marks
            " and fact not in (select fact from retracted)",
            (party, *references),
        )
        found = dict(rows.fetchall())
        self._looked_up.aliases.update(((party, name), found.get(name)) for name in references)

    def names(self, text: str) -> bool:
        """Whether that is the id of an order, or any number of one."""
        row = self._connection.execute(
            "select exists (select 1 from orders where order_id = ?)"
            " or exists (select 1 from aliases where reference = ? and fact not in (select fact from retracted))"
            " or exists (select 1 from numbers where number = ?)",
            (text, text, text),
        ).fetchone()
        return bool(row[0])

    def has_read(self, payload: bytes) -> bool:
        """Whether that fact of the log is known here; so is whatever cannot be told."""
        note = read_note(0, payload)
        return note is None or self.find(note[1], note[2]) is not None

    def clear(self) -> None:
        """Forget everything and start at the beginning of the log."""
        self._connection.executescript(
            "begin; delete from facts; delete from orders; delete from aliases; delete from merges;"
            " delete from numbers; delete from handed; delete from retracted;"
            " update progress set position = 0; commit;"
        )
        self._looked_up = _LookedUp()

    def expect(self, event: Event) -> None:
        """Note a fact of the batch at hand, so that what follows in the batch can refer to it."""
        pending, name = self.pending, event.name
        pending.facts[fact_key(event.source, event.id)] = Found(0, order_hash(event.subject), name_hash(name))
        if name not in NOTED:
            return
        if name in NUMBERING:
            pending.numbers.update((number, event.subject) for number in numbers_in(name, event.source, event.data))
        if name == "item.handed_over":
            pending.handed.add((str(event.data.get("to")), event.subject))
        elif name == "order.opened":
            pending.orders.setdefault(event.subject, event.source)
        elif name == "order.referenced":
            pending.aliases[(event.source, str(event.data.get("reference")))] = event.subject
        elif name in MERGING_FACTS:
            pending.merges[event.subject] = fact_key(event.source, event.id), event.data.get("into")
        elif name == "fact.corrected":
            target = str(event.data.get("fact_source") or event.source), str(event.data.get("fact_id"))
            pending.retracted.add(fact_key(*target))

    def forget(self) -> None:
        """Drop what the batch at hand has added: it was not appended."""
        self.pending = Pending()
        self._looked_up = _LookedUp()

    def appended(self, events: Sequence[Event], positions: Sequence[int]) -> None:
        """These of the batch at hand are in the log at these positions. What follows there on what we have read is
        read, too. Until ``forget`` they are found as the batch's own, without their positions."""
        reached = self.position
        for position in positions:
            reached += position == reached + 1
        at = zip(events, positions, strict=True)
        self._write((note_of(event, position) for event, position in at), up_to=reached)

    def follow(self, batch: Sequence[tuple[int, bytes]]) -> None:
        """Take in what was read from the log. Repeats are harmless."""
        self._write((read_note(position, payload) for position, payload in batch), up_to=batch[-1][0])

    def _write(self, notes: Iterable[Note | None], up_to: int) -> None:
        rows = Rows()
        for note in notes:
            if note is not None:
                rows.add(note)
        self._looked_up = _LookedUp()
        with transaction(self._connection):
            rows.write(self._connection)
            self._connection.execute("update progress set position = max(position, ?)", (up_to,))


def _is_of(number: Number, given_by: str | None) -> bool:
    return given_by is None or number.given_by in (given_by, "")


def _marks(values: Sequence[object]) -> str:
    """As many question marks; SQLite takes up to 32,766 of them, a batch has 1,000 submissions."""
    return ",".join("?" * len(values))
