"""The party registry: who takes part in this chain, and how a person reaches them.

``parties.json`` maps ``retailer:acme`` to ``{"display_name": …, "phone": …, "email": …}``. Whoever stands
there has an account on the server and a credential; a server that runs takes a newcomer in without a restart
and without dropping a connection.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from events.party import PARTNER_ROLES, PartyError, check_party, name_of, role_of
from services.credentials import Credential, credential, write_accounts
from services.home import HomeFolder, read_json, write_json


class PartyCard(BaseModel):
    """How a party is named to people, and how they reach it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    display_name: str
    phone: str | None = None
    email: str | None = None


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
) -> Credential:
    """Register ``party`` (or change its card) and return its credential.

    Without a ``display_name`` the name in its id is used. A running server of this home is told to read its
    accounts anew, which it does within a few milliseconds. Raises PartyError for what is not a partner's id.
    """
    check_party(party)
    if role_of(party) not in PARTNER_ROLES:
        raise PartyError(f"'{party}' cannot be a partner: its role must be {', '.join(PARTNER_ROLES)}")
    card = PartyCard(display_name=display_name or name_of(party), phone=phone, email=email)
    folder = HomeFolder(home)
    with folder.changing():
        stored = read_json(folder.parties_file) or {}
        newcomer = party not in stored
        stored[party] = card.model_dump(exclude_none=True)
        write_json(folder.parties_file, stored)
        write_accounts(folder, list(stored))
    if newcomer:
        tell_server(folder)
    return credential(home, party)


def tell_server(folder: HomeFolder) -> None:
    """Ask the server that runs on this home, if there is one, to read its configuration again."""
    running = read_json(folder.server_file)
    if running is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(running["pid"]), signal.SIGHUP)
