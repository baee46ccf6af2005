"""The group of commands about partners: who takes part in this chain, and who is let in."""

from __future__ import annotations

import typer

from cli import admitting, partners, registering
from cli.quick import QuickGroup

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Register partners, let them in or keep them out."
)

app.command()(registering.add)
app.command("list")(partners.list_)
app.command("show")(partners.show_)
for command in (admitting.rotate, admitting.suspend, admitting.revoke, admitting.resume):
    app.command()(command)
