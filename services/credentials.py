"""Secrets of the chain: one file per user, made once, and the accounts that follow from them.

Everybody logs in with the key pair of an nkey, and the server is told the public keys alone. A partner's stands in
``nkeys.json`` of the registry, ``{"retailer:acme": {"nkey": "U…"}}``; the seed lies in a file of its own
(``retailer.acme.nk``), which is handed over and may then be deleted here, and never was here if the partner made the
key itself. One of our own users has a file that holds ``{"user": …, "nkey_seed": …}``; deleting it and preparing again
gives that user another key. In older homes both have passwords, ``{"user": …, "password": …}``, which go on working:
a partner's until it is given another secret. What was replaced and still works stands in a file of its own
(replaced.py). Every file with a secret is readable by its owner only.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from services.accounts import KnownBy, account_of, render
from services.home import HomeFolder, read_json, write_json, write_private
from services.replaced import Replaced, read_replaced, with_another, working, write_replaced
from services.rights import OWN_USERS
from services.userkeys import new_seed, public_key_of

SERVER_CONFIG: Final = Path(__file__).parent / "nats-server.conf"

#: How the file with a seed ends, as the tools of NATS have it.
SEED_SUFFIX: Final = ".nk"

_LONGEST_FILE_NAME: Final = 200  # file systems end at 255 bytes; a party's name written as a token may be longer


class CredentialError(ValueError):
    """There is no such credential; the message says how to get one."""


class BrokenSecretError(CredentialError):
    """The file with a secret is no longer whole, or no longer fits; the message says what mends it."""


class NotKeptError(CredentialError):
    """The partner has a key, whose secret half is not in this home."""


@dataclass(frozen=True)
class Credential:
    """User name, and the seed of an nkey or a password: the other is empty.

    Both are kept out of ``repr`` and so out of logs and tracebacks.
    """

    user: str
    password: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)

    @property
    def options(self) -> dict[str, str]:
        """As what nats-py takes to connect."""
        return {"nkeys_seed_str": self.seed} if self.seed else {"user": self.user, "password": self.password}


@dataclass(frozen=True)
class Identity:
    """As what a partner logs in: by which key the server knows it, and in which file of this home its secret lies.

    Without a key it has a password, as in older homes; without a file, the secret is the partner's alone.
    """

    user: str
    nkey: str | None
    file: Path | None


def credential(home: Path, who: str) -> Credential:
    """The credential of a service, ``operator``, ``keeper``, ``system`` or a party (``retailer:acme``).

    Raises CredentialError if this home has none for it, NotKeptError if only the partner itself does,
    BrokenSecretError for one that is no longer whole, or no longer its own.
    """
    folder = HomeFolder(home)
    file = credential_file(folder, who)
    if file.suffix == SEED_SUFFIX:
        if not file.exists():
            if who in read_nkeys(folder):
                raise NotKeptError(f"the secret of {who} is not kept in {home}")
            raise CredentialError(f"there are no credentials for {who} in {home}")
        return Credential(user=_user(who), seed=_read_seed(file, who, read_nkeys(folder).get(who)))
    stored = _read_login(file, who)
    if stored is None:
        raise CredentialError(f"there are no credentials for {who} in {home}")
    return Credential(stored["user"], password=stored.get("password", ""), seed=stored.get("nkey_seed", ""))


def identity(folder: HomeFolder, party: str) -> Identity:
    """As what ``party`` logs in, if it is let in."""
    file = credential_file(folder, party)
    return Identity(_user(party), read_nkeys(folder).get(party), file if file.exists() else None)


def prepare(home: Path) -> None:
    """Make the home folder ready for a server: folders, credentials, accounts and configuration.

    What is there already is kept; running it again changes nothing. Raises BrokenSecretError.
    """
    folder = HomeFolder(home)
    with folder.changing():
        shutil.copyfile(SERVER_CONFIG, folder.server_config)
        write_accounts(folder, list(read_json(folder.parties_file) or {}))


def write_accounts(folder: HomeFolder, parties: list[str]) -> None:
    """Write accounts.conf for our own users and ``parties``, with a new credential for whoever has none.

    A party that is kept out gets neither an account nor a credential. Beside its own secret it is let in with what was
    replaced and still works. The caller holds ``folder.changing()``.
    """
    own = {user: _own_known_by(folder, user) for user in OWN_USERS}
    out, nkeys, replaced = read_kept_out(folder), read_nkeys(folder), _still_working(folder)
    partners = {
        party: (known := _known_by(folder, party, nkeys), *_besides(known, replaced.get(party, ())))
        for party in parties
        if party not in out
    }
    write_private(folder.accounts_file, render(own, partners, [party for party in parties if party in out]))


def read_kept_out(folder: HomeFolder) -> dict[str, dict[str, str]]:
    """Every partner that is kept out, with ``state`` and ``since``; access.py says what they mean."""
    return read_json(folder.access_file) or {}


def read_nkeys(folder: HomeFolder) -> dict[str, str]:
    """The public key of every partner that has one."""
    return {party: str(known["nkey"]) for party, known in (read_json(folder.nkeys_file) or {}).items()}


def require_unused(folder: HomeFolder, party: str, nkey: str) -> None:
    """Raise CredentialError if the key is another partner's: the server takes no accounts in which one stands twice."""
    replaced = (each.nkey for other, earlier in _still_working(folder).items() if other != party for each in earlier)
    if nkey in (*(known for other, known in read_nkeys(folder).items() if other != party), *replaced):
        raise CredentialError(f"the key {nkey} is another partner's: each needs one of its own")


def register_nkey(folder: HomeFolder, party: str, nkey: str) -> None:
    """Have ``party`` log in with that key and no other way; the caller holds ``folder.changing()``.

    What secret of it lay here is destroyed. Raises CredentialError if the key is another partner's.
    """
    require_unused(folder, party, nkey)
    nkeys = read_nkeys(folder)
    if nkeys.get(party) != nkey:
        # In this order, so that whoever is killed in between leaves the party with the one or the other, and no third.
        _seed_file(folder, party).unlink(missing_ok=True)
        _write_nkeys(folder, nkeys | {party: nkey})
    _password_file(folder, party).unlink(missing_ok=True)


def forget_credential(folder: HomeFolder, party: str) -> None:
    """Destroy the secret of ``party``. The caller holds ``folder.changing()`` and writes the accounts."""
    # First: whoever is killed after this leaves a secret that is whole, or none.
    _write_nkeys(folder, {other: known for other, known in read_nkeys(folder).items() if other != party})
    for file in (_seed_file(folder, party), _password_file(folder, party)):
        file.unlink(missing_ok=True)


def replace_in_time(folder: HomeFolder, party: str, now: datetime, overlap: timedelta) -> None:
    """Have the secret of ``party`` go on working for ``overlap`` after it was replaced, and no earlier one for longer.

    To be done before another takes its place. The caller holds ``folder.changing()``.
    """
    if not overlap:  # then nothing of the secret before has to be whole
        return forget_replaced(folder, party)
    known, latest, stored = _by_what(folder, party), now + overlap, _read_replaced(folder)
    another = Replaced(latest, known.nkey, known.password) if known is not None else None
    write_replaced(folder, stored | {party: with_another(working(stored, now).get(party, ()), another, latest)})
    return None


def forget_replaced(folder: HomeFolder, party: str) -> None:
    """Let no earlier secret of ``party`` work any more. The caller holds ``folder.changing()``, writes the accounts."""
    write_replaced(folder, {other: each for other, each in _read_replaced(folder).items() if other != party})


def credential_file(folder: HomeFolder, who: str) -> Path:
    """Where the credential of ``who`` lies, or would lie. Ours lie in a folder each, which a container can be given."""
    if who in OWN_USERS:
        return folder.login_file(who)
    with_password = _password_file(folder, who)
    return with_password if with_password.exists() else _seed_file(folder, who)


def file_name(party: str) -> str:
    """What a file of that party's own is called, in whichever folder."""
    name = _user(party)
    if len(name) > _LONGEST_FILE_NAME:
        name = name[:120] + "." + hashlib.sha256(name.encode()).hexdigest()
    return f"{name}.json"


def _password_file(folder: HomeFolder, party: str) -> Path:
    return folder.credentials / file_name(party)


def _seed_file(folder: HomeFolder, party: str) -> Path:
    return _password_file(folder, party).with_suffix(SEED_SUFFIX)


def _by_what(folder: HomeFolder, party: str) -> KnownBy | None:
    """By what the server knows ``party``, or None if it has no credential."""
    if (nkey := read_nkeys(folder).get(party)) is not None:
        return KnownBy(nkey=nkey)
    before = _read_login(_password_file(folder, party), party)
    return None if before is None else KnownBy(password=str(before["password"]))


def _besides(known: KnownBy, replaced: Iterable[Replaced]) -> list[KnownBy]:
    """What else a partner is known by. A secret that is in force (again) does not stand there twice."""
    earlier = [KnownBy(each.nkey, each.password) for each in replaced]
    return [each for each in earlier if each != known]


def _still_working(folder: HomeFolder) -> dict[str, tuple[Replaced, ...]]:
    return working(_read_replaced(folder), datetime.now(UTC))


def _read_replaced(folder: HomeFolder) -> dict[str, tuple[Replaced, ...]]:
    try:
        return read_replaced(folder)
    except ValueError as error:
        raise BrokenSecretError(str(error)) from None


def _known_by(folder: HomeFolder, party: str, nkeys: dict[str, str]) -> KnownBy:
    """By what the server is to know ``party``. One without a credential is given a key, also in ``nkeys``."""
    if party in nkeys:
        _password_file(folder, party).unlink(missing_ok=True)  # that it replaced, where we were killed before this
        return KnownBy(nkey=nkeys[party])
    if (before := _read_login(_password_file(folder, party), party)) is not None:
        return KnownBy(password=str(before["password"]))
    file = _seed_file(folder, party)
    if not file.exists():  # it does where we were killed between these two files
        write_private(file, new_seed() + "\n")
    nkeys[party] = public_key_of(_read_seed(file, party, None))
    _write_nkeys(folder, nkeys)
    return KnownBy(nkey=nkeys[party])


def _write_nkeys(folder: HomeFolder, nkeys: dict[str, str]) -> None:
    write_json(folder.nkeys_file, {party: {"nkey": nkey} for party, nkey in nkeys.items()})


def _own_known_by(folder: HomeFolder, user: str) -> KnownBy:
    """By what the server is to know one of our own users; without a credential it is given a key."""
    file = folder.login_file(user)
    stored = _read_login(file, user)
    if stored is None:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        stored = {"user": user, "nkey_seed": new_seed()}
        write_json(file, stored)
    if "nkey_seed" in stored:
        return KnownBy(nkey=public_key_of(stored["nkey_seed"]))
    return KnownBy(password=str(stored["password"]))


def _read_login(file: Path, who: str) -> dict[str, str] | None:
    """What is in the file with the login of ``who``, or None if there is none. Raises BrokenSecretError, without a
    word of what is in it: it may be half of a secret."""
    try:
        stored = read_json(file)
        if stored is not None:
            if "nkey_seed" in stored:
                public_key_of(stored["nkey_seed"])
            elif not isinstance(stored["password"], str):
                raise TypeError
        return stored
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BrokenSecretError(f"{file} is broken: {_how_to_mend(who)}") from None


def _read_seed(file: Path, who: str, nkey: str | None) -> str:
    """The seed in ``file``, which belongs to ``nkey``. Raises BrokenSecretError."""
    try:
        seed = file.read_text(encoding="utf-8").strip()
        known = public_key_of(seed)
    except ValueError:  # also for what is no text
        raise BrokenSecretError(f"{file} holds no seed of a user's nkey: {_how_to_mend(who)}") from None
    if nkey is not None and known != nkey:
        raise BrokenSecretError(f"{file} holds another key than the server knows: {_how_to_mend(who)}")
    return seed


def _how_to_mend(who: str) -> str:
    """What gives ``who`` a secret that is whole."""
    if who in OWN_USERS:
        return "put it back from a backup, or delete it and start the chain again, which makes another"
    return f"put it back, or give {who} another key with 'repairchain partner rotate {who}'"


def _user(who: str) -> str:
    return who if who in OWN_USERS else account_of(who)


def main() -> None:
    """``python -m services.credentials``: make the home that the settings name ready for a server."""
    from services.settings import load_settings  # here, so that the rest of this module starts fast

    prepare(load_settings().home)


if __name__ == "__main__":
    main()
