"""rejected list, show, retry, drop: submissions that could not be taken, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import with_chain
from cli.errors import Problem, one_line
from cli.options import Json, place_of
from cli.output import console, moments_now, print_json, show
from cli.quick import QuickGroup

if TYPE_CHECKING:
    from nats.aio.client import Client

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As 'rejected list' shows it.")]

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Look after submissions that could not be taken."
)


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many, the oldest first.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """List what was rejected, or is held for an order to come, with the reason."""
    from cli.render.rejected import listed
    from services.rejected import as_json as described
    from services.rejected import count_rejected, list_rejected

    async def work(connection: Client) -> dict[str, Any]:
        js = connection.jetstream()
        rows = [described(each) async for each in list_rejected(js, limit=limit)]
        return {"rejected": rows, "total": await count_rejected(js)}

    result = with_chain(place_of(ctx), work)
    if as_json:
        print_json(result)
    else:
        show(listed(result, moments_now()))


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
        show(one(result))


@app.command()
def retry(ctx: typer.Context, number: Number, as_json: Json = False) -> None:
    """Hand a rejected submission in again, after its cause was mended; exit code 1 if it is not taken in."""
    from cli.render.receipts import receipts
    from services.rejected import NoSuchRejectionError, retry_rejected

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
        show(receipts([receipt]))
    if receipt.get("outcome") in ("held", "rejected"):
        raise typer.Exit(1)


@app.command()
def drop(
    ctx: typer.Context,
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a rejected or held submission for good."""
    from services.rejected import NoSuchRejectionError, drop_rejected
    from services.rejected import as_json as described

    if not yes and not typer.confirm(f"Remove rejected submission {number} for good?"):
        raise typer.Exit(1)

    async def work(connection: Client) -> dict[str, Any]:
        try:
            return described(await drop_rejected(connection.jetstream(), number))
        except NoSuchRejectionError as error:
            raise Problem(f"{error}.") from None

    dropped = with_chain(place_of(ctx), work)
    if as_json:
        print_json(dropped)
    else:
        console().print(f"Submission {number} of {dropped['party']} is removed.")
