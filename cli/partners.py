"""partner list, partner show: who takes part, whether it is let in, and as what it logs in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import console, moments_now, print_json, show
from cli.party_options import Name, Party, party_of
from cli.place import Place

if TYPE_CHECKING:
    from rich.text import Text

    from services.credentials import Identity


def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List the registered partners, and whether they are let in."""
    from cli.render.partner import partners

    rows = _rows(place_of(ctx))
    if as_json:
        print_json({"parties": rows})
    elif rows:
        show(partners(rows, moments_now()))
    else:
        console().print("No partner is registered yet: add one with 'repairchain partner add ROLE NAME'.")


def show_(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Show one partner: its card, whether it is let in, its subjects, and what to hand over to it."""
    from cli.render.partner import partner
    from services.credentials import identity
    from services.welcome import subjects_of, welcome_file

    place, party = place_of(ctx), party_of(role, own_name)
    row = next((row for row in _rows(place) if row["party"] == party), None)
    if row is None:
        raise Problem(f"{party} is not registered: see 'repairchain partner list'.")
    login = login_shown(identity(place.folder, party))
    if row["access"] == "revoked":
        row["user"] = login["user"]
    else:
        welcome = welcome_file(place.folder, party)
        row |= login | {"welcome": str(welcome) if welcome.exists() else None}
    row["subjects"] = subjects_of(party)
    if as_json:
        print_json(row)
    else:
        print_whole(partner(row, moments_now()))


def _rows(place: Place) -> list[dict[str, Any]]:
    """Every partner with its card, its webhook and whether it is let in, as ``--json`` shows it."""
    from services.access import ACTIVE, kept_out
    from services.http.keys import replaced_until, with_key
    from services.parties import list_parties
    from services.replaced import read_replaced, until_of, working
    from services.webhooks import WebhookError, list_webhooks

    out, now = kept_out(place.home), datetime.now(UTC)
    try:
        secrets, keys = working(read_replaced(place.folder), now), replaced_until(place.home, now)
        keyed = with_key(place.home)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    try:
        webhooks = {party: hook.origin for party, hook in list_webhooks(place.home).items()}
    except WebhookError as error:
        raise Problem(f"{error}.") from None
    return [
        {
            "party": party,
            "access": out[party].state if party in out else ACTIVE,
            "access_since": out[party].since.isoformat() if party in out else None,
            "http_key": party in keyed,
            "old_secret_until": iso(until_of(secrets, party)),
            "old_key_until": iso(keys.get(party)),
            **card.model_dump(),
            "webhook": webhooks.get(party),
        }
        for party, card in list_parties(place.home).items()
    ]


def iso(moment: datetime | None) -> str | None:
    """A moment that may not be there, as ``--json`` shows it."""
    return None if moment is None else moment.isoformat()


def login_shown(login: Identity) -> dict[str, Any]:
    """As what a partner logs in, as ``--json`` shows it."""
    return {
        "user": login.user,
        "nkey": login.nkey,
        "credentials": None if login.file is None else str(login.file),
    }


def print_whole(lines: Iterable[Text]) -> None:
    """Lines with paths and keys in them, which somebody will copy: none is broken."""
    out = console()
    for line in lines:
        out.print(line, soft_wrap=True)
