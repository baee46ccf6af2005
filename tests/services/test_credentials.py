"""The home folder's secrets: made once, closed to others, never shown; and the party registry."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from events.party import PartyError
from services.access import rotate
from services.accounts import KnownBy, render
from services.credentials import Credential, CredentialError, Identity, NotKeptError, credential, identity, prepare
from services.home import HomeFolder, write_json, write_private
from services.parties import PartyCard, add_party, list_parties
from services.rights import OWN_USERS
from services.userkeys import KeyFormatError, new_seed, public_key_of
from tests.oldhome import old_partner


def test_secrets_are_different_and_made_once(free_home: Path) -> None:
    prepare(free_home)
    first = {user: credential(free_home, user).seed for user in OWN_USERS}
    prepare(free_home)
    assert {user: credential(free_home, user).seed for user in OWN_USERS} == first
    assert len(set(first.values())) == len(OWN_USERS)
    assert len({public_key_of(seed) for seed in first.values()}) == len(OWN_USERS)


def test_secrets_are_closed_to_everybody_else(free_home: Path) -> None:
    add_party(free_home, "retailer:acme")
    folder = HomeFolder(free_home)
    secret_files = [*folder.credentials.iterdir(), *folder.logins.glob("*/*"), folder.accounts_file]
    assert len(secret_files) == len(OWN_USERS) + 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret_files} == {0o600}
    secret_folders = [folder.credentials, folder.logins, *folder.logins.iterdir()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in secret_folders} == {0o700}


def test_a_secret_is_not_shown(free_home: Path) -> None:
    prepare(free_home)
    secret = credential(free_home, "keeper")
    assert secret.seed not in repr(secret)
    assert secret.seed not in str(secret)
    other = Credential("keeper", password="hush")
    assert "hush" not in repr(other)


def test_a_partner_file_holds_the_seed_and_nothing_else(free_home: Path) -> None:
    found = add_party(free_home, "repairer:Clock & Co.")
    file = HomeFolder(free_home).credentials / "repairer.Clock=20=26=20Co=2E.nk"
    assert found == Identity("repairer.Clock=20=26=20Co=2E", public_key_of(file.read_text()), file)
    secret = credential(free_home, "repairer:Clock & Co.")
    assert (secret.user, secret.seed) == (found.user, file.read_text().strip())
    assert secret.seed not in repr(secret)


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
    add_party(free_home, "retailer:acme", "Acme", phone="+31 20 456")
    assert credential(free_home, "retailer:acme") == before
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
        found = list(pool.map(lambda party: add_party(free_home, party), parties))
    assert sorted(list_parties(free_home)) == sorted(parties)
    accounts = HomeFolder(free_home).accounts_file.read_text()
    assert all(each.nkey and each.nkey in accounts for each in found)


def test_the_servers_configuration_holds_no_secret(free_home: Path) -> None:
    add_party(free_home, "retailer:acme")
    seeds = [credential(free_home, who).seed for who in (*OWN_USERS, "retailer:acme")]
    assert all(seeds)
    for file in HomeFolder(free_home).nats.glob("*.conf"):
        text = file.read_text()
        assert "password:" not in text
        assert '"password"' not in text
        assert not any(seed in text for seed in seeds)


def test_the_servers_configuration_says_whose_a_key_is(free_home: Path) -> None:
    """The server's log calls a user by its key."""
    prepare(free_home)
    lines = HomeFolder(free_home).accounts_file.read_text().splitlines()
    for user in OWN_USERS:
        assert f"# {public_key_of(credential(free_home, user).seed)} is {user}" in lines


def secrets_of_partners(home: Path) -> list[str]:
    return [file.read_text().strip() for file in HomeFolder(home).credentials.glob("*.nk")]


def test_the_secret_of_a_partner_lies_in_its_file_and_nowhere_else(free_home: Path) -> None:
    found = [add_party(free_home, party) for party in ("retailer:acme", "importer:north")]
    seeds = secrets_of_partners(free_home)
    assert len(seeds) == 2
    held = [file for file in free_home.rglob("*") if file.is_file() and any(seed in file.read_text() for seed in seeds)]
    assert sorted(held) == sorted(each.file for each in found if each.file)


def test_a_secret_that_was_handed_over_may_be_deleted(free_home: Path) -> None:
    before = add_party(free_home, "retailer:acme")
    assert before.file is not None
    before.file.unlink()
    prepare(free_home)
    after = add_party(free_home, "retailer:acme", phone="555-0100")
    assert (after.nkey, after.file) == (before.nkey, None)
    assert str(before.nkey) in HomeFolder(free_home).accounts_file.read_text()
    with pytest.raises(NotKeptError, match="the secret of retailer:acme is not kept in"):
        credential(free_home, "retailer:acme")


def test_a_partner_may_make_its_key_itself(free_home: Path) -> None:
    own = public_key_of(new_seed())
    found = add_party(free_home, "retailer:acme", nkey=own)
    assert found == Identity("retailer.acme", own, None)
    assert add_party(free_home, "retailer:acme", "Acme", nkey=own) == found
    assert add_party(free_home, "retailer:acme") == found
    assert secrets_of_partners(free_home) == []


def test_a_key_is_one_partners_and_is_replaced_by_rotating_alone(free_home: Path) -> None:
    own = public_key_of(new_seed())
    add_party(free_home, "retailer:acme", nkey=own)
    with pytest.raises(CredentialError, match="is another partner's"):
        add_party(free_home, "importer:north", nkey=own)
    assert list(list_parties(free_home)) == ["retailer:acme"]
    with pytest.raises(CredentialError, match="partner rotate retailer:acme --nkey U"):
        add_party(free_home, "retailer:acme", nkey=public_key_of(new_seed()))
    assert identity(HomeFolder(free_home), "retailer:acme").nkey == own


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "no public key"),
        ("U" * 56, "no public key"),
        ("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF5", "no public key"),  # its last sign is another
        ("ADXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4", "no public key"),
        ("ü", "no public key"),
        ("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY", "is a seed, which is a secret"),
    ],
)
def test_what_is_no_public_key_is_refused_and_not_repeated(free_home: Path, key: str, said: str) -> None:
    with pytest.raises(KeyFormatError, match=said) as refused:
        add_party(free_home, "retailer:acme", nkey=key)
    assert not key or key not in str(refused.value)
    assert list_parties(free_home) == {}


@pytest.mark.parametrize("change", [lambda seed: seed[:-1], lambda seed: seed.replace(seed[20], "ü"), str.lower])
def test_a_seed_that_was_mistyped_is_nobodys(change: Callable[[str], str]) -> None:
    """The example is from the documentation of NATS."""
    seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
    assert public_key_of(seed) == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    with pytest.raises(KeyFormatError) as refused:
        public_key_of(change(seed))
    assert seed[:10] not in str(refused.value)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda seed: seed[:29], "holds no seed of a user's nkey"),
        (lambda seed: "", "holds no seed of a user's nkey"),
        (lambda seed: "SA" + seed[2:], "holds no seed of a user's nkey"),
        (lambda seed: new_seed(), "holds another key than the server knows"),
    ],
    ids=["half", "empty", "of another type", "another's"],
)
def test_a_secret_that_is_not_whole_is_told_and_not_repeated(
    free_home: Path, damage: Callable[[str], str], said: str
) -> None:
    add_party(free_home, "retailer:acme")
    file = HomeFolder(free_home).credentials / "retailer.acme.nk"
    write_private(file, damaged := damage(file.read_text()))
    with pytest.raises(CredentialError, match=f"{said}.*'repairchain partner rotate retailer:acme'") as refused:
        credential(free_home, "retailer:acme")
    assert not damaged or damaged not in str(refused.value)
    rotate(free_home, "retailer:acme")
    assert credential(free_home, "retailer:acme").seed != damaged


@pytest.mark.parametrize("left", ['{"user": "keeper", "nkey_', '{"user": "keeper"}', '{"nkey_seed": "SUAB"}', "[]"])
def test_a_login_of_ours_that_is_not_whole_is_told(free_home: Path, left: str) -> None:
    prepare(free_home)
    file = HomeFolder(free_home).login_file("keeper")
    whole = file.read_text()
    write_private(file, left)
    for read in (lambda: credential(free_home, "keeper"), lambda: prepare(free_home)):
        with pytest.raises(CredentialError, match=r"is broken.*delete it and start the chain again"):
            read()
    file.unlink()
    prepare(free_home)
    assert credential(free_home, "keeper").seed not in whole


def test_whoever_was_killed_between_two_files_finds_the_key_again(free_home: Path) -> None:
    folder = HomeFolder(free_home)
    before = add_party(free_home, "retailer:acme")
    folder.nkeys_file.unlink()
    prepare(free_home)
    assert identity(folder, "retailer:acme") == before


def test_a_password_of_before_is_kept_until_it_is_replaced(free_home: Path) -> None:
    old = old_partner(free_home, "retailer:acme")
    assert add_party(free_home, "retailer:acme", phone="555-0100").nkey is None
    assert credential(free_home, "retailer:acme") == old
    assert old.password in HomeFolder(free_home).accounts_file.read_text()
    found, _ = rotate(free_home, "retailer:acme")
    assert found.nkey is not None
    assert found.file is not None
    assert credential(free_home, "retailer:acme").seed
    assert old.password not in HomeFolder(free_home).accounts_file.read_text()
    assert not found.file.with_suffix(".json").exists()


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
    partners = {"retailer:acme": [KnownBy(nkey="UA")], "repairer:bench": [KnownBy(password="b")]}
    text = render(dict.fromkeys(OWN_USERS, KnownBy(password="x")), partners)
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    accounts = {name: value for line in lines for name, value in json.loads("{" + line + "}").items()}
    assert set(accounts) == {"SYS", "CHAIN", "retailer.acme", "repairer.bench"}
    assert all(len(export["accounts"]) == 1 for export in accounts["CHAIN"]["exports"])
    users = [user for account in accounts.values() for user in account["users"]]
    assert [user.get("nkey", "") + user.get("user", "") for user in users[-2:]] == ["UA", "repairer.bench"]
    assert {user["user"] for user in users if "permissions" not in user} == {"keeper"}
    for user in users:
        permissions = user.get("permissions", {})
        lists = [permissions[action] for action in ("publish", "subscribe") if action in permissions]
        assert all(set(each) == {"allow"} and ">" not in each["allow"] for each in lists)
        assert len(lists) == (0 if user.get("user") == "keeper" else 2)
