"""The DuckDB file that holds the mirror and the read models: opening it, moving it on, making it anew.

One process owns the file. One thread writes through `Database`; readers take a `cursor()` each. The file is disposable:
everything in it comes from the log.
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from projections import mirror, models
from projections.book import Book, open_book
from projections.desk import Desk
from projections.functions import remove_functions
from projections.live import PolicyChangedError, apply_models, make_models
from projections.merging import Merges
from projections.mirror import Message
from projections.models import CATALOG
from projections.rebuild import build_stored, take_over
from projections.schema import (
    DatabaseError,
    DuckDBSettings,
    borrow_apart,
    create_or_check,
    give_back_apart,
    remove,
    set_aside,
)
from projections.statements import execute
from projections.threads import Hands, threads_of

#: With no more than this in the mirror, one thread is done sooner than several that have to wait for each other.
_ENOUGH_FOR_SEVERAL: Final = 100_000
#: In a batch of no more facts than this several threads have nothing to share, and sending them away takes as long.
_FEW: Final = 50
#: To close the file, we wait for whoever reads for so long (seconds).
_READERS_END: Final = 10.0


class Database:
    """An open database. Make one with ``open_database``; close it, or use it as a context manager.

    With ``grows``, one thread works for it at first, and as many as there are cores once it is worth their while.
    """

    def __init__(self, root: DuckDBPyConnection, path: Path, *, grows: bool = False) -> None:
        self.path = path
        self._root = root
        self._opening = threading.Lock()  # DuckDB refuses the calls of two threads on one connection
        self._own = self.cursor()  # for what is no part of a batch
        self._grows = grows
        self._writing = threading.Lock()
        self._position, self._mirrored = self._read_positions()
        self._hands = Hands(threads_of(root))
        self._grow()
        self._book, self._merges = self._open_book(), self._read_merges()
        self._desk: Desk | None = None

    @property
    def position(self) -> int:
        """The last position of the log that the read models show; 0 when they show nothing yet."""
        return self._position

    @property
    def mirrored(self) -> int:
        """The last position that the mirror holds: ahead of ``position`` between ``mirror_only`` and ``rebuild``."""
        return self._mirrored

    def cursor(self) -> DuckDBPyConnection:
        """A connection of its own for one thread, which has to close it. Read with it; writing is this class's job."""
        with self._opening:
            cursor = self._root.cursor()
        cursor.execute(f"USE {CATALOG}")
        return cursor

    def large_question(self, cursor: DuckDBPyConnection) -> None:
        """Tell that one is to be asked by ``cursor``, for which a batch may have left one thread alone."""
        self._hands.all(cursor)

    def apply(self, batch: Sequence[Message]) -> int:
        """Mirror messages (position, payload) and bring the read models up to them, all in one transaction.

        Positions that were seen before are passed over. Returns the position reached. If the mirror had run ahead
        of the models, they are made anew.
        """
        with self._writing:
            if self._mirrored != self._position:
                self._mirror(batch)
                return self._rebuild()
            new = mirror.unseen(batch, self._mirrored)
            if new:
                try:
                    self._book = self._apply(new)
                except PolicyChangedError:
                    self._mirror(new)
                    return self._rebuild()
                self._position = self._mirrored = new[-1][0]
                self._take_note()
                self._grow()
            return self._position

    def mirror_only(self, batch: Sequence[Message]) -> int:
        """Mirror messages and leave the read models behind, for catching up; ``rebuild`` when done.

        Returns the position mirrored.
        """
        with self._writing:
            return self._mirror(batch)

    def rebuild(self) -> int:
        """Make all read models anew from the mirror. Readers see the old rows until the new ones are complete.

        Returns the position reached.
        """
        with self._writing:
            return self._rebuild()

    def snapshot(self, file: Path | str) -> None:
        """Write a copy, as of one moment, to a new DuckDB file that others may open. Replaces ``file``.

        Until it is whole it has another name beside it: what is cut off leaves no half of a copy under that name.
        """
        target = Path(file)
        part = target.with_name(f".{target.name[:40]}.part")
        remove(part)
        cursor = self.cursor()
        try:
            cursor.execute(f"ATTACH {_quoted(part)} AS snapshot")
            try:
                cursor.execute(f"COPY FROM DATABASE {CATALOG} TO snapshot")
            finally:  # else no other could be written any more
                cursor.execute("DETACH snapshot")
            remove(target)
            part.replace(target)
        except (duckdb.Error, OSError) as error:
            remove(part)
            raise DatabaseError(f"the snapshot could not be written to {target}: {error}") from error
        finally:
            cursor.close()

    def close(self) -> None:
        with self._writing:
            self._clear_desk()
            self._own.close()
            with self._opening:  # from here on nobody begins to read
                remove_functions(self._root)
                self._close_root()

    def _close_root(self) -> None:
        """DuckDB refuses to close while a reader is in a call; each is over soon."""
        until = time.monotonic() + _READERS_END
        while True:
            try:
                return self._root.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.005)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _apply(self, new: Sequence[Message]) -> Book:
        """Mirror new messages and make the models of their orders anew. Returns the book that holds from here on."""
        if len(new) > _FEW:
            self._hands.one(self._own)
        with self._working() as desk:
            arrived = mirror.take_apart(desk, new, self._merges)
            making = make_models(desk, arrived, self._book)
            mirror.add_events(desk, arrived)
            _move(desk.writer.cursor, position=new[-1][0], mirrored=new[-1][0])
            apply_models(making)
        self._merges = arrived.merges
        return making.book

    def _mirror(self, batch: Sequence[Message]) -> int:
        new = mirror.unseen(batch, self._mirrored)
        if new:
            self._hands.all(self._own)
            with self._working() as desk:
                merges = mirror.mirror_batch(desk, new, self._merges)
                _move(desk.writer.cursor, position=self._position, mirrored=new[-1][0])
            self._merges = merges
            self._mirrored = new[-1][0]
            self._grow()
        return self._mirrored

    def _rebuild(self) -> int:
        self._clear_desk()  # its plans are for the tables of before
        book = build_stored(self.cursor, self._mirrored, self._hands)
        with self._transaction() as cursor:
            take_over(cursor)
            _move(cursor, position=self._mirrored, mirrored=self._mirrored)
            cursor.execute(f"UPDATE {CATALOG}.meta SET models_version = ?", [models.models_version()])
        self._position = self._mirrored
        self._book = book
        return self._position

    def _grow(self) -> None:
        if self._grows and self._mirrored > _ENOUGH_FOR_SEVERAL:
            self._hands.grow(self._own)
            self._grows = False

    def _open_book(self) -> Book:
        cursor = self.cursor()
        try:
            return open_book(cursor)
        finally:
            cursor.close()

    def _read_merges(self) -> Merges:
        cursor = self.cursor()
        try:
            return Merges.read(cursor)
        finally:
            cursor.close()

    def _read_positions(self) -> tuple[int, int]:
        rows = self._own.execute(f"SELECT position, mirrored FROM {CATALOG}.meta").fetchall()
        return int(rows[0][0]), int(rows[0][1])

    @contextmanager
    def _working(self) -> Iterator[Desk]:
        """The desk within a transaction. It is set up again after whatever may have left it in disorder."""
        desk = self._desk or Desk(self.cursor(), borrow_apart(), self._mirrored)
        self._desk = None
        try:
            with desk.transaction():
                yield desk
            self._desk = desk
        finally:
            if self._desk is None:
                _throw_away(desk)

    def _take_note(self) -> None:
        """Have the desk note what was committed, after ourselves: if it is interrupted, no batch is taken twice."""
        desk, self._desk = self._desk, None
        assert desk is not None, "a batch has just been committed there"
        try:
            if desk.take_note():
                self._desk = desk
        finally:
            if self._desk is None:
                _throw_away(desk)

    def _clear_desk(self) -> None:
        if self._desk is not None:
            self._desk.close()
            give_back_apart(self._desk.maker)
            self._desk = None

    @contextmanager
    def _transaction(self) -> Iterator[DuckDBPyConnection]:
        """A cursor within a transaction. Its temporary tables end with it."""
        cursor = self.cursor()
        try:
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")
        finally:
            # Closing rolls back what was not committed.
            cursor.close()


def _throw_away(desk: Desk) -> None:
    desk.close()
    desk.maker.cursor.close()


def _move(cursor: DuckDBPyConnection, *, position: int, mirrored: int) -> None:
    statement = f"UPDATE {CATALOG}.meta SET position = $position, mirrored = $mirrored"
    execute(cursor, statement, {"position": position, "mirrored": mirrored})


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def open_database(path: Path | str, *, threads: int | None = None) -> Database:
    """Open the database at ``path``, and create it if it is not there.

    A file that cannot be read is set aside (``.unreadable``), one whose mirror was made by another version is emptied;
    either then begins at position 0, for the log has everything. Models made by other SQL are rebuilt from the mirror.
    Raises DatabaseError if another process has the file open, or if the place cannot be written to. Without
    ``threads``, their number follows from how much there is.
    """
    target = Path(path)
    settings: DuckDBSettings = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 1 if threads is None else threads,
    }
    root, behind = create_or_check(target, settings)
    try:
        database = Database(root, target, grows=threads is None)
    except duckdb.Error as error:  # cut off further on than where its version stands
        root.close()
        set_aside(target, error)
        root, behind = create_or_check(target, settings)
        database = Database(root, target, grows=threads is None)
    if behind:
        database.rebuild()
    return database
