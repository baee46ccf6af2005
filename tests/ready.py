"""Databases without facts, ready made: opening one takes a tenth of making it, and emptying one even less."""

from __future__ import annotations

import atexit
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import duckdb
import pytest

from projections.book import Book, keep
from projections.database import Database, open_database
from projections.merging import Merges
from projections.models import CATALOG
from projections.recent import Keys, Recent
from projections.statements import execute
from services import readmodels

#: Open, empty, and nobody's.
_spare: Final[list[Database]] = []
#: Rows that were deleted stay in a file for a while: after so many times it is not used again.
_TIMES: Final = 400

_numbers: Final = itertools.count()
_used: Final[dict[Path, int]] = {}


@atexit.register
def _close_all() -> None:
    while _spare:
        throw_away(_spare.pop())


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        open_database(file).close()
        return file.read_bytes()


def put_empty_database(file: Path) -> None:
    """Let ``file`` be a database without facts, as ``open_database`` would make it there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_empty())


def open_empty_database(file: Path, *, threads: int | None = None) -> Database:
    """``open_database`` where there is no file yet, without the work of making one."""
    put_empty_database(file)
    return open_database(file, threads=threads)


@contextmanager
def lent_database() -> Iterator[Database]:
    """A database without facts that may have been another test's before, and is the next one's afterwards.

    For tests that have nothing to do with its file and do not close it.
    """
    database = borrow_database()
    try:
        yield database
    finally:
        give_back(database)


@contextmanager
def projectors_borrow() -> Iterator[None]:
    """Within this a projector of this process works in a lent database, in place of the file in its home.

    For tests that are about other services: a projector that is started again begins with nothing.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readmodels, "open_database", lambda _: borrow_database())
        patch.setattr(readmodels, "Database", SimpleNamespace(close=give_back))
        yield


def borrow_database() -> Database:
    """See ``lent_database``."""
    if _spare:
        return _spare.pop()
    file = Path(_folder().name) / f"{next(_numbers)}.duckdb"
    put_empty_database(file)
    return open_database(file, threads=1)  # tests run side by side


def give_back(database: Database) -> None:
    """See ``lent_database``."""
    _used[database.path] = _used.get(database.path, 0) + 1
    if _used[database.path] < _TIMES:
        try:
            _empty_out(database)
        except duckdb.Error:
            pass  # whatever its test has done to it: the next one gets another
        else:
            _spare.append(database)
            return
    throw_away(database)


def throw_away(database: Database) -> None:
    """Close a database that nobody opens again, and leave its file as it is."""
    cursor = database.cursor()
    cursor.execute("PRAGMA disable_checkpoint_on_shutdown")
    cursor.close()
    database.close()


def _empty_out(database: Database) -> None:
    """Take all facts away. The desk stays: to plan what is done on it takes longer than the facts of a test do."""
    cursor = database.cursor()
    try:
        cursor.execute("BEGIN")
        for table in _tables_of_facts():
            execute(cursor, f"DELETE FROM {CATALOG}.{table}")
        execute(cursor, f"UPDATE {CATALOG}.meta SET position = 0, mirrored = 0")
        cursor.execute("COMMIT")
    finally:
        cursor.close()
    database._position = database._mirrored = 0
    database._book, database._merges = keep(Book((), {})), Merges()
    if (desk := database._desk) is not None:
        desk.voided, desk.recent, desk.keys = set(), Recent(begin=1), Keys(())


@cache
def _tables_of_facts() -> tuple[str, ...]:
    """Those that have no row in a database without facts."""
    file = Path(_folder().name) / "tables.duckdb"
    put_empty_database(file)
    with open_database(file, threads=1) as database:
        cursor = database.cursor()
        query = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY ALL"
        names = [str(name) for (name,) in cursor.execute(query, [CATALOG]).fetchall()]
        counted = {name: cursor.execute(f"SELECT count(*) FROM {CATALOG}.{name}").fetchall()[0][0] for name in names}
        cursor.close()
    return tuple(name for name, count in counted.items() if not count)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Of this process, for as long as it lives."""
    return tempfile.TemporaryDirectory(prefix="databases")
