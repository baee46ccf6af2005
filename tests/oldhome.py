"""A home of before anybody had keys: all have passwords, which stand in the server's configuration, too."""

from __future__ import annotations

from pathlib import Path

from services.accounts import account_of
from services.credentials import Credential, file_name
from services.home import HomeFolder, write_json
from services.parties import add_party
from services.rights import OWN_USERS


def old_logins(home: Path) -> None:
    """Give every one of our own users a password, in a home that is not there yet."""
    folder = HomeFolder(home)
    folder.create()
    for user in OWN_USERS:
        folder.login_file(user).parent.mkdir(mode=0o700)
        write_json(folder.login_file(user), {"user": user, "password": f"a password of before of {user}"})


def old_partner(home: Path, party: str) -> Credential:
    """Register ``party`` with a password, as it was done then, and return that."""
    folder = HomeFolder(home)
    folder.create()
    secret = Credential(account_of(party), "a password of before, with 256 bits in it")
    write_json(folder.credentials / file_name(party), {"user": secret.user, "password": secret.password})
    add_party(home, party)
    return secret
