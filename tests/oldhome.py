"""A home of before partners had keys: they have passwords, which stand in the server's configuration, too."""

from __future__ import annotations

from pathlib import Path

from services.accounts import account_of
from services.credentials import Credential, file_name
from services.home import HomeFolder, write_json
from services.parties import add_party


def old_partner(home: Path, party: str) -> Credential:
    """Register ``party`` with a password, as it was done then, and return that."""
    folder = HomeFolder(home)
    folder.create()
    secret = Credential(account_of(party), "a password of before, with 256 bits in it")
    write_json(folder.credentials / file_name(party), {"user": secret.user, "password": secret.password})
    add_party(home, party)
    return secret
