"""What parties were told, kept over a restart of the service: a SQLite file beside the log, bounded and short-lived.

It may be deleted at any time; then what was told before stands in the log alone. What a person reads and no program
needs is left out of it, since it may repeat what somebody wrote: the words of a problem, and the name of a person.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from events.clock import Clock
from events.envelope import iso
from services.transaction import transaction

#: What was told so long ago is kept no more.
KEPT_FOR: Final = timedelta(days=7)

#: Every start counts on from here (times so much), for of what came last before a power cut nobody knows.
_LEAP: Final = 1_000_000

_SCHEMA: Final = """
create table if not exists told (
    kind text not null, number integer not null, party text not null, at text not null, item text not null,
    primary key (kind, number)
) without rowid;
create table if not exists run (kind text primary key, name text not null, last integer not null) without rowid;
"""


class Told:
    """Not for use by several threads at once. Raises sqlite3.Error where the disk does."""

    def __init__(self, path: Path, clock: Clock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30.0, check_same_thread=False)
        path.chmod(0o600)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")  # a process may die; a power cut may take the last ones
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def begin(self, kind: str) -> tuple[str, int]:
        """The name that cursors of this kind bear for as long as there is the file, and the number to count on from."""
        found = self._connection.execute("select name, last from run where kind = ?", (kind,)).fetchone()
        name, last = found if found is not None else (secrets.token_hex(4), 0)
        first = last + _LEAP
        self._connection.execute("insert or replace into run values (?, ?, ?)", (kind, name, first))
        return str(name), first

    def all_of(self, kind: str) -> list[tuple[int, str, Any]]:
        """Number, party and item of all that is kept and not too old, as they came."""
        self._forget_old(kind)
        rows = self._connection.execute("select number, party, item from told where kind = ? order by number", (kind,))
        return [(int(number), str(party), orjson.loads(item)) for number, party, item in rows]

    def add(self, kind: str, items: Iterable[tuple[int, str, Any]], most: int) -> None:
        """Keep some more, and of all of this kind no more than ``most``, and none that is too old."""
        at = iso(self._clock.now())
        rows = [(kind, number, party, at, orjson.dumps(item).decode()) for number, party, item in items]
        if not rows:
            return
        with transaction(self._connection):
            self._connection.executemany("insert or replace into told values (?, ?, ?, ?, ?)", rows)
            beyond = self._connection.execute(
                "select number from told where kind = ? order by number desc limit 1 offset ?", (kind, most)
            ).fetchone()
            gone = beyond[0] if beyond is not None else -1
            self._connection.execute("delete from told where kind = ? and number <= ?", (kind, gone))
            first = self._connection.execute("select at from told where kind = ? order by number limit 1", (kind,))
            if first.fetchone()[0] < self._oldest():  # else none is: to look at all of them each time would take long
                self._forget_old(kind)

    def _forget_old(self, kind: str) -> None:
        self._connection.execute("delete from told where kind = ? and at < ?", (kind, self._oldest()))

    def _oldest(self) -> str:
        return iso(self._clock.now() - KEPT_FOR)
