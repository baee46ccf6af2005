"""messages settle: a person has found out whether a message arrived of which nobody knew."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.customer import at_desk
from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import console, print_json


def settle(
    ctx: typer.Context,
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="Its id, as 'messages' shows it where it is unknown.")
    ],
    arrived: Annotated[
        bool | None,
        typer.Option("--arrived/--never-arrived", help="What was found out.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say of a message with status unknown whether she got it.

    Such a message was handed to a channel that gave no answer, and sending it again might tell her twice. Ask her, or
    look at the mail server's log. What never arrived counts as failed: somebody has to tell her.
    """
    if arrived is None:
        raise Problem("say what was found out: --arrived or --never-arrived.")
    result = at_desk(place_of(ctx), "settle", {"message": message, "arrived": arrived})
    if as_json:
        print_json(result)
    else:
        became = "she got it" if result["status"] == "sent" else "she did not get it, and somebody has to tell her"
        console().print(f"{result['message']} about {result['order']}: {became}.", highlight=False, markup=False)
