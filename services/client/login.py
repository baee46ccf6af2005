"""How a partner says who it is: the file that it was handed over, or its content.

That file holds the seed of an nkey and is called after the user (``retailer.juno.nk``); partners of older homes have
one with a user name and a password.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from events.party import PARTNER_ROLES, PartyError, check_party
from events.subjects import token, untoken
from services.userkeys import public_key_of


@dataclass(frozen=True)
class PartnerLogin:
    """The party, and what nats-py needs to log in as it; the secret is kept out of ``repr``."""

    party: str
    options: Mapping[str, str] = field(repr=False)


def read_login(credentials: str | Path | Mapping[str, Any], party: str | None = None) -> PartnerLogin:
    """What is in ``credentials``: a file, or an object with ``user`` and either ``nkey_seed`` or ``password``.

    The user's name, which is that of the file, says which party it is, unless ``party`` does. Raises ValueError for
    what holds no login, OSError for a file that cannot be read.
    """
    if isinstance(credentials, str | Path):
        where, file = str(credentials), Path(credentials)
        text = file.read_text(encoding="utf-8").strip()
        found = json.loads(text) if text.startswith("{") else {"user": file.stem, "nkey_seed": text}
    else:
        where, found = "what was given", dict(credentials)
    user, seed, password = (found.get(each) for each in ("user", "nkey_seed", "password"))
    if isinstance(seed, str):
        public_key_of(seed)  # raises for what is none, which nats-py would say less plainly
        return PartnerLogin(party or _party_of(str(user)), {"nkeys_seed_str": seed})
    if isinstance(user, str) and isinstance(password, str):
        return PartnerLogin(party or _party_of(user), {"user": user, "password": password})
    raise ValueError(f"{where} holds no credentials: they are the seed of an nkey, or a user and a password")


def _party_of(user: str) -> str:
    """``retailer:juno`` of ``retailer.juno``."""
    role, _, name = user.partition(".")
    try:
        found = untoken(name)
        if token(found) == name:  # a file that was called otherwise says nothing
            return check_party(f"{role}:{found}", PARTNER_ROLES)
    except (PartyError, ValueError):
        pass
    raise ValueError(f"'{user}' is not the user name of a partner, such as retailer.juno: name it with party=")
