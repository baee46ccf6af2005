"""messages audit: whether the books of messages balance."""

from __future__ import annotations

import typer

from cli.asking import ask
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show


def audit(ctx: typer.Context, as_json: Json = False) -> None:
    """Check that every message that was planned has ended, and exactly once.

    Each was sent, failed, was suppressed, is unknown (a person has to look), or is still on its way. Exit code 1 if
    anything does not add up: a message without an outcome after three days, one that was sent twice, or one that
    nobody planned.
    """
    from cli.render.audit import audit as rendered

    moments = moments_now()
    result = ask(place_of(ctx), "audit", {"now": moments.now.isoformat()})
    if as_json:
        print_json(result)
    else:
        show(rendered(result, moments))
    if not result["balanced"]:
        raise typer.Exit(1)
