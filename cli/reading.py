"""Reads the DuckDB file itself, when no chain runs that would answer; only to read, so that it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import Problem, Refused, one_line
from cli.place import Place
from cli.workdays import parties_in, put_in

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.database import Database


def ask_file(
    place: Place,
    name: str,
    args: dict[str, Any],
    as_of: datetime | None,
    known_at: datetime | None,
    reason: str,
) -> dict[str, Any]:
    """The result of the query ``name``; ``reason`` says why the chain itself was not asked. Raises Problem."""
    from projections.queries import QueryError, run
    from services.workday import working_days

    with open_file(place, reason) as database:
        try:
            result: dict[str, Any] = run(database, name, args, as_of=as_of, known_at=known_at, now=datetime.now(UTC))
        except QueryError as error:
            raise Refused(f"{one_line(error)}.") from None
        if parties := parties_in(result):
            put_in(result, working_days(database, {"parties": parties}, as_of, known_at)["seconds"])
    return result


@contextmanager
def open_file(place: Place, reason: str) -> Iterator[Database]:
    """The database in the home, opened for reading beside other readers. Raises Problem if that cannot be."""
    path = place.folder.database
    if not path.is_file():
        raise Problem(
            f"{reason}, and {place.home} holds no read models: start a chain with '{place.command} up', "
            "or say with --home where it is."
        )
    import duckdb

    from projections.database import Database
    from projections.functions import add_functions, remove_functions
    from projections.mirror import mirror_version
    from projections.models import CATALOG, models_version

    root = in_memory()
    add_functions(root)
    try:
        try:
            quoted = str(path).replace("'", "''")
            root.execute("SET GLOBAL TimeZone = 'UTC'")
            root.execute(f"ATTACH '{quoted}' AS {CATALOG} (READ_ONLY)")
            root.execute(f"USE {CATALOG}")
            made_by = root.execute("SELECT mirror_version, models_version FROM meta").fetchall()
        except duckdb.Error as error:
            raise Problem(_refusal(place, reason, error)) from None
        if made_by != [(mirror_version(), models_version())]:
            raise Problem(
                f"{reason}, and {path} was made by another version: '{place.command} up' brings it up to date."
            )
        yield Database(root, path)
    finally:
        remove_functions(root)
        root.close()


def in_memory() -> DuckDBPyConnection:
    """A DuckDB of its own, without anything in it."""
    import duckdb

    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})


def _refusal(place: Place, reason: str, error: Exception) -> str:
    path = place.folder.database
    if "lock" in str(error):
        return f"{reason}, but another process has {path} open: wait for it, or ask it by starting the chain."
    unread = f"{path} cannot be read ({type(error).__name__})"
    return f"{reason}, and {unread}: remove it, '{place.command} up' makes it anew."
