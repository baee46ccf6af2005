"""Scans that were taken and are not in the log yet: on the disk before their sender hears that we have them.

A SQLite file beside the log. Most wait for a moment; those of a parcel that nobody has handed over yet, for that. If
the file is deleted they are lost until the next scan, with which carriers tell the whole story of the parcel again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from events.envelope import iso
from services.carriers.checkpoint import Checkpoint, plain_number
from services.transaction import transaction

#: What nobody has handed over by then is not ours.
KEPT: Final = timedelta(days=90)
#: Beyond so many the oldest go: whoever has a secret could fill the disk.
MOST: Final = 100_000

_SCHEMA: Final = """
create table if not exists waiting (
    id text primary key, number text not null, checkpoint text not null, since text not null
) without rowid;
create index if not exists waiting_by_number on waiting (number);
create index if not exists waiting_by_since on waiting (since);
"""


class Waiting:
    """Not for use by several threads at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30.0, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, checkpoints: Iterable[Checkpoint], now: datetime) -> None:
        """Keep them; on the disk when this returns. Those that wait already are as before."""
        rows = [(each.id, plain_number(each.number), each.model_dump_json(), iso(now)) for each in checkpoints]
        with transaction(self._connection):
            self._connection.executemany("insert or ignore into waiting values (?, ?, ?, ?)", rows)
            self._connection.execute("delete from waiting where since < ?", (iso(now - KEPT),))
            beyond = self.count() - MOST
            if beyond > 0:
                oldest = "select id from waiting order by since limit ?"
                self._connection.execute(f"delete from waiting where id in ({oldest})", (beyond,))  # noqa: S608 - ours

    def numbers(self) -> list[str]:
        """The parcels of which something waits, those that came last first."""
        found = self._connection.execute("select number from waiting group by number order by max(since) desc")
        return [number for (number,) in found]

    def of(self, number: str) -> list[Checkpoint]:
        """What waits of one parcel, as it happened."""
        rows = self._connection.execute("select checkpoint from waiting where number = ?", (number,))
        return sorted((found for (text,) in rows if (found := _read(text)) is not None), key=lambda each: each.at)

    def remove(self, ids: Sequence[str]) -> None:
        """They are in the log."""
        with transaction(self._connection):
            self._connection.executemany("delete from waiting where id = ?", [(id,) for id in ids])

    def count(self) -> int:
        """How many wait."""
        return int(self._connection.execute("select count(*) from waiting").fetchone()[0])


def _read(text: str) -> Checkpoint | None:
    """None for what another version wrote: one such scan must not keep those of other parcels from being told."""
    try:
        return Checkpoint.model_validate_json(text)
    except ValidationError:
        return None
