"""partner key, partner identify: how a partner is known over HTTP, and in the events of others."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.errors import Problem
from cli.options import Json, place_of
from cli.output import print_json, say
from cli.overlap import Overlap, read_overlap, until
from cli.pages import renew_pages
from cli.place import http_url

Party = Annotated[str, typer.Argument(metavar="ROLE:NAME", help="Who it is: retailer:juno, or retailer juno.")]


def key(
    ctx: typer.Context,
    party: Party,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="If the role stands alone.", show_default=False)
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Have none of its keys work any more, from now on.")] = False,
    overlap: Overlap = None,
    as_json: Json = False,
) -> None:
    """Make a key with which a partner hands in over HTTP; the one before works for another day (docs/http.md), or for
    as long as --overlap says."""
    from events.party import PartyError
    from services.http.keys import OVERLAP, make_key, replaced_until, revoke_keys
    from services.parties import list_parties
    from services.welcome import welcome_file

    place = place_of(ctx)
    home = place.home
    party = party if name is None else f"{party}:{name}"
    if revoke and overlap is not None:
        raise Problem("--revoke ends every key at once: leave --overlap away.")
    length, now = read_overlap(overlap, OVERLAP), datetime.now(UTC)
    try:
        if revoke:
            gone = revoke_keys(home, party)
            made = None
        else:
            gone = 0
            made = make_key(home, party, now, length)
        address = http_url(place)
        if party in list_parties(home) and welcome_file(place.folder, party).exists():  # it says if there is a key
            renew_pages(place, party)
    except PartyError as error:
        raise Problem(f"{error}: register it with 'repairchain partner add {shlex.quote(party)}'.") from None
    except OSError as error:
        raise Problem(f"{home} cannot be written ({error.strerror}).") from None
    old = replaced_until(home, now).get(party)
    if as_json:
        print_json({"party": party, "key": made, "old_key_until": old and old.isoformat(), "revoked": gone})
        return
    if made is None:
        said = "No key" if gone == 0 else "Its key" if gone == 1 else f"All {gone} keys"
        say(f"{said} of {party} was there to revoke." if not gone else f"{said} opens nothing any more.")
        return
    before = f"the one before works {until(old)}" if old is not None else "no other opens anything"
    say(f"The key of {party}, which is shown only now; {before}:\n")
    say(f"  {made}\n")
    say("It is sent with every request: Authorization: Bearer rk_… (docs/http.md).")
    if address is not None:
        say(f"Events go by POST to {address}/events.")
    if not place.folder.http_file.exists():
        opening = "" if address is not None else "name an http_port in repairchain.toml, and "
        closed = f"Nothing listens there yet: {opening}start the chain anew."
        say(closed, style="yellow")


def identify(
    ctx: typer.Context,
    party: Party,
    identifier: Annotated[
        str, typer.Argument(metavar="IDENTIFIER", help="As in EPCIS events: urn:epc:id:pgln:4012345.00225.")
    ],
    as_json: Json = False,
) -> None:
    """Say whose a number of GS1's is, so that EPCIS events can name that partner (docs/epcis.md)."""
    from events.party import PartyError
    from services.identifiers import identify as note
    from services.identifiers import list_identifiers

    home = place_of(ctx).home
    try:
        note(home, party, identifier)
    except PartyError as error:
        raise Problem(f"{error}.") from None
    except OSError as error:
        raise Problem(f"{home} cannot be written ({error.strerror}).") from None
    known = [each for each, whose in list_identifiers(home).items() if whose == party]
    if as_json:
        print_json({"party": party, "identifiers": known})
        return
    say(f"{party} is {', '.join(known)}")
