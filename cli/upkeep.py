"""rebuild, verify, snapshot: the read models made anew, compared with the log, and copied."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.asking import ask_server
from cli.connecting import Unserved
from cli.errors import Problem, one_line
from cli.options import Json, place_of
from cli.output import console, print_json
from cli.place import Place
from cli.progress import working

#: A rebuild of millions of facts takes seconds; a machine that is busy with other things may need minutes.
_PATIENCE: Final = 3600.0


def rebuild(ctx: typer.Context, as_json: Json = False) -> None:
    """Make all read models anew from the mirrored log.

    Readers see the old rows until the new ones are complete.
    """
    place = place_of(ctx)
    with working("Rebuilding", as_json):
        try:
            position = ask_server(place, "rebuild", {}, timeout=_PATIENCE)["position"]
        except Unserved as reason:
            position = _rebuild_file(place, str(reason))
    if as_json:
        print_json({"position": position})
    else:
        console().print(f"The read models are made anew, up to position {position:,}.")


def _rebuild_file(place: Place, reason: str) -> int:
    from projections.database import open_database
    from projections.schema import DatabaseError

    if not place.folder.database.is_file():
        raise Problem(f"{reason}, and {place.home} holds no read models: '{place.command} up' makes them from the log.")
    try:
        with open_database(place.folder.database) as database:
            return database.rebuild()
    except DatabaseError as error:
        raise Problem(f"{reason}, and {one_line(error)}.") from None


def snapshot(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new DuckDB file; it must not exist yet.")],
    as_json: Json = False,
) -> None:
    """Copy the read models to a DuckDB file for analysts.

    A copy as of one moment, which others may open while the chain goes on.
    """
    place, target = place_of(ctx), file.absolute()
    if target.exists():
        raise Problem(f"{file} exists already: name a new file.")
    if not target.parent.is_dir():
        raise Problem(f"there is no folder {target.parent}: make it first.")
    with working("Copying", as_json):
        try:
            position = ask_server(place, "snapshot", {"file": str(target)}, timeout=_PATIENCE)["position"]
        except Unserved as reason:
            position = _snapshot_file(place, target, str(reason))
    if as_json:
        print_json({"file": str(target), "position": position})
    else:
        console().print(f"{target} holds the read models up to position {position:,}.", soft_wrap=True)


def _snapshot_file(place: Place, target: Path, reason: str) -> int:
    from cli.reading import open_file
    from projections.schema import DatabaseError

    with open_file(place, reason) as database:
        try:
            database.snapshot(target)
        except DatabaseError as error:
            raise Problem(f"{one_line(error)}.") from None
        return database.position
