"""partner add, list, show, rotate, revoke, suspend, resume: who takes part in this chain, and who is let in."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.confirm import confirm
from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import console, moments_now, print_json, show
from cli.overlap import Overlap, read_overlap
from cli.pages import remove_page, renew_pages
from cli.place import Place, settings_of
from cli.quick import QuickGroup

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from services.credentials import Identity
    from services.webhooks import Webhook

Result = TypeVar("Result")

app = typer.Typer(
    cls=QuickGroup, rich_markup_mode=None, no_args_is_help=True, help="Register partners, let them in or keep them out."
)

Party = Annotated[
    str,
    typer.Argument(metavar="ROLE:NAME", help="A retailer, importer or repairer: retailer:juno, or retailer juno."),
]
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="If the role stands alone.", show_default=False)]
Nkey = Annotated[
    str | None,
    typer.Option("--nkey", metavar="U…", help="The public half of a key that it made itself; else one is made here."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _party_of(role: str, name: str | None) -> str:
    """``retailer juno`` and ``retailer:juno`` are the same."""
    if name is None:
        return role
    if ":" in role:
        raise Problem(f"'{role}' names a partner already: write {role}, or a role and a name.")
    return f"{role}:{name}"


@app.command()
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
    from events.party import PartyError
    from events.streams import NoRoomError
    from services.credentials import CredentialError
    from services.parties import add_party, list_parties
    from services.reloading import ServerReloadError
    from services.userkeys import KeyFormatError

    place, party = place_of(ctx), _party_of(role, own_name)
    if no_webhook and (webhook or rotate):
        raise Problem("--no-webhook goes with neither --webhook nor --rotate-webhook-secret.")
    if language is not None:
        _check_language(language)
    if webhook is not None:
        _check_webhook(place, webhook)
    try:
        known = party in list_parties(place.home)
        login = add_party(
            place.home, party, display_name=name, phone=phone, email=email, person=person, language=language, nkey=nkey
        )
        welcome = renew_pages(place, party)
    except (PartyError, CredentialError, KeyFormatError, ServerReloadError, NoRoomError) as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(
            f"{place.home} cannot be written ({error.strerror}): choose a folder of your own with --home."
        ) from None
    changed = _change_webhook(place, party, url=webhook, rotate=rotate, remove=no_webhook)
    if as_json:
        print_json({"party": party, **_shown(login), "welcome": str(welcome), **changed})
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
    for line in _known(place, party, login, welcome) if known else _takes_part(place, party, login, welcome):
        out.print(line, soft_wrap=True)


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
        f"{party} takes part. The secret with which it logs in is in {login.file}",
        f"Hand over that file, in a safe way, and {welcome}, which says how to begin.",
        "Once handed over it may be deleted here: the server knows the public key alone.",
        *from_here,
    ]


def _shown(login: Identity) -> dict[str, Any]:
    """As what a partner logs in, as ``--json`` shows it."""
    return {
        "user": login.user,
        "nkey": login.nkey,
        "credentials": None if login.file is None else str(login.file),
    }


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


@app.command("list")
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


@app.command("show")
def show_(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Show one partner: its card, whether it is let in, its subjects, and what to hand over to it."""
    from cli.render.partner import partner
    from services.credentials import identity
    from services.welcome import subjects_of, welcome_file

    place, party = place_of(ctx), _party_of(role, own_name)
    row = next((row for row in _rows(place) if row["party"] == party), None)
    if row is None:
        raise Problem(f"{party} is not registered: see 'repairchain partner list'.")
    login = _shown(identity(place.folder, party))
    if row["access"] == "revoked":
        row["user"] = login["user"]
    else:
        welcome = welcome_file(place.folder, party)
        row |= login | {"welcome": str(welcome) if welcome.exists() else None}
    row["subjects"] = subjects_of(party)
    if as_json:
        print_json(row)
    else:
        _print_whole(partner(row, moments_now()))


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
            "old_secret_until": _iso(until_of(secrets, party)),
            "old_key_until": _iso(keys.get(party)),
            **card.model_dump(),
            "webhook": webhooks.get(party),
        }
        for party, card in list_parties(place.home).items()
    ]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


@app.command()
def rotate(
    ctx: typer.Context,
    role: Party,
    own_name: Name = None,
    nkey: Nkey = None,
    overlap: Overlap = None,
    as_json: Json = False,
) -> None:
    """Give a partner a new secret; the old one, and every connection made with it, ends at once.

    With --overlap it ends at the time that is said, by itself, and both work until then.
    """
    from cli.render.partner import rotated
    from services.access import rotate as give_new_secret
    from services.replaced import read_replaced, until_of

    place, party, length = place_of(ctx), _party_of(role, own_name), read_overlap(overlap, timedelta(0))
    login, told = _changed(lambda: give_new_secret(place.home, party, nkey, length))
    old = until_of(read_replaced(place.folder), party)
    renew_pages(place, party)  # it names the key
    row = {"party": party, **_shown(login), "old_secret_until": _iso(old), "in_force": told}
    if as_json:
        print_json(row)
        return
    _print_whole(rotated(row, moments_now()))
    _tell_elsewhere(told)
    if old is not None and not told:
        console().print("It must do so once more when the old one's time is over (docs/partners.md).", soft_wrap=True)


@app.command()
def suspend(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Keep a partner out for a while: its connections end at once, and its secret opens nothing until 'resume'."""
    from services.access import suspend as keep_out

    place, party = place_of(ctx), _party_of(role, own_name)
    told = _changed(lambda: keep_out(place.home, party))
    _report(party, "suspended", told, f"{party} is kept out until 'repairchain partner resume {party}'.", as_json)


@app.command()
def revoke(ctx: typer.Context, role: Party, own_name: Name = None, yes: Yes = False, as_json: Json = False) -> None:
    """Keep a partner out for good: its connections end at once and its secret is destroyed; what it said stays.

    The page that it was handed is removed here, too, for it names that secret.
    """
    from services.access import revoke as keep_out

    place, party = place_of(ctx), _party_of(role, own_name)
    if not yes and not confirm(f"Keep {party} out and destroy its secret?"):
        raise typer.Exit(1)
    told = _changed(lambda: keep_out(place.home, party))
    _changed(lambda: remove_page(place, party))
    _report(party, "revoked", told, f"{party} is kept out, and its secret is destroyed. What it said stays.", as_json)


@app.command()
def resume(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Let a partner in again: a suspended one with the secret that it has, a revoked one with a new one."""
    from services.access import kept_out
    from services.access import resume as let_in
    from services.credentials import identity

    place, party = place_of(ctx), _party_of(role, own_name)
    before = kept_out(place.home).get(party)
    told = _changed(lambda: let_in(place.home, party))
    renew_pages(place, party)  # it names the key, which may be new
    said = f"{party} is let in again, with the secret that it has."
    if before is not None and before.state == "revoked":
        file = identity(place.folder, party).file
        said = f"{party} is let in again, with a new secret: hand over\n  {file}"
    _report(party, "active", told, said, as_json)


def _changed(change: Callable[[], Result]) -> Result:
    """What ``change`` comes to. Raises Problem where it cannot be done."""
    from events.streams import NoRoomError
    from services.access import AccessError
    from services.credentials import CredentialError
    from services.reloading import ServerReloadError
    from services.userkeys import KeyFormatError

    try:
        return change()
    except (AccessError, CredentialError, KeyFormatError, ServerReloadError, NoRoomError) as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(f"{error.filename} cannot be written ({error.strerror}): run it as the home's owner.") from None


def _report(party: str, access: str, told: bool, said: str, as_json: bool) -> None:
    if as_json:
        print_json({"party": party, "access": access, "in_force": told})
    else:
        console().print(said, soft_wrap=True)
        _tell_elsewhere(told)


def _print_whole(lines: Iterable[Text]) -> None:
    """Lines with paths and keys in them, which somebody will copy: none is broken."""
    out = console()
    for line in lines:
        out.print(line, soft_wrap=True)


def _tell_elsewhere(told: bool) -> None:
    """What is left to do where no server of this home has heard of it."""
    if not told:
        console().print(
            "No server runs on this home: one elsewhere must read its configuration again (SIGHUP), or be restarted.",
            soft_wrap=True,
        )
