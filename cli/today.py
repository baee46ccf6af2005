"""today: what a party has to look after, the list that it is given once a day, as it is now."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.asking import ask
from cli.options import Json, place_of, read_party
from cli.output import moments_now, print_json, show


def today(
    ctx: typer.Context,
    party: Annotated[
        str | None, typer.Argument(metavar="[ROLE:NAME]", show_default=False, help="Whose list: retailer:juno.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many lines a part.")] = 50,
    as_json: Json = False,
) -> None:
    """Show what a party has to look after: calls, what is late, questions, contacts, whose move it is.

    It is the list that the party gets once a day, when it is open. Without a party: who has anything to look after.
    """
    name = read_party(party)
    args = {"party": name, "limit": limit}
    result = ask(place_of(ctx), "briefings" if name is None else "briefing", {} if name is None else args)
    if as_json:
        print_json(result)
        return
    from cli.render.today import briefing, briefings

    moments = moments_now()
    show(briefings(result) if name is None else briefing(result, moments))
