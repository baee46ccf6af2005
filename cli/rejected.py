"""rejected list, show, retry, discard: submissions that could not be taken, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.confirm import confirm
from cli.connecting import with_chain
from cli.errors import Problem, one_line
from cli.options import Json, Party, place_of, read_party
from cli.output import console, moments_now, print_json, show
from cli.quick import QuickGroup

if TYPE_CHECKING:
    from nats.aio.client import Client
    from rich.console import RenderableType

    from services.rejected import Which

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As 'rejected list' shows it.")]
OneOrMany = Annotated[
    int | None, typer.Argument(metavar="NUMBER", min=1, help="As 'rejected list' shows it.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="All of them, or of --party and --reason.")]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason", metavar="WORD", help="Only for this reason, as 'list --summary' names it.", show_default=False
    ),
]

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Look after submissions that could not be taken."
)


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many, the oldest first.")
    ] = 50,
    summary: Annotated[bool, typer.Option("--summary", help="Only how many, of each party for each reason.")] = False,
    reason: Reason = None,
    party: Party = None,
    as_json: Json = False,
) -> None:
    """List what was rejected, or is held for an order to come, with the reason.

    What is held is rejected once the time stated with it is up. All is kept for 90 days. Beyond 10,000 of one party
    about one order, or of rejected_max_bytes, the oldest goes.
    """
    from cli.render.rejected import listed, summarized
    from services.rejected import EVERY, count_rejected, list_rejected, summarize_rejected
    from services.rejected import as_json as described

    which = _those(reason, party)

    async def count(connection: Client) -> dict[str, Any]:
        rows = await summarize_rejected(connection.jetstream(), which)
        apart = {what: sum(row["count"] for row in rows if row["outcome"] == what) for what in ("held", "rejected")}
        return {"summary": rows, "total": sum(apart.values()), **apart}

    if summary:
        counted = with_chain(place_of(ctx), count)
        if as_json:
            print_json(counted)
        else:
            show([*summarized(counted, moments_now(), filtered=which != EVERY), *_stranger(ctx, party)])
        return

    async def work(connection: Client) -> dict[str, Any]:
        js = connection.jetstream()
        rows = [described(each) async for each in list_rejected(js, which, limit=limit)]
        return {"rejected": rows, "total": await count_rejected(js, which)}

    result = with_chain(place_of(ctx), work)
    if as_json:
        print_json(result)
    else:
        show([*listed(result, moments_now(), filtered=which != EVERY), *_stranger(ctx, party)])


def _stranger(ctx: typer.Context, party: str | None) -> list[RenderableType]:
    """A remark on a party that is no partner here: what is mistyped has handed in nothing, too."""
    from cli.nearest import hint_for_party
    from cli.render.rejected import stranger
    from events.party import PARTNER_ROLES
    from services.parties import list_parties

    place = place_of(ctx)
    partners = list_parties(place.home)
    elsewhere = place.url is not None and not partners
    if party is None or elsewhere or party in partners or party.partition(":")[0] not in PARTNER_ROLES:
        return []
    return [stranger(party, hint_for_party(party, partners))]


@app.command("show")
def show_(ctx: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show one rejected submission in full."""
    from cli.render.rejected import one
    from services.rejected import NoSuchRejectionError, get_rejected
    from services.rejected import as_json as described

    async def work(connection: Client) -> dict[str, Any]:
        try:
            return described(await get_rejected(connection.jetstream(), number))
        except NoSuchRejectionError as error:
            raise Problem(f"{error}.") from None

    result = with_chain(place_of(ctx), work)
    if as_json:
        print_json(result)
    else:
        show(one(result, moments_now()))


@app.command()
def retry(
    ctx: typer.Context,
    number: OneOrMany = None,
    every: All = False,
    reason: Reason = None,
    party: Party = None,
    as_json: Json = False,
) -> None:
    """Hand a rejected submission, or all of them, in again after the cause was mended.

    Exit code 1 if any is not taken in. What is held for its order comes in by itself, and is left alone.
    """
    from cli.render.receipts import receipts
    from services.rejected import NoSuchRejectionError, retry_all, retry_rejected

    which = _which(number, every, reason, party)
    if number is None:
        counted = with_chain(place_of(ctx), lambda connection: retry_all(connection, which))
        counted = {"retried": 0} | counted
        if as_json:
            print_json(counted)
        else:
            outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in counted.items() if outcome != "retried")
            console().print(f"{counted['retried']:,} handed in again" + (f": {outcomes}." if outcomes else "."))
        if any(counted.get(outcome) for outcome in ("held", "rejected", "unanswered")):
            raise typer.Exit(1)
        return

    async def work(connection: Client) -> dict[str, Any]:
        try:
            return await retry_rejected(connection, number)
        except NoSuchRejectionError as error:
            raise Problem(f"{error}.") from None
        except TimeoutError as error:
            raise Problem(f"{one_line(error)} The submission is safe and will be taken in later.") from None

    receipt = with_chain(place_of(ctx), work)
    if as_json:
        print_json({"receipts": [receipt]})
    else:
        show(receipts([receipt], moments_now()))
    if receipt.get("outcome") in ("held", "rejected"):
        raise typer.Exit(1)


@app.command()
def discard(
    ctx: typer.Context,
    number: OneOrMany = None,
    every: All = False,
    reason: Reason = None,
    party: Party = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a rejected or held submission, or all of them, for good."""
    from services.rejected import NoSuchRejectionError, discard_all, discard_rejected
    from services.rejected import as_json as described

    which = _which(number, every, reason, party)
    meant = f"rejected submission {number}" if number is not None else "all of these rejected submissions"
    if not yes and not confirm(f"Remove {meant} for good?"):
        raise typer.Exit(1)
    if number is None:
        gone = with_chain(place_of(ctx), lambda connection: discard_all(connection.jetstream(), which))
        if as_json:
            print_json({"discarded": gone})
        else:
            console().print(f"{gone:,} removed.")
        return

    async def work(connection: Client) -> dict[str, Any]:
        try:
            return described(await discard_rejected(connection.jetstream(), number))
        except NoSuchRejectionError as error:
            raise Problem(f"{error}.") from None

    discarded = with_chain(place_of(ctx), work)
    if as_json:
        print_json(discarded)
    else:
        console().print(f"Submission {number} of {discarded['party']} is removed.")


def _which(number: int | None, every: bool, reason: str | None, party: str | None) -> Which:
    """Which ones are meant. Raises Problem unless that is one by its number, or all of something."""
    if (number is None) is not every:
        raise Problem("say which: NUMBER, or --all, with --reason or --party where not everything is meant.")
    if number is not None and (reason or party):
        raise Problem("--reason and --party go with --all.")
    return _those(reason, party)


def _those(reason: str | None, party: str | None) -> Which:
    """All for that reason, of that party. Raises Problem for what cannot be one: it would find nothing."""
    from services.intake.problems import TITLES
    from services.rejected import Which

    if reason is not None and reason not in TITLES:
        raise Problem(f"there is no reason '{reason}': there are {', '.join(sorted(TITLES))}.")
    return Which(read_party(party), reason)
