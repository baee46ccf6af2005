"""The home folder's secrets: made once, closed to others, never shown; and the party registry."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from events.party import PartyError
from services.accounts import render
from services.credentials import CredentialError, credential, prepare
from services.home import HomeFolder, write_json, write_private
from services.parties import PartyCard, add_party, list_parties
from services.rights import OWN_USERS


def test_secrets_are_long_different_and_made_once(free_home: Path) -> None:
    prepare(free_home)
    first = {user: credential(free_home, user).password for user in OWN_USERS}
    prepare(free_home)
    assert {user: credential(free_home, user).password for user in OWN_USERS} == first
    assert len(set(first.values())) == len(OWN_USERS)
    assert min(map(len, first.values())) >= 43  # 256 bits


def test_secrets_are_closed_to_everybody_else(free_home: Path) -> None:
    add_party(free_home, "retailer:acme")
    folder = HomeFolder(free_home)
    secret_files = [*folder.credentials.iterdir(), *folder.logins.glob("*/*"), folder.accounts_file]
    assert len(secret_files) == len(OWN_USERS) + 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret_files} == {0o600}
    secret_folders = [folder.credentials, folder.logins, *folder.logins.iterdir()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in secret_folders} == {0o700}


def test_a_password_is_not_shown(free_home: Path) -> None:
    prepare(free_home)
    secret = credential(free_home, "keeper")
    assert secret.password not in repr(secret)
    assert secret.password not in str(secret)


def test_a_partner_file_holds_user_and_password_and_nothing_else(free_home: Path) -> None:
    add_party(free_home, "repairer:Clock & Co.")
    file = HomeFolder(free_home).credentials / "repairer.Clock=20=26=20Co=2E.json"
    assert json.loads(file.read_text()).keys() == {"user", "password"}
    assert credential(free_home, "repairer:Clock & Co.").user == "repairer.Clock=20=26=20Co=2E"


def test_names_too_long_for_a_file_have_credentials_too(free_home: Path) -> None:
    one, other = "retailer:" + "é" * 60, "retailer:" + "é" * 59 + "è"
    assert add_party(free_home, one) != add_party(free_home, other)
    assert credential(free_home, one) != credential(free_home, other)


def test_unknown_names_have_no_credentials(free_home: Path) -> None:
    prepare(free_home)
    with pytest.raises(CredentialError, match="there are no credentials for retailer:nobody in "):
        credential(free_home, "retailer:nobody")


def test_parties_are_kept_with_their_cards(free_home: Path) -> None:
    assert list_parties(free_home) == {}
    add_party(free_home, "retailer:acme", "Acme Watches", phone="+31 20 123", email="help@acme.example")
    add_party(free_home, "importer:north")
    before = credential(free_home, "retailer:acme")
    assert add_party(free_home, "retailer:acme", "Acme", phone="+31 20 456") == before
    assert list_parties(free_home) == {
        "retailer:acme": PartyCard(display_name="Acme", phone="+31 20 456", email="help@acme.example"),
        "importer:north": PartyCard(display_name="north"),
    }


def test_a_registry_of_before_is_taken_over(free_home: Path) -> None:
    free_home.mkdir()
    (free_home / "parties.json").write_text('{"retailer:acme": {"display_name": "Acme"}}')
    prepare(free_home)
    assert list_parties(free_home) == {"retailer:acme": PartyCard(display_name="Acme")}
    assert credential(free_home, "retailer:acme").user == "retailer.acme"


@pytest.mark.parametrize("party", ["acme", "customer:jan", "chain:watchdog", "retailer:", "retailer:two\nlines"])
def test_only_partners_can_join(free_home: Path, party: str) -> None:
    with pytest.raises(PartyError):
        add_party(free_home, party)
    assert list_parties(free_home) == {}


def test_parties_that_join_at_the_same_time_all_get_in(free_home: Path) -> None:
    parties = [f"retailer:shop {number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        secrets = list(pool.map(lambda party: add_party(free_home, party), parties))
    assert sorted(list_parties(free_home)) == sorted(parties)
    accounts = HomeFolder(free_home).accounts_file.read_text()
    assert all(secret.password in accounts for secret in secrets)


def test_what_a_killed_server_left_behind_is_not_signalled(free_home: Path) -> None:
    """Its process id may belong to something else by now: here, to a process that a signal would end."""
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        prepare(free_home)
        left = {"url": "nats://127.0.0.1:1", "monitor_url": "http://127.0.0.1:1", "pid": bystander.pid}
        write_json(HomeFolder(free_home).server_file, left)
        HomeFolder(free_home).lock_file.touch()
        assert not HomeFolder(free_home).in_use()
        add_party(free_home, "retailer:acme")
        assert bystander.poll() is None
    finally:
        bystander.communicate()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    write_private(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(file, "new \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_each_export_is_for_one_account_and_every_permission_is_an_allow_list() -> None:
    text = render(dict.fromkeys(OWN_USERS, "x"), {"retailer:acme": "a", "repairer:bench": "b"})
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    accounts = {name: value for line in lines for name, value in json.loads("{" + line + "}").items()}
    assert set(accounts) == {"SYS", "CHAIN", "retailer.acme", "repairer.bench"}
    assert all(len(export["accounts"]) == 1 for export in accounts["CHAIN"]["exports"])
    users = [user for account in accounts.values() for user in account["users"]]
    assert {user["user"] for user in users if "permissions" not in user} == {"keeper"}
    for user in users:
        permissions = user.get("permissions", {})
        lists = [permissions[action] for action in ("publish", "subscribe") if action in permissions]
        assert all(set(each) == {"allow"} and ">" not in each["allow"] for each in lists)
        assert len(lists) == (0 if user["user"] == "keeper" else 2)
