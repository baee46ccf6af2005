"""All commands of ``repairchain``: one per job, put together here."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import (
    audit,
    backtest,
    calendar,
    completing,
    conformance,
    customer,
    demo,
    doctor,
    explaining,
    find,
    flow,
    importing,
    key,
    mail,
    messages,
    orders,
    owed,
    partner,
    policy,
    preview,
    promises,
    publish,
    rejected,
    running,
    schema,
    settle,
    stats,
    today,
    upkeep,
    verify,
    watch,
)
from cli.errors import Chain
from cli.place import find_place
from cli.quick import QuickCommand

app = typer.Typer(
    name="repairchain",
    cls=Chain,
    no_args_is_help=True,
    add_completion=False,  # completing.py offers the same in fewer words
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

ASK, RUN, KEEP = "Ask", "Run and feed", "Keep in order"


def _version(ctx: typer.Context, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:  # that is how what was typed so far is read when Tab is pressed
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"repairchain {version('repairchain')}")
        except PackageNotFoundError:  # run from a checkout that was never installed
            print("repairchain, not installed")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            "--home",
            metavar="FOLDER",
            help="Folder of the chain; also REPAIRCHAIN_HOME, or home in repairchain.toml. Default: .repairchain",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_version)
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="For developers: show where an unforeseen failure came from.")
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            help="Have Tab complete commands and options in this shell.",
            is_eager=True,
            callback=completing.install,
            expose_value=False,
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion",
            help="Print what that would install.",
            is_eager=True,
            callback=completing.show,
            expose_value=False,
        ),
    ] = False,
) -> None:
    """Follows repairs through retailers, importers and repairers, and keeps the customer told.

    A newcomer starts with 'repairchain demo', then 'repairchain up'.
    """
    ctx.obj = find_place(Path(home) if home else None)


for command in (
    orders.timeline,
    orders.status,
    orders.orders,
    find.find,
    owed.commitments,
    flow.stalled,
    owed.ball,
    today.today,
    promises.promises,
    flow.handoffs,
    stats.stats,
    watch.watch,
):
    app.command(cls=QuickCommand, rich_help_panel=ASK)(command)
app.add_typer(messages.app, name="messages", rich_help_panel=ASK)
for message_command in (preview.preview, audit.audit, settle.settle):
    messages.app.command(cls=QuickCommand)(message_command)
app.add_typer(calendar.app, name="calendar", rich_help_panel=ASK)
app.add_typer(policy.app, name="policy", rich_help_panel=ASK)
policy.app.command(cls=QuickCommand)(explaining.explain)
app.command(rich_help_panel=RUN)(demo.demo)
app.command(rich_help_panel=RUN)(running.up)
app.command(rich_help_panel=RUN)(running.run)
app.command(rich_help_panel=RUN)(publish.publish)
app.command("import", rich_help_panel=RUN)(importing.import_)
app.command(rich_help_panel=RUN)(backtest.backtest)
app.add_typer(partner.app, name="partner", rich_help_panel=RUN)
partner.app.command("test", cls=QuickCommand)(conformance.try_out)
for partner_command in (key.key, key.identify):
    partner.app.command(cls=QuickCommand)(partner_command)
app.command(rich_help_panel=RUN)(schema.schema)
app.add_typer(customer.app, name="customer", rich_help_panel=KEEP)
app.add_typer(mail.app, name="mail", rich_help_panel=KEEP)
app.add_typer(rejected.app, name="rejected", rich_help_panel=KEEP)
app.command(rich_help_panel=KEEP)(doctor.doctor)
app.command(rich_help_panel=KEEP)(upkeep.rebuild)
app.command(rich_help_panel=KEEP)(verify.verify)
app.command(rich_help_panel=KEEP)(upkeep.snapshot)


def run() -> None:
    """Run the command that the program was called with, and end the process as it asks for."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show an arrow gets a question mark, never a traceback.
        with contextlib.suppress(AttributeError, io.UnsupportedOperation):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # replaced streams may lack it
    completing.prepare()
    app(prog_name="repairchain")
