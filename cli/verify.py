"""verify: the live read models against a fresh rebuild from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from cli.errors import Problem, one_line
from cli.options import Json, place_of
from cli.output import print_json, show
from cli.place import Place, settings_of
from cli.progress import counting

if TYPE_CHECKING:
    from services.verifying import Verdict


#: What is compared first and second.
_SIDES: Final = {"first": "live", "second": "rebuild"}


def verify(ctx: typer.Context, as_json: Json = False) -> None:
    """Prove that the read models are what the log says.

    They are compared, row for row, with ones made anew from the first fact on. Exit code 1 if they differ.
    """
    from cli.render.verdict import differences

    verdict = _verdict(place_of(ctx), quiet=as_json)
    found = [(each.table, _SIDES.get(each.side, each.side), each.row) for each in verdict.differences]
    if as_json:
        print_json(
            {
                "equal": not verdict.differences,
                "position": verdict.position,
                "differences": [{"table": table, "only_in": where, "row": row} for table, where, row in found],
            }
        )
    else:
        show(differences(verdict.position, found))
    if verdict.differences:
        raise typer.Exit(1)


def _verdict(place: Place, quiet: bool) -> Verdict:
    import asyncio

    import nats.errors
    import nats.js.errors

    from projections.schema import DatabaseError
    from services.answering import NoAnswerError, QuestionError
    from services.credentials import CredentialError
    from services.fitness import UnfitServerError
    from services.logs import configure_logs
    from services.server import ServerError
    from services.settings import SettingsError
    from services.verifying import verify as compare

    settings = settings_of(place)
    configure_logs("verify", level="error")
    if settings.nats_url is None and not place.folder.database.is_file():
        raise Problem(f"{place.home} holds no read models to compare: start a chain with '{place.command} up'.")
    try:
        with counting("Reading the log", None, quiet) as moved:
            return asyncio.run(compare(settings, progress=lambda done, of: moved(done)))
    except (
        CredentialError,
        UnfitServerError,
        DatabaseError,
        NoAnswerError,
        QuestionError,
        ServerError,
        SettingsError,
        nats.errors.Error,
        nats.js.errors.Error,
        OSError,
    ) as error:
        raise Problem(f"the read models cannot be compared: {one_line(error)}.") from None
