"""doctor: is everything as it has to be, and if not, what to do."""

from __future__ import annotations

from dataclasses import asdict

import typer

from cli.options import Json, place_of
from cli.output import print_json, show


def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check the set-up and say what to mend.

    Exit code 1 if anything is wrong. That no chain runs is not wrong.
    """
    from cli.checks import checks_here, checks_there
    from cli.render.checks import checks as rendered

    place = place_of(ctx)
    results = [*checks_here(place), *checks_there(place)]
    failed = any(each.ok is False for each in results)
    if as_json:
        print_json({"ok": not failed, "checks": [asdict(each) for each in results]})
    else:
        show(rendered(results))
    if failed:
        raise typer.Exit(1)
