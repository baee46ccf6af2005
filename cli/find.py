"""find: orders by the name of their customer, which the desk of the running chain alone may look up."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.customer import at_desk
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show


def find(
    ctx: typer.Context,
    name: Annotated[
        list[str], typer.Argument(metavar="NAME", help="Her name or parts of it, in any order: zoe, or 'kan zo'.")
    ],
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1_000, help="At most so many customers.")] = 50,
    as_json: Json = False,
) -> None:
    """Find orders by the name of their customer.

    Case and accents do not matter, and a part of a name is enough. Names are kept apart from the log, so the running
    chain is asked, as its operator: no partner can. What is looked for is written down nowhere.
    """
    from cli.render.customer import found

    result = at_desk(place_of(ctx), "find", {"name": " ".join(name), "limit": limit})
    if as_json:
        print_json(result)
    else:
        show(found(result, moments_now()))
