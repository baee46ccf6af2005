"""timeline, status, orders: what is known about orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.asking import ask
from cli.errors import Problem
from cli.forgotten import mark_order, mark_orders, mark_story, unmarked
from cli.holding import mark_waiting, without_reasons
from cli.options import AsOf, Json, KnownAt, OrderName, place_of, read_moments, read_party
from cli.output import moments_now, print_json, show
from cli.strangers import strangers

if TYPE_CHECKING:
    from nats.aio.client import Client

#: In which order orders are listed; the first unless another is asked for.
_SORTS: Final = ("moved", "due", "waiting")


def timeline(
    ctx: typer.Context,
    order: OrderName,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Every fact as it came, with ids; also what was taken back later.")
    ] = False,
    brief: Annotated[
        bool, typer.Option("--brief", help="Of each letter only when it went and its subject, not its text.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell an order's story, from the first fact to the last message.

    Who did what when, the days between, what was promised and kept or missed, what the customer was told and asked.
    Letters are printed in full; --brief leaves their texts out.
    """
    from cli.render.timeline import timeline as rendered

    place, (then, known) = place_of(ctx), read_moments(as_of, known_at)
    args: dict[str, Any] = {"order": order}
    if raw:
        args["raw"] = True
    result = ask(place, "timeline", args, then, known, _mark)
    unmarked([*([result["order"]] if result["order"] else []), *result["commitments"]])
    without_reasons(result["messages"])
    if as_json:
        print_json(result)
    else:
        show(rendered(result, moments_now(then or known), raw=raw, brief=brief), then, known)


async def _mark(connection: Client, result: dict[str, Any]) -> None:
    await mark_story(connection, result)
    await mark_waiting(connection, result["messages"])


def status(
    ctx: typer.Context,
    order: OrderName,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """Show where an order stands and what comes next."""
    from cli.render.order import order_panel

    place, (then, known) = place_of(ctx), read_moments(as_of, known_at)
    result = ask(place, "status", {"order": order}, then, known, mark_order)
    unmarked([result])
    if as_json:
        print_json(result)
        return
    owed = ask(place, "commitments", {"order": order}, then, known)["commitments"]
    show([order_panel(result, moments_now(then or known), owed, counted=False)], then, known)


def orders(
    ctx: typer.Context,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only open, or only closed orders.")] = None,
    holder: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE:NAME",
            help="Only orders that this party has, sent on and nobody received yet, or took on at her home.",
        ),
    ] = None,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only orders in this status, such as in_transit.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="moved: what moved last on top; due: the next step that is due first, so the longest late on top; "
            "waiting: what has not moved for longest.",
        ),
    ] = _SORTS[0],
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(metavar="N", min=0, help="Leave out so many first.")] = 0,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """List orders: open ones first, what moved last on top.

    They come a page at a time, and --sort puts them in another order. An order moves when its status changes, at
    the time at which that happened: what was imported of last year stands where last year does. Closed orders come
    last, in every sort, the latest close first.
    """
    from cli.render.tables import orders as rendered

    if sort not in _SORTS:
        raise Problem(f"--sort is one of {', '.join(_SORTS)}, not '{sort}'.")
    if status is not None:
        check_status(status)
    place, (then, known) = place_of(ctx), read_moments(as_of, known_at)
    wanted = {"open": is_open, "holder": read_party(holder), "status": status}
    args = wanted | {"sort": sort, "limit": limit, "offset": offset}
    result = ask(place, "orders", args, then, known, lambda at, found: mark_orders(at, found["orders"]))
    unmarked(result["orders"])
    if as_json:
        print_json(result)
    else:
        remarks = [] if result["total"] else strangers(place, holder)
        show([*rendered(result, moments_now(then), offset), *remarks], then, known)


def check_status(status: str) -> None:
    """Raises Problem for a status that there is not: it would find nothing, which says something else."""
    from cli.nearest import hint_among
    from cli.render.look import STATUS_WORDS

    if status not in STATUS_WORDS:
        raise Problem(f"there is no status '{status}': {hint_among(status, STATUS_WORDS)}")
