"""The file of the read models and the threads that may touch it: one writes, a few read.

The file is disposable: one that belongs to another log, or that cannot be read, is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import duckdb
import orjson
import structlog

from projections import queries
from projections.database import Database, open_database
from services.workday import working_days

_READERS: Final = 4

#: What DuckDB raises when it cannot read its file, and from then on; or when we have just closed it for that reason.
DAMAGE: Final = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.ConnectionException,
)

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.get_logger("projector")


class ReadModels:
    """``await open()``, then ``write`` and ``read`` until ``await close()``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, "duckdb-writer")
        self._readers = ThreadPoolExecutor(_READERS, "duckdb-reader")

    async def open(self) -> None:
        """Open the file, made anew if it cannot be read. Raises DatabaseError if another process has it."""
        self._database = await self._in_writer(lambda: open_database(self._path))

    async def close(self) -> None:
        """Finish the transaction at hand and close the file."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        await self.write(Database.close)
        self._writer.shutdown()

    @property
    def position(self) -> int:
        """The read models reflect the log up to here."""
        return self._database.position

    @property
    def mirrored(self) -> int:
        """The mirror holds the log up to here."""
        return self._database.mirrored

    async def write(self, method: Callable[Concatenate[Database, P], T], *args: P.args, **options: P.kwargs) -> T:
        """Call a method of Database in the one thread that may write. Raises what it raises."""
        return await self._in_writer(lambda: method(self._database, *args, **options))

    async def read(
        self, name: str, args: Mapping[str, Any], as_of: str | None, known_at: str | None, now: datetime
    ) -> dict[str, Any]:
        """Answer one question. Raises QueryError for a bad one, and one of DAMAGE if the file cannot be read."""
        return await self._in_reader(
            lambda: dict(queries.answer(self._database, name, args, as_of=as_of, known_at=known_at, now=now))
        )

    async def working_days(self, args: dict[str, Any], as_of: str | None, known_at: str | None) -> dict[str, Any]:
        """How long a working day is for some parties (workday.py). Raises as ``read`` does."""
        return await self._in_reader(lambda: working_days(self._database, args, as_of, known_at))

    async def stored_position(self) -> int:
        """The position as DuckDB has it: proves that it can be read."""
        return await self._in_reader(lambda: int(_rows(self._database, "SELECT position FROM meta")[0][0]))

    async def has(self, position: int, payload: bytes) -> bool:
        """Whether the mirror has the fact with that payload at ``position``."""
        query = f"SELECT source, id FROM events WHERE position = {int(position)}"  # noqa: S608 - a number
        rows = await self._in_reader(lambda: _rows(self._database, query))
        try:
            event = orjson.loads(payload)
            told = event["source"], event["id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return bool(rows)  # nothing by which to know it
        return rows == [told]

    async def start_anew(self) -> None:
        """Begin again with an empty file."""
        await self._in_writer(self._start_anew)

    async def reopen(self) -> None:
        """Close the file and open it again, which DuckDB asks for after a FATAL error; set it aside if it is damaged.

        Raises what opening raises; it may be tried again.
        """
        await self._in_writer(self._reopen)

    def _reopen(self) -> None:
        self._database.close()
        self._database = open_database(self._path)
        try:
            _read_through(self._database)
        except duckdb.Error as error:
            _log.error("the read models are damaged: setting them aside and making them anew", error=str(error))
            self._database.close()
            self._path.replace(self._path.with_name(self._path.name + ".unreadable"))
            self._start_anew()

    def _start_anew(self) -> None:
        self._database.close()
        for file in (self._path, self._path.with_name(self._path.name + ".wal")):
            file.unlink(missing_ok=True)
        self._database = open_database(self._path)

    async def _in_writer(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, function)

    async def _in_reader(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, function)


def _rows(database: Database, query: str) -> list[Any]:
    cursor = database.cursor()
    try:
        return cursor.execute(query).fetchall()
    finally:
        cursor.close()


def _read_through(database: Database) -> None:
    """Read every block of the file. Raises duckdb.Error if one cannot be read."""
    tables = _rows(database, "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()")
    for (table,) in tables:
        _rows(database, f"SELECT bit_xor(hash(row)) FROM {table} AS row")  # noqa: S608 - our own tables
