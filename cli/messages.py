"""messages: what the customers were told. Its further commands, in files of their own, join in commands.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import ask
from cli.forgotten import mark_messages, unmarked
from cli.holding import mark_waiting, without_reasons
from cli.options import Json, place_of
from cli.output import moments_now, print_json, show
from cli.quick import QuickCommand, QuickGroup

if TYPE_CHECKING:
    from nats.aio.client import Client

_LIST = "list"


class _ListFirst(QuickGroup):
    """A group that lists unless one of its commands is named: ``messages W-1001`` is ``messages list W-1001``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``list`` before whatever is no command of ours and no call for help."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListFirst,
    rich_markup_mode=None,
    help="Show the messages to customers. Without a command, and with the options of 'list', it lists them.",
)


@app.command(_LIST, cls=QuickCommand)
def list_(
    ctx: typer.Context,
    order: Annotated[
        str | None,
        typer.Argument(
            metavar="ORDER", show_default=False, help="Only those about this order: id, reference or serial."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="At most so many, the newest.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the messages to customers in full.

    With what became of each: sent, failed, suppressed or still to go. The newest first; those about one order as they
    came.
    """
    from cli.render.messages import messages as rendered

    args = {"order": order, "limit": limit}
    result = ask(place_of(ctx), "messages", args, more=_mark)
    unmarked(result["messages"])
    without_reasons(result["messages"])
    if as_json:
        print_json(result)
    else:
        show(rendered(result, moments_now()))


async def _mark(connection: Client, result: dict[str, Any]) -> None:
    await mark_messages(connection, result["messages"])
    await mark_waiting(connection, result["messages"])
