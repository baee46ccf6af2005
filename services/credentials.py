"""Secrets of the chain: one file per user, made once, and the accounts that follow from them.

A credential file holds ``{"user": …, "password": …}`` and is readable by its owner only. A partner is given
its own file and nothing else; deleting a file and preparing again gives that user a new password.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.accounts import account_of, render
from services.home import HomeFolder, read_json, write_json, write_private
from services.rights import OWN_USERS

SERVER_CONFIG: Final = Path(__file__).parent / "nats-server.conf"

_LONGEST_FILE_NAME: Final = 200  # file systems end at 255 bytes; a party's name written as a token may be longer


class CredentialError(ValueError):
    """There is no such credential; the message says how to get one."""


@dataclass(frozen=True)
class Credential:
    """User name and password; the password is kept out of ``repr`` and so out of logs and tracebacks."""

    user: str
    password: str = field(repr=False)


def credential(home: Path, who: str) -> Credential:
    """The credential of a service, ``operator``, ``keeper``, ``system`` or a party (``retailer:acme``).

    Raises CredentialError if this home has none for it.
    """
    stored = read_json(credential_file(HomeFolder(home), who))
    if stored is None:
        raise CredentialError(f"there are no credentials for {who} in {home}")
    return Credential(user=stored["user"], password=stored["password"])


def prepare(home: Path) -> None:
    """Make the home folder ready for a server: folders, credentials, accounts and configuration.

    What is there already is kept; running it again changes nothing.
    """
    folder = HomeFolder(home)
    with folder.changing():
        shutil.copyfile(SERVER_CONFIG, folder.server_config)
        write_accounts(folder, list(read_json(folder.parties_file) or {}))


def write_accounts(folder: HomeFolder, parties: list[str]) -> None:
    """Write accounts.conf for our own users and ``parties``, with a new credential for whoever has none.

    A party that is kept out gets neither an account nor a credential. The caller holds ``folder.changing()``.
    """
    own = {user: _password(folder, user) for user in OWN_USERS}
    out = read_kept_out(folder)
    partners = {party: _password(folder, party) for party in parties if party not in out}
    write_private(folder.accounts_file, render(own, partners))


def read_kept_out(folder: HomeFolder) -> dict[str, dict[str, str]]:
    """Every partner that is kept out, with ``state`` and ``since``; access.py says what they mean."""
    return read_json(folder.access_file) or {}


def forget_credential(folder: HomeFolder, party: str) -> None:
    """Destroy the secret of ``party``. The caller holds ``folder.changing()`` and writes the accounts."""
    credential_file(folder, party).unlink(missing_ok=True)


def credential_file(folder: HomeFolder, who: str) -> Path:
    """Where the credential of ``who`` lies, or will lie. Ours lie in a folder each, which a container can be given."""
    if who in OWN_USERS:
        return folder.login_file(who)
    return folder.credentials / file_name(who)


def file_name(party: str) -> str:
    """What a file of that party's own is called, in whichever folder."""
    name = _user(party)
    if len(name) > _LONGEST_FILE_NAME:
        name = name[:120] + "." + hashlib.sha256(name.encode()).hexdigest()
    return f"{name}.json"


def _password(folder: HomeFolder, who: str) -> str:
    file = credential_file(folder, who)
    stored = read_json(file)
    if stored is None:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        stored = {"user": _user(who), "password": secrets.token_urlsafe(32)}
        write_json(file, stored)
    return str(stored["password"])


def _user(who: str) -> str:
    return who if who in OWN_USERS else account_of(who)


def main() -> None:
    """``python -m services.credentials``: make the home that the settings name ready for a server."""
    from services.settings import load_settings  # here, so that the rest of this module starts fast

    prepare(load_settings().home)


if __name__ == "__main__":
    main()
