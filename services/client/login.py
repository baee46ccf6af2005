"""How a partner says who it is: the file that it was handed over, or its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from events.party import PARTNER_ROLES, PartyError, check_party
from events.subjects import untoken


@dataclass(frozen=True)
class PartnerLogin:
    """The party, and what nats-py needs to log in as it; the secret is kept out of ``repr``."""

    party: str
    options: Mapping[str, str] = field(repr=False)


def read_login(credentials: str | Path | Mapping[str, Any], party: str | None = None) -> PartnerLogin:
    """What is in ``credentials``: a file, or the object in it, with ``user`` and ``password``.

    The user's name says which party it is, unless ``party`` does. Raises ValueError for what holds no login, OSError
    for a file that cannot be read.
    """
    if isinstance(credentials, str | Path):
        where = str(credentials)
        found = json.loads(Path(credentials).read_text(encoding="utf-8"))
    else:
        where, found = "what was given", dict(credentials)
    if not isinstance(found, dict) or not all(isinstance(found.get(each), str) for each in ("user", "password")):
        raise ValueError(f"{where} holds no credentials: they are a JSON object with user and password")
    return PartnerLogin(party or _party_of(found["user"]), {each: found[each] for each in ("user", "password")})


def _party_of(user: str) -> str:
    """``retailer:juno`` of ``retailer.juno``."""
    role, _, name = user.partition(".")
    try:
        return check_party(f"{role}:{untoken(name)}", PARTNER_ROLES)
    except (PartyError, ValueError):
        raise ValueError(f"'{user}' is not the user name of a partner, such as retailer.juno") from None
