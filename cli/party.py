"""party add, party list: who takes part in this chain."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import console, print_json
from cli.place import read_object
from cli.quick import QuickGroup

#: File systems end at 255 bytes.
_LONG: Final = 250

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Register partners and see who takes part."
)


@app.command()
def add(
    ctx: typer.Context,
    party: Annotated[str, typer.Argument(metavar="ROLE:NAME", help="A retailer, importer or repairer: retailer:juno.")],
    name: Annotated[str | None, typer.Option(help="What people call it; its name by default.")] = None,
    phone: Annotated[str | None, typer.Option(help="Number that a customer may call.")] = None,
    email: Annotated[str | None, typer.Option(help="Address that a customer may write to.")] = None,
    person: Annotated[str | None, typer.Option(help="Who looks after what has lain too long, there.")] = None,
    as_json: Json = False,
) -> None:
    """Register a partner, or change how it is named and reached; a running chain lets it in at once."""
    from events.party import PartyError
    from services.parties import add_party

    place = place_of(ctx)
    try:
        login = add_party(place.home, party, display_name=name, phone=phone, email=email, person=person)
    except PartyError as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(
            f"{place.home} cannot be written ({error.strerror}): choose a folder of your own with --home."
        ) from None
    file = _file_of(place.folder.credentials, login.user)
    if as_json:
        print_json({"party": party, "user": login.user, "credentials": str(file)})
        return
    out = console()
    out.print(f"{party} takes part. Its user name and password are in {file}", soft_wrap=True)
    out.print("(hand over that file, and nothing else). It publishes with:\n")
    out.print(f"  repairchain publish FILE --as {shlex.quote(party)}", soft_wrap=True)


def _file_of(folder: Path, user: str) -> Path:
    """The file with the credentials of ``user``; a very long name has one that is named otherwise."""
    named = folder / f"{user}.json"
    if len(user) < _LONG and named.exists():
        return named
    return next((file for file in folder.glob("*.json") if (read_object(file) or {}).get("user") == user), folder)


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List the registered partners."""
    from rich.text import Text

    from cli.render.look import party as coloured
    from cli.render.tables import plain_table
    from services.parties import list_parties

    cards = list_parties(place_of(ctx).home)
    if as_json:
        rows = [{"party": party} | card.model_dump() for party, card in cards.items()]
        print_json({"parties": rows})
        return
    if not cards:
        console().print("No partner is registered yet: add one with 'repairchain party add ROLE:NAME'.")
        return
    table = plain_table("Party", "Name", "Phone", "E-mail", "Person")
    for party, card in cards.items():
        table.add_row(
            coloured(party),
            Text(card.display_name),
            Text(card.phone or "–"),
            Text(card.email or "–"),
            Text(card.person or "–"),
        )
    console().print(table)
