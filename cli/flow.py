"""handoffs and stalled: how the work flows from party to party, and where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import ask
from cli.forgotten import mark_owed, unmarked
from cli.options import AsOf, Json, KnownAt, place_of, read_moments, read_party
from cli.output import moments_now, print_json, show
from cli.strangers import strangers

if TYPE_CHECKING:
    from nats.aio.client import Client

Giver = Annotated[str | None, typer.Option("--from", metavar="ROLE:NAME", help="Only what this party handed over.")]
Taker = Annotated[str | None, typer.Option("--to", metavar="ROLE:NAME", help="Only what went to this party.")]


def handoffs(
    ctx: typer.Context,
    from_party: Giver = None,
    to_party: Taker = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many lanes, the busiest first.")
    ] = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """Measure the handoffs from party to party.

    Per lane: how many there were, how many of them the receiver said that it received, and how long that took. Never:
    the item moved on, or the order was closed, before the receiver said so. Waiting: it has yet to.
    """
    from cli.render.tables import lanes as rendered

    then, known = read_moments(as_of, known_at)
    args = {"from": read_party(from_party), "to": read_party(to_party), "limit": limit}
    result = ask(place_of(ctx), "handoffs", args, then, known)
    if as_json:
        print_json(result)
    else:
        remarks = [] if result["lanes"] else strangers(place_of(ctx), from_party, to_party)
        show([*rendered(result, moments_now(then or known)), *remarks], then, known)


def stalled(
    ctx: typer.Context,
    likely: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0, max=1, help="List as likely late what has less than this chance."),
    ] = 0.5,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """List what is overdue, the longest first, and what is likely to be.

    Who owes what, on which order, since when. How likely is told by how long such things took before: on the same lane,
    else by the same party, else by anybody, and never from fewer than thirty.
    """
    then, known = read_moments(as_of, known_at)
    result = ask(place_of(ctx), "stalled", {"likely": likely}, then, known, _mark)
    unmarked(_rows(result))
    if as_json:
        print_json(result)
        return
    from cli.render.ledger import stalled as rendered

    show(rendered(result, moments_now(then or known)), then, known)


async def _mark(connection: Client, result: dict[str, Any]) -> None:
    await mark_owed(connection, _rows(result))


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What is late, and what is likely to be."""
    return [*result["stalled"], *result["likely"]]
