"""The database file itself: attaching it, creating its tables, and telling whether what it holds can still be used."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from projections.functions import add_functions
from projections.mirror import create_mirror, define_facts, mirror_version
from projections.models import CATALOG, define_words, models_version
from projections.rebuild import build_stored, forget_unfinished, take_over
from projections.statements import read_sql
from projections.threads import Hands, share_work
from projections.workbench import Workbench

DuckDBSettings = dict[str, str | bool | int | float | list[str]]

#: Large, because folding the write-ahead log into the file is what makes a live batch slow now and then.
_CHECKPOINT_THRESHOLD: Final = "256MB"

#: Workbenches that nobody uses, for the plans on them: making those takes longer than a live batch does.
_spare: Final[list[Workbench]] = []
_MOST_SPARE: Final = 2
_sharing: Final = threading.Lock()

_log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """The database file cannot be used; the message says why, in a sentence for people."""


class InUseError(DatabaseError):
    """Another process has the file open."""


def create_or_check(path: Path, settings: DuckDBSettings) -> tuple[DuckDBPyConnection, bool]:
    """Attach the file, usable and empty if need be. Also tells whether its models are of another version."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"the folder of {path} cannot be made: {error.strerror}") from error
    try:
        root, versions = _attach(path, settings)
    except duckdb.Error as error:
        _refuse_if_in_use(path, error)
        set_aside(path, error)
        root, versions = _attach(path, settings)
    if versions is not None and versions[0] != mirror_version():
        _log.warning("the database was made by another version and is read from the log again: %s", path)
        root.close()
        remove(path)
        root, versions = _attach(path, settings)
    try:
        if versions is None:
            _create(root)
        else:
            forget_unfinished(root)
            if versions[1] != models_version():
                define_words(root)
    except BaseException:
        root.close()
        raise
    return root, versions is not None and versions[1] != models_version()


def borrow_apart() -> Workbench:
    """One in a database in memory that knows the words of the models' SQL, but has no rows. One thread works in it.

    To be given back, or to be closed if it was left in disorder.
    """
    with _sharing:
        if _spare:
            return _spare.pop()
    return make_apart()


def make_apart() -> Workbench:
    """See ``borrow_apart``. For whoever keeps it."""
    apart = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "threads": 1})
    _settle(apart)
    define_facts(apart)
    apart.execute(read_sql("macros"))  # the desk brings the tables
    return Workbench(apart)


def give_back_apart(workbench: Workbench) -> None:
    """Its plans are good for whoever borrows it next: a desk that is set up again, or another database's."""
    workbench.clear()
    with _sharing:
        if len(_spare) < _MOST_SPARE:
            _spare.append(workbench)
            return
    workbench.cursor.close()


def _settle(root: DuckDBPyConnection) -> None:
    """Settings without which the models' SQL says something else, or takes longer to."""
    root.execute("SET GLOBAL TimeZone = 'UTC'")
    # Positions of few orders lie in a narrow range, and DuckDB would make room for every number in it.
    root.execute("SET perfect_ht_threshold = 0")


def _refuse_if_in_use(path: Path, error: duckdb.Error) -> None:
    if isinstance(error, duckdb.IOException) and "lock" in str(error):
        raise InUseError(f"{path} is open in another process; ask that one, or stop it") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise DatabaseError(f"{path} cannot be written to") from error


def set_aside(path: Path, error: duckdb.Error) -> None:
    """Make room for a new file in the place of one that cannot be read, which is kept (``.unreadable``)."""
    aside = path.with_name(path.name + ".unreadable")
    _log.warning("the database cannot be read and is set aside as %s: %s", aside, error)
    remove(aside)
    if path.exists():
        path.replace(aside)
    remove(path)


def remove(path: Path) -> None:
    """Remove a database file and what was not folded into it yet; harmless where there is none."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _attach(path: Path, settings: DuckDBSettings) -> tuple[DuckDBPyConnection, tuple[str, str] | None]:
    """Attach the file. Also gives the versions of what made its mirror and its models; None if it is empty."""
    root = duckdb.connect(":memory:", config=settings)
    try:
        add_functions(root)
        quoted = str(path).replace("'", "''")
        _settle(root)
        share_work(root)
        root.execute(f"ATTACH '{quoted}' AS {CATALOG}")
        root.execute(f"USE {CATALOG}")
        root.execute(f"SET temp_directory = '{quoted}.spill'")
        root.execute(f"SET checkpoint_threshold = '{_CHECKPOINT_THRESHOLD}'")
        try:
            found = root.execute("SELECT mirror_version, models_version FROM meta").fetchall()
        except duckdb.CatalogException:
            # DuckDB takes ten times longer to list tables than to read one.
            count = "SELECT count(*) FROM duckdb_tables() WHERE database_name = ?"
            return root, ("", "") if root.execute(count, [CATALOG]).fetchall()[0][0] else None
        mirrored_by, modelled_by = found[0]
    except BaseException:
        root.close()
        raise
    return root, (str(mirrored_by), str(modelled_by))


def _create(root: DuckDBPyConnection) -> None:
    """All tables, empty. Each is made by the SELECT that fills it, so the SQL says once what its columns are."""

    def cursor() -> DuckDBPyConnection:
        opened = root.cursor()
        opened.execute(f"USE {CATALOG}")
        return opened

    root.execute("BEGIN")
    create_mirror(root)
    define_words(root)
    root.execute("COMMIT")
    build_stored(cursor, 0, Hands(1))
    root.execute("BEGIN")
    take_over(root)
    # Last of all: a file without it was left half made, and is made anew.
    root.execute("CREATE TABLE meta (position BIGINT, mirrored BIGINT, mirror_version VARCHAR, models_version VARCHAR)")
    root.execute("INSERT INTO meta VALUES (0, 0, ?, ?)", [mirror_version(), models_version()])
    root.execute("COMMIT")
