"""stats: the chain in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.asking import ask
from cli.connecting import with_chain
from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import print_json, show
from cli.place import Place

if TYPE_CHECKING:
    from nats.aio.client import Client


def stats(ctx: typer.Context, as_json: Json = False) -> None:
    """Show the chain in figures."""
    from cli.render.counts import stats as rendered

    place = place_of(ctx)
    result = ask(place, "stats") | _not_taken_in(place)
    if as_json:
        print_json(result)
    else:
        show(rendered(result))


def _not_taken_in(place: Place) -> dict[str, int | None]:
    """How many submissions are kept as rejected, and held; only the running chain knows that."""
    from services.rejected import count_apart

    async def work(connection: Client) -> dict[str, int]:
        return await count_apart(connection.jetstream())

    try:
        return {**with_chain(place, work)}
    except Problem:
        return {"rejected": None, "held": None}
