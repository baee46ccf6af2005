"""Changes of who is let in, cut off at each of their steps: ``up`` carries on with what was begun, nobody falls in
between, and the same command again brings it to its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from services import access
from services.access import ACTIVE, AccessError, kept_out
from services.credentials import credential, identity, prepare, read_nkeys
from services.expiring import end_replaced
from services.home import HomeFolder
from services.http.keys import Keys, make_key
from services.parties import add_party, list_parties
from services.userkeys import new_seed, public_key_of
from tests.oldhome import old_partner

SHOP = "retailer:acme"
OWN_KEY = public_key_of(new_seed())
PASSWORD = "a password of before"

Change = Callable[[Path], object]


class KilledError(BaseException):
    """As if the process had been killed there."""


def killed(change: Change, home: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Make ``change`` and be killed before the given one of its steps on the disk; whether there were so many."""
    left = step

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **options: Any) -> Any:
            nonlocal left
            if left == 0:
                raise KilledError
            left -= 1
            return real(*args, **options)

        return do

    with monkeypatch.context() as patched:
        for name in ("replace", "unlink", "touch"):
            patched.setattr(Path, name, dying(getattr(Path, name)))
        try:
            change(home)
        except KilledError:
            return True
    return False


@dataclass(frozen=True)
class Before:
    """What the shop opened doors with before the change."""

    nkey: str | None
    http_key: str | None


def known(home: Path) -> Before:
    if SHOP not in list_parties(home):
        return Before(None, None)
    return Before(read_nkeys(HomeFolder(home)).get(SHOP), make_key(home, SHOP, datetime.now(UTC)))


def standing(home: Path, before: Before) -> tuple[str, frozenset[str], bool]:
    """How the shop stands: what it is said to be, by which secrets a server of this home lets it in, and over HTTP."""
    folder = HomeFolder(home)
    accounts = folder.accounts_file.read_text() if folder.accounts_file.exists() else ""
    secrets = {"old": before.nkey or PASSWORD, "own": OWN_KEY}
    if (nkey := read_nkeys(folder).get(SHOP)) not in (None, *secrets.values()):
        secrets["new"] = str(nkey)
        assert public_key_of(credential(home, SHOP).seed) == nkey, "a new one has to be here, to be handed over"
    http = before.http_key is not None and Keys(home).party_of(before.http_key, datetime.now(UTC)) == SHOP
    said = kept_out(home)[SHOP].state if SHOP in kept_out(home) else ACTIVE if SHOP in list_parties(home) else "nobody"
    return said, frozenset(name for name, secret in secrets.items() if secret in accounts), http


def nobody(home: Path) -> None:
    prepare(home)


def there(home: Path) -> None:
    add_party(home, SHOP)


def with_password(home: Path) -> None:
    old_partner(home, SHOP)


def suspended(home: Path) -> None:
    there(home)
    access.suspend(home, SHOP)


def revoked(home: Path) -> None:
    there(home)
    access.revoke(home, SHOP)


def add(home: Path) -> object:
    return add_party(home, SHOP)


def add_with_own(home: Path) -> object:
    return add_party(home, SHOP, nkey=OWN_KEY)


def suspend(home: Path) -> object:
    return access.suspend(home, SHOP)


def revoke(home: Path) -> object:
    return access.revoke(home, SHOP)


def resume(home: Path) -> object:
    return access.resume(home, SHOP)


def rotate(home: Path) -> object:
    return access.rotate(home, SHOP)


def rotate_in_a_day(home: Path) -> object:
    return access.rotate(home, SHOP, overlap=timedelta(days=1))


def rotate_to_own(home: Path) -> object:
    return access.rotate(home, SHOP, nkey=OWN_KEY)


@pytest.mark.parametrize(
    ("begin", "change"),
    [
        (nobody, add),
        (nobody, add_with_own),
        (there, suspend),
        (there, revoke),
        (suspended, resume),
        (revoked, resume),
        (there, rotate),
        (with_password, rotate),
        (there, rotate_in_a_day),
        (there, rotate_to_own),
        (with_password, rotate_to_own),
    ],
)
def test_whoever_is_killed_amid_a_change_leaves_what_was_or_what_is_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Change, change: Change
) -> None:
    first, done = tmp_path / "before", tmp_path / "done"
    begin(first)
    knew, told = known(first), HomeFolder(first).accounts_file.read_text()
    was = standing(first, knew)
    change(copytree(first, done))
    to_be = standing(done, knew)
    for step in count():
        home = copytree(first, tmp_path / str(step))
        folder = HomeFolder(home)
        if not killed(change, home, step, monkeypatch):
            break
        if not folder.untold_file.exists():  # then nobody tells the server, nor has to
            prepare(home)
            assert folder.accounts_file.read_text() == told, f"before step {step}"
        end_replaced(home, datetime.now(UTC))  # as `up` does every second
        assert not folder.untold_file.exists()
        assert standing(home, knew) in (was, to_be), f"before step {step}"
        with suppress(AccessError):  # that it is so already
            change(home)
        assert standing(home, knew) == to_be, f"after step {step} and again"
        assert begin is not with_password or not (folder.credentials / "retailer.acme.json").exists()
    assert step > 2


def test_what_a_revocation_that_was_cut_off_left_of_a_secret_opens_nothing_when_the_partner_is_let_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "before"
    there(first)
    knew = known(first)
    for step in count():
        home = copytree(first, tmp_path / str(step))
        if not killed(revoke, home, step, monkeypatch):
            break
        if SHOP in kept_out(home):
            resume(home)
            assert standing(home, knew) == (ACTIVE, frozenset({"new"}), False), f"before step {step}"
    assert identity(HomeFolder(home), SHOP).file is None
