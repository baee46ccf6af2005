"""partner add: who takes part in this chain, how it is named and reached, and what to hand over to it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import check_text
from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import print_json, say
from cli.pages import renew_pages
from cli.partners import login_shown
from cli.party_options import Name, Nkey, Party, party_of
from cli.place import Place
from cli.webhook import change_webhook, check_webhook

if TYPE_CHECKING:
    from pathlib import Path

    from services.credentials import Identity


def add(
    ctx: typer.Context,
    role: Party,
    own_name: Name = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="What people call it; its name by default.")
    ] = None,
    phone: Annotated[str | None, typer.Option(metavar="NUMBER", help="Number that a customer may call.")] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address that a customer may write to.")] = None,
    person: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who looks after what has lain too long, there.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="en|nl", help="In which the chain writes to it; English by default.")
    ] = None,
    nkey: Nkey = None,
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
    place, party = place_of(ctx), party_of(role, own_name)
    if no_webhook and (webhook or rotate):
        raise Problem("--no-webhook goes with neither --webhook nor --rotate-webhook-secret.")
    if language is not None:
        _check_language(language)
    if email:
        _check_email(email)
    if webhook is not None:
        check_webhook(place, webhook)
    card = {"display_name": name, "phone": phone, "email": email, "person": person, "language": language}
    check_text(card)
    known, login, welcome = _register(place, party, card, nkey)
    changed = change_webhook(place, party, url=webhook, rotate=rotate, remove=no_webhook)
    if as_json:
        print_json({"party": party, **login_shown(login), "welcome": str(welcome), **changed})
        return
    if no_webhook:
        say(f"What customers of {party} are to hear goes to them again.")
        return
    if changed:
        say(f"What customers of {party} are to hear goes to {changed['webhook']}.")
        if secret := changed.get("secret"):
            say("Its secret, which is shown only now, verifies each message (see docs/channels.md):\n")
            say(f"  {secret}\n")
        if rotate:
            return
    for line in _known(place, party, login, welcome) if known else _takes_part(place, party, login, welcome):
        say(line)


def _register(place: Place, party: str, card: dict[str, str | None], nkey: str | None) -> tuple[bool, Identity, Path]:
    """Whether it took part before, as what it logs in, and its page."""
    from events.party import PartyError
    from events.streams import NoRoomError
    from services.credentials import CredentialError
    from services.logs import configure_logs
    from services.parties import add_party, list_parties
    from services.reloading import ServerReloadError
    from services.userkeys import KeyFormatError

    configure_logs("partner add", level="error")  # of a server that hangs is said what matters
    try:
        known = party in list_parties(place.home)
        login = add_party(place.home, party, nkey=nkey, **card)
        return known, login, renew_pages(place, party)
    except (PartyError, CredentialError, KeyFormatError, ServerReloadError, NoRoomError) as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(
            f"{place.home} cannot be written ({error.strerror}): choose a folder of your own with --home."
        ) from None


def _known(place: Place, party: str, login: Identity, welcome: Path) -> list[str]:
    """What has become of ``party``, which took part before: a new telephone number needs no new secret."""
    if login.file is not None and login.nkey is None:
        return _takes_part(place, party, login, welcome)  # what it should have instead is said there
    kept = f", with the secret in {login.file}" if login.file else ""
    return [
        f"{party} took part already. What you gave of it is noted; it logs in as before{kept}.",
        f"Its page is {welcome}.",
    ]


def _takes_part(place: Place, party: str, login: Identity, welcome: Path) -> list[str]:
    """What to do now that ``party`` is registered."""
    if login.file is None:
        return [
            f"{party} takes part, with the key {login.nkey}. Its secret half is not here.",
            f"Hand over {welcome}, which says how to begin.",
        ]
    from_here = [
        "From here it publishes with:\n",
        f"  {place.command} publish FILE --as {shlex.quote(party)}",
    ]
    if login.nkey is None:
        return [
            f"{party} takes part. Its user name and password are in {login.file}",
            f"Hand over that file, in a safe way, and {welcome}, which says how to begin.",
            f"'{place.command} partner rotate {shlex.quote(party)}' gives it a key, whose secret half no server knows.",
            *from_here,
        ]
    return [
        f"{party} takes part. Hand over two files:\n",
        f"  {login.file}  its secret: in a safe way",
        f"  {welcome}  how to begin\n",
        "Once handed over the secret may be deleted here: the server knows the public key alone.",
        *from_here,
    ]


def _check_email(email: str) -> None:
    """What is no address would be printed in letters, and answers to them would go nowhere."""
    from services.notifying.letter import AddressError, check_address

    try:
        check_address(email)
    except AddressError:
        raise Problem(f"'{email}' is not one e-mail address: write desk@shop.example.") from None


def _check_language(language: str) -> None:
    from services.notifying.dates import SPEECH

    if language not in SPEECH:
        raise Problem(f"the chain writes in {' or '.join(SPEECH)}, not in '{language}'.")
