"""messages: what the customers were told."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.asking import ask
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show


def messages(
    ctx: typer.Context,
    order: Annotated[
        str | None,
        typer.Argument(
            metavar="[ORDER]", show_default=False, help="Only those about this order: id, reference or serial."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many, the newest first.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Show the messages to customers in full.

    With what became of each: sent, failed, suppressed or still to go. The newest first; those about one order as they
    came.
    """
    from cli.render.messages import messages as rendered

    result = ask(place_of(ctx), "messages", {"order": order, "limit": limit})
    if as_json:
        print_json(result)
    else:
        show(rendered(result, moments_now()))
