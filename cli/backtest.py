"""backtest: what a policy would have meant for an old export, without a chain and without sending anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.errors import Problem, one_line
from cli.mappings import mapping_in
from cli.options import Json
from cli.output import print_json, show
from cli.progress import counting, working

if TYPE_CHECKING:
    from projections.policy import Policy
    from services.backtest import Backtest
    from services.importing import Mapping

#: Rows of each list, unless told otherwise.
_ROWS = 1_000


def backtest(
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING", help="A TOML file that says how rows become facts (docs/import.md).")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV or XES, gzipped or not.")],
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="The policy to try. Default: the built-in one.", show_default=False
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option("--chart", metavar="FILE", help="Also draw a picture, .png or .svg.", show_default=False),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Rows of each list of --json at most.")
    ] = _ROWS,
    as_json: Json = False,
) -> None:
    """Say what a policy would have meant for an old export.

    Nothing is sent, no chain is needed, and the chain's home is left alone. docs/backtest.md tells how to read it.
    """
    if chart is not None:
        _check_place(chart)
    rules = mapping_in(mapping, files)
    found = _found(rules, files, policy, limit if as_json else _ROWS, quiet=as_json)
    if chart is not None:
        _draw(found, chart, quiet=as_json)
    if as_json:
        print_json(found.report.model_dump(mode="json"))
        return
    from cli.render.backtest import rendered

    show(rendered(found.report, ZoneInfo(rules.log.time_zone) if rules.log.time_zone else None))
    if chart is not None:
        typer.echo(f"\nThe picture is in {chart}.")


def _found(rules: Mapping, files: list[Path], policy: Path | None, limit: int, quiet: bool) -> Backtest:
    from services.backtest import BacktestError, backtest
    from services.importing import ImportProblem

    chosen = None if policy is None else _policy(policy)
    source = "built-in" if policy is None else str(policy)
    for file in files:
        if not file.is_file():
            raise Problem(f"{file} is no file.")
    try:
        with counting("Reading the log and working out who was late", None, quiet) as moved:
            return backtest(rules, files, chosen, source, limit=limit, on_read=moved)
    except (ImportProblem, BacktestError) as error:
        raise Problem(f"{one_line(error)}.") from None


def _policy(path: Path) -> Policy:
    from projections.policy import Policy, PolicyError
    from services.home import read_written

    try:
        return Policy.parse(read_written(path))
    except PolicyError as error:
        sentence = str(error)
        raise Problem(f"{path}: {sentence if sentence.endswith('?') else f'{sentence}.'}") from None
    except UnicodeDecodeError:
        raise Problem(f"{path} is not UTF-8 text, so it is no policy.") from None
    except OSError as error:
        raise Problem(
            f"{path} cannot be read ({error.strerror or one_line(error)}): "
            "'repairchain policy show' prints one to start from."
        ) from None


def _check_place(chart: Path) -> None:
    """Before the long work starts: whether a picture can be written there."""
    from services.backtest.chart import ENDINGS

    if chart.suffix.lower() not in ENDINGS:
        raise Problem(f"{chart}: a picture's name ends in {' or '.join(ENDINGS)}.")
    if chart.is_dir():
        raise Problem(f"{chart} is a folder: name a file for the picture.")
    if not chart.parent.is_dir():
        raise Problem(f"{chart} cannot be written: there is no folder {chart.parent}.")
    if not os.access(chart if chart.exists() else chart.parent, os.W_OK):
        raise Problem(f"{chart} cannot be written: this user may not write there.")


def _draw(found: Backtest, chart: Path, quiet: bool) -> None:
    from services.backtest.chart import draw

    try:
        with working("Drawing", quiet):
            draw(found, chart)
    except OSError as error:
        raise Problem(f"{chart} cannot be written ({error.strerror or one_line(error)}).") from None
