"""party add, party list: who takes part in this chain."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import console, print_json
from cli.place import Place, read_object, settings_of
from cli.quick import QuickGroup

if TYPE_CHECKING:
    from services.webhooks import Webhook

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
    language: Annotated[
        str | None, typer.Option(metavar="en|nl", help="In which the chain writes to it; English by default.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Have what customers are to hear go there, signed, to pass on.")
    ] = None,
    no_webhook: Annotated[bool, typer.Option("--no-webhook", help="Write to its customers from here again.")] = False,
    rotate: Annotated[
        bool,
        typer.Option("--rotate-webhook-secret", help="A new secret for its webhook; the old one is good for a day."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Register a partner, or change how it is named and reached; a running chain lets it in at once."""
    from events.party import PartyError
    from services.parties import add_party

    place = place_of(ctx)
    if no_webhook and (webhook or rotate):
        raise Problem("--no-webhook goes with neither --webhook nor --rotate-webhook-secret.")
    if language is not None:
        _check_language(language)
    if webhook is not None:
        _check_webhook(place, webhook)
    try:
        login = add_party(
            place.home, party, display_name=name, phone=phone, email=email, person=person, language=language
        )
    except PartyError as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(
            f"{place.home} cannot be written ({error.strerror}): choose a folder of your own with --home."
        ) from None
    changed = _change_webhook(place, party, url=webhook, rotate=rotate, remove=no_webhook)
    file = _file_of(place.folder.credentials, login.user)
    if as_json:
        print_json({"party": party, "user": login.user, "credentials": str(file), **changed})
        return
    out = console()
    if no_webhook:
        out.print(f"What customers of {party} are to hear goes to them again.", soft_wrap=True)
        return
    if changed:
        out.print(f"What customers of {party} are to hear goes to {changed['webhook']}.", soft_wrap=True)
        if secret := changed.get("secret"):
            out.print("Its secret, which is shown only now, verifies each message (see docs/channels.md):\n")
            out.print(f"  {secret}\n", soft_wrap=True)
        if rotate:
            return
    out.print(f"{party} takes part. Its user name and password are in {file}", soft_wrap=True)
    out.print("(hand over that file, and nothing else). It publishes with:\n")
    out.print(f"  repairchain publish FILE --as {shlex.quote(party)}", soft_wrap=True)


def _check_language(language: str) -> None:
    from services.notifying.dates import SPEECH

    if language not in SPEECH:
        raise Problem(f"the chain writes in {' or '.join(SPEECH)}, not in '{language}'.")


def _check_webhook(place: Place, url: str) -> None:
    """Refuse what would never be called, before anything is changed."""
    from urllib.parse import urlsplit

    from services.webhooks import WebhookError, check_url, is_private

    try:
        check_url(url)
    except WebhookError as error:
        raise Problem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if is_private(urlsplit(url).hostname or "") and not settings_of(place).webhook_private_networks:
        raise Problem(
            "The webhook is on a private network, which could have the chain call what only it can reach: set "
            "webhook_private_networks = true if that is meant."
        )


def _change_webhook(place: Place, party: str, *, url: str | None, rotate: bool, remove: bool) -> dict[str, Any]:
    """What to say about the webhook of ``party``, with its secret if that is new; nothing if nothing was asked."""
    from services.webhooks import WebhookError, remove_webhook, rotate_secret, set_webhook

    found: Webhook | None = None
    new = rotate
    try:
        if remove:
            remove_webhook(place.home, party)
            return {"webhook": None}
        if url is not None:
            found, is_new = set_webhook(place.home, party, url)
            new = new or is_new
        if rotate:
            found = rotate_secret(place.home, party, datetime.now(UTC))
    except WebhookError as error:
        raise Problem(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if found is None:
        return {}
    return {"webhook": found.origin, **({"secret": found.secrets[0].secret} if new else {})}


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
    from services.webhooks import WebhookError, list_webhooks

    home = place_of(ctx).home
    cards = list_parties(home)
    try:
        webhooks = {party: hook.origin for party, hook in list_webhooks(home).items()}
    except WebhookError as error:
        raise Problem(f"{error}.") from None
    if as_json:
        rows = [{"party": party, **card.model_dump(), "webhook": webhooks.get(party)} for party, card in cards.items()]
        print_json({"parties": rows})
        return
    if not cards:
        console().print("No partner is registered yet: add one with 'repairchain party add ROLE:NAME'.")
        return
    table = plain_table("Party", "Name", "Phone", "E-mail", "Person", "Webhook")
    for party, card in cards.items():
        table.add_row(
            coloured(party),
            Text(card.display_name),
            Text(card.phone or "–"),
            Text(card.email or "–"),
            Text(card.person or "–"),
            Text(webhooks.get(party) or "–"),
        )
    console().print(table)
