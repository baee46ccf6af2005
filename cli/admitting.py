"""partner rotate, suspend, revoke, resume: who is let in, and with which secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from cli.confirm import confirm
from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import moments_now, print_json, say
from cli.overlap import Overlap, read_overlap
from cli.pages import remove_page, renew_pages
from cli.partners import iso, login_shown, print_whole
from cli.party_options import Name, Nkey, Party, party_of
from cli.place import Place

Result = TypeVar("Result")

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


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

    place, party, length = place_of(ctx), party_of(role, own_name), read_overlap(overlap, timedelta(0))
    login, told = _changed(lambda: give_new_secret(place.home, party, nkey, length))
    old = until_of(read_replaced(place.folder), party)
    renew_pages(place, party)  # it names the key
    row = {"party": party, **login_shown(login), "old_secret_until": iso(old), "in_force": told}
    if as_json:
        print_json(row)
        return
    print_whole(rotated(row, moments_now()))
    _tell_elsewhere(told)
    if old is not None and not told:
        say("It must do so once more when the old one's time is over (docs/partners.md).")


def suspend(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Keep a partner out for a while: its connections end at once, and its secret opens nothing until 'resume'."""
    from services.access import suspend as keep_out

    place, party = place_of(ctx), party_of(role, own_name)
    told = _changed(lambda: keep_out(place.home, party))
    _report(party, "suspended", told, f"{party} is kept out until 'repairchain partner resume {party}'.", as_json)


def revoke(ctx: typer.Context, role: Party, own_name: Name = None, yes: Yes = False, as_json: Json = False) -> None:
    """Keep a partner out for good: its connections end at once and its secret is destroyed; what it said stays.

    The page that it was handed is removed here, too, for it names that secret.
    """
    from services.access import revoke as keep_out

    place, party = place_of(ctx), party_of(role, own_name)
    _require_known(place, party)
    if not yes and not confirm(f"Keep {party} out and destroy its secret?"):
        raise typer.Exit(1)
    told = _changed(lambda: keep_out(place.home, party))
    _changed(lambda: remove_page(place, party))
    _report(party, "revoked", told, f"{party} is kept out, and its secret is destroyed. What it said stays.", as_json)


def _require_known(place: Place, party: str) -> None:
    """Nobody is to be asked about one who is not there."""
    from services.parties import list_parties

    if party not in list_parties(place.home):
        raise Problem(f"{party} is not registered: see 'repairchain partner list'.")


def resume(ctx: typer.Context, role: Party, own_name: Name = None, as_json: Json = False) -> None:
    """Let a partner in again: a suspended one with the secret that it has, a revoked one with a new one."""
    from services.access import kept_out
    from services.access import resume as let_in
    from services.credentials import identity
    from services.logs import configure_logs

    place, party = place_of(ctx), party_of(role, own_name)
    configure_logs("partner resume", level="error")
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
        where = error.filename or "the home"  # of a full disk it does not say
        raise Problem(f"{where} cannot be written ({error.strerror}): run it as the home's owner.") from None


def _report(party: str, access: str, told: bool, said: str, as_json: bool) -> None:
    if as_json:
        print_json({"party": party, "access": access, "in_force": told})
    else:
        say(said)
        _tell_elsewhere(told)


def _tell_elsewhere(told: bool) -> None:
    """What is left to do where no server of this home has heard of it."""
    if not told:
        say("No server runs on this home: one elsewhere must read its configuration again (SIGHUP), or be restarted.")
