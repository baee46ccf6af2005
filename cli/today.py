"""today: what a party has to look after, the list that it is given once a day, as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.asking import ask
from cli.forgotten import mark_list, unmarked
from cli.options import Json, place_of, read_party
from cli.output import moments_now, print_json, show
from cli.strangers import strangers

if TYPE_CHECKING:
    from nats.aio.client import Client

Result = dict[str, Any]

#: The parts of the list in which something to be told to a customer may stand, and those that hold words of customers.
_MAY_BE_NEWS: Final = ("overdue", "calls", "orders", "owed")
_HERS: Final = ("asked", "contacts")


def today(
    ctx: typer.Context,
    party: Annotated[
        str | None, typer.Argument(metavar="ROLE:NAME", show_default=False, help="Whose list: retailer:juno.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many lines a part.")] = 50,
    as_json: Json = False,
) -> None:
    """Show what a party has to look after today.

    Calls, what is late, questions, contacts, and whose move it is: the list that the party gets once a day, when it
    is open. Without a party: who has anything to look after.
    """
    name = read_party(party)
    place = place_of(ctx)
    if name is None:
        result = ask(place, "briefings")
    else:
        result = _with_kind(ask(place, "briefing", {"party": name, "limit": limit}, more=_mark))
        for part in _MAY_BE_NEWS + _HERS:
            unmarked(result[part])
    if as_json:
        print_json(result)
        return
    from cli.render.today import briefing, briefings

    if name is None:
        show(briefings(result))
        return
    remarks = [] if any(result["totals"].values()) else strangers(place, name)
    show([*briefing(result, moments_now()), *remarks])


async def _mark(connection: Client, result: Result) -> None:
    _with_kind(result)
    news, hers = ([row for part in parts for row in result[part]] for parts in (_MAY_BE_NEWS, _HERS))
    await mark_list(connection, news, hers)


def _with_kind(result: Result) -> Result:
    """What is owed has a kind in every part: that of calls is said by the name of the part alone."""
    for row in result["calls"]:
        row["kind"] = "call"
    return result
