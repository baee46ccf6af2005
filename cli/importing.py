"""import: bring an exported log of another system in, through a mapping."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.connecting import with_chain
from cli.errors import Problem, one_line
from cli.mappings import mapping_in
from cli.options import Json, place_of
from cli.output import print_json, show
from cli.place import Place
from cli.progress import counting
from cli.render.plain import many
from cli.until_shown import until_shown

if TYPE_CHECKING:
    from nats.aio.client import Client

    from services.importing import ImportReport
    from services.submission import PublishReport, Submission

#: A wait for receipts ends after so long without any (seconds).
_PATIENCE = 60.0
#: Millions of facts take the projector minutes to catch up with (seconds).
_PATIENCE_WITH_READ_MODELS = 600.0


def import_(
    ctx: typer.Context,
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING", help="A TOML file that says how rows become facts (docs/import.md).")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV or XES, gzipped or not.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read the log and count what would be said; no chain is needed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import the log of another system.

    Importing the same again adds nothing. Exit code 1 if any fact was rejected, or a file breaks off in the middle.
    """
    from cli.render.imported import imported
    from services.importing import ImportProblem, ImportReport, facts_from

    place, read, rules = place_of(ctx), ImportReport(), mapping_in(mapping, files)
    try:
        facts = facts_from(rules, files, read)
        published = None
        if dry_run:
            deque(facts, maxlen=0)  # reads to the end, which fills the report
        else:
            published = _publish(place, facts, quiet=as_json)
    except ImportProblem as error:
        raise Problem(f"{one_line(error)}.") from None
    if as_json:
        print_json(_document(read, published))
    else:
        show(imported(read, published))
    if published is not None and published.unanswered:
        raise Problem(
            f"{many(published.unanswered, 'fact')} got no receipt in {_PATIENCE:.0f} s: do all services run? "
            "'repairchain doctor' tells. Importing again is safe."
        )
    if read.damaged or (published is not None and published.rejected):
        raise typer.Exit(1)


def _publish(place: Place, facts: Iterator[Submission], quiet: bool) -> PublishReport:
    """Hand the facts in as they are read, and wait until the read models show them."""
    from services.publishing import PublishError, publish_submissions

    async def work(connection: Client) -> PublishReport:
        with counting("Importing", None, quiet) as moved:
            report = await publish_submissions(
                connection,
                facts,
                on_progress=lambda report: moved(report.answered),
                independent_orders=True,
                timeout=_PATIENCE,
            )
        with counting("Updating the read models", None, quiet):
            shown = await until_shown(connection, report.position, _PATIENCE_WITH_READ_MODELS)
        if not shown:
            raise Problem("all of it is in the log, but the read models do not show it: see 'repairchain doctor'.")
        return report

    try:
        return with_chain(place, work, keep_trying=True)
    except PublishError as error:
        raise Problem(f"{one_line(error)}; importing again is safe.") from None


def _document(read: ImportReport, published: PublishReport | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "rows": read.rows,
        "orders": read.cases,
        "facts": read.facts,
        "facts_by_type": dict(sorted(read.facts_by_type.items())),
        "rows_skipped": read.rows_skipped,
        "facts_left_out": read.facts_left_out,
        "left_out": [each._asdict() for each in read.left],
        "damaged": [each._asdict() for each in read.damaged],
    }
    if published is not None:
        counts = ("submitted", "accepted", "duplicate", "held", "rejected", "unanswered", "position")
        document |= {name: getattr(published, name) for name in counts}
        document["rejections"] = [
            {"id": each.receipt.id, "source": each.receipt.party, "problem": each.receipt.problem}
            for each in published.rejections
        ]
    return document
