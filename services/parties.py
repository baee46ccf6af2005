"""The party registry: who takes part in this chain, and how a person reaches them.

``parties.json`` maps ``retailer:acme`` to ``{"display_name": …, "phone": …, "email": …}``. Whoever stands
there has an account on the server and a credential; a server that runs takes a newcomer in without a restart
and without dropping a connection. Who of them is kept out stands beside it (access.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from events.party import PARTNER_ROLES, ROLES, PartyError, check_party, name_of, role_of
from services.credentials import (
    CredentialError,
    Identity,
    identity,
    read_kept_out,
    read_nkeys,
    register_nkey,
    require_unused,
    write_accounts,
)
from services.home import HomeFolder, read_json, write_json
from services.opening import make_boxes
from services.reloading import tell_server
from services.userkeys import check_public_key


class PartyCard(BaseModel):
    """How a party is named to people, and how they reach it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    display_name: str
    phone: str | None = None
    email: str | None = None
    #: Who looks after what has lain too long, at this party.
    person: str | None = None
    #: In which the chain writes to the party itself; without it, English.
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] | None = None


def list_parties(home: Path) -> dict[str, PartyCard]:
    """All registered parties by id, in the order in which they came."""
    stored = read_json(HomeFolder(home).parties_file) or {}
    return {party: PartyCard.model_validate(card) for party, card in stored.items()}


def add_party(
    home: Path,
    party: str,
    display_name: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    person: str | None = None,
    language: str | None = None,
    nkey: str | None = None,
) -> Identity:
    """Register ``party``, or change what is given of its card, and return as what it logs in.

    A newcomer without a ``display_name`` goes by the name in its id; it is given a key unless it has one of its own, of
    which ``nkey`` is the public half. A running server of this home is told to read its accounts anew, which it does
    within a few milliseconds. Raises PartyError for what is not a partner's id, KeyFormatError for what is no public
    key, CredentialError for one that is another's, and for a partner that was revoked and so has no credential,
    NoRoomError if the server has no room for what it may hand in. Not from within an event loop.
    """
    if role_of(party) in ROLES and role_of(party) not in PARTNER_ROLES:
        raise PartyError(f"'{party}' cannot be a partner: its role must be {', '.join(PARTNER_ROLES)}")
    check_party(party, PARTNER_ROLES)
    given = {"display_name": display_name, "phone": phone, "email": email, "person": person, "language": language}
    nkey = None if nkey is None else check_public_key(nkey)
    folder = HomeFolder(home)
    with folder.changing():
        if read_kept_out(folder).get(party, {}).get("state") == "revoked":
            raise CredentialError(f"{party} was revoked: 'repairchain partner resume {party}' lets it in again")
        stored = read_json(folder.parties_file) or {}
        newcomer = party not in stored
        if nkey is not None and not newcomer and read_nkeys(folder).get(party) != nkey:
            raise CredentialError(
                f"{party} has another secret already: 'repairchain partner rotate {party} --nkey {nkey}' replaces it"
            )
        if nkey is not None:
            require_unused(folder, party, nkey)
        known = {"display_name": name_of(party), **stored.get(party, {})}
        card = PartyCard.model_validate(known | {name: value for name, value in given.items() if value is not None})
        stored[party] = card.model_dump(exclude_none=True)
        # Whoever changed accounts before was cut off, or the server hung.
        unheard = newcomer or folder.untold_file.exists()
        if unheard:
            folder.untold_file.touch()
            make_boxes(folder, [party])  # first of all: with its account it may hand in
        if nkey is not None:
            register_nkey(folder, party, nkey)
        write_json(folder.parties_file, stored)
        write_accounts(folder, list(stored))
        if unheard:
            tell_server(folder)  # still alone: readings for two newcomers must not run into one
        return identity(folder, party)
