"""The party registry: who takes part in this chain, and how a person reaches them.

``parties.json`` maps ``retailer:acme`` to ``{"display_name": …, "phone": …, "email": …}``. Whoever stands
there has an account on the server and a credential; a server that runs takes a newcomer in without a restart
and without dropping a connection.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from events.party import PARTNER_ROLES, ROLES, PartyError, check_party, name_of, role_of
from services.credentials import Credential, credential, write_accounts
from services.home import HomeFolder, read_json, write_json

_RELOAD_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.003


class ServerReloadError(Exception):
    """The running server did not take the changed accounts; the message says where to look."""


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
) -> Credential:
    """Register ``party``, or change what is given of its card, and return its credential.

    A newcomer without a ``display_name`` goes by the name in its id. A running server of this home is told to read its
    accounts anew, which it does within a few milliseconds. Raises PartyError for what is not a partner's id.
    """
    if role_of(party) in ROLES and role_of(party) not in PARTNER_ROLES:
        raise PartyError(f"'{party}' cannot be a partner: its role must be {', '.join(PARTNER_ROLES)}")
    check_party(party, PARTNER_ROLES)
    given = {"display_name": display_name, "phone": phone, "email": email, "person": person, "language": language}
    folder = HomeFolder(home)
    with folder.changing():
        stored = read_json(folder.parties_file) or {}
        newcomer = party not in stored
        known = {"display_name": name_of(party), **stored.get(party, {})}
        card = PartyCard.model_validate(known | {name: value for name, value in given.items() if value is not None})
        stored[party] = card.model_dump(exclude_none=True)
        write_json(folder.parties_file, stored)
        write_accounts(folder, list(stored))
        if newcomer:
            tell_server(folder)  # still alone: readings for two newcomers must not run into one
    return credential(home, party)


def tell_server(folder: HomeFolder) -> None:
    """Have the server that runs on this home, if one does, read its configuration, and wait until it has.

    It is told twice: the imports of an account that is new in one reading take effect with the next (seen with
    nats-server 2.15.1; until then the newcomer could connect, but its submissions would reach nobody).
    """
    running = read_json(folder.server_file)
    if running is None or not folder.in_use():  # a killed server leaves its file; its process id may be another's now
        return
    for _ in range(2):
        before = _loaded_at(running["monitor_url"])
        if before is None:  # it was killed this moment; the next one reads the new accounts when it starts
            return
        os.kill(int(running["pid"]), signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_SECONDS
        while _loaded_at(running["monitor_url"]) == before:
            if time.monotonic() > deadline:
                raise ServerReloadError(
                    "the server does not take the changed accounts: "
                    f"see {folder.nats / 'server.log'}, or stop and start the chain"
                )
            time.sleep(_LOOK_AGAIN_SECONDS)


def _loaded_at(monitor_url: str) -> str | None:
    """When the server last read its configuration; None if there is no server."""
    try:
        # The address is one that our own server wrote down.
        with urllib.request.urlopen(f"{monitor_url}/varz", timeout=5) as answer:  # noqa: S310
            return str(json.load(answer)["config_load_time"])
    except (ConnectionError, urllib.error.URLError):
        return None
