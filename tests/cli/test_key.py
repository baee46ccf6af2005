"""partner key and partner identify, as an operator types them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.credentials import identity
from services.home import HomeFolder, write_json
from services.http.keys import Keys
from services.identifiers import list_identifiers
from services.parties import add_party
from services.welcome import welcome_file, write_welcome
from tests.cli.running import answer, call

SHOP = "retailer:juno"


@pytest.fixture
def home(free_home: Path) -> Path:
    add_party(free_home, SHOP)
    return free_home


@pytest.mark.parametrize("named", [["retailer:juno"], ["retailer", "juno"]])
def test_a_key_is_shown_once_and_opens(home: Path, named: list[str]) -> None:
    key = answer("partner", "key", *named, home=home)["key"]
    assert Keys(home).party_of(key, datetime.now(UTC)) == SHOP
    shown = call("partner", "key", *named, home=home)
    assert shown.exit_code == 0
    (line,) = [line.strip() for line in shown.stdout.splitlines() if line.startswith("  rk_")]
    assert Keys(home).party_of(line, datetime.now(UTC)) == SHOP


def test_whoever_has_a_key_is_told_that_the_door_is_closed(home: Path) -> None:
    assert "name an http_port" in call("partner", "key", SHOP, home=home).stdout
    address = HomeFolder(home).http_file
    address.parent.mkdir(exist_ok=True)
    address.write_text("{}")
    assert "http_port" not in call("partner", "key", SHOP, home=home).stdout


def test_whoever_has_a_key_is_told_where_to_use_it_and_so_is_its_welcome_page(home: Path) -> None:
    page = write_welcome(home, SHOP, None)
    assert "Nothing else is open to you, and" in page.read_text()
    (home / "repairchain.toml").write_text("http_port = 8443\n")
    said = call("partner", "key", SHOP, home=home).stdout
    assert "by POST to http://127.0.0.1:8443/events" in said
    assert "start the chain" in said
    write_json(HomeFolder(home).http_file, {"url": "http://127.0.0.1:9000"})
    assert "http://127.0.0.1:9000/events" in call("partner", "key", SHOP, home=home).stdout
    assert "`http://127.0.0.1:9000/events`" in page.read_text()


def test_a_command_about_one_partner_puts_the_pages_of_others_right_and_leaves_those_away_that_lie_here_no_more(
    home: Path,
) -> None:
    for other in ("importer:noord", "repairer:tick"):
        add_party(home, other)
    page, gone = write_welcome(home, "importer:noord", None), welcome_file(HomeFolder(home), "repairer:tick")
    write_json(HomeFolder(home).http_file, {"url": "http://127.0.0.1:9000"})
    assert call("partner", "add", SHOP, "--phone", "555-0100", home=home).exit_code == 0
    assert "`http://127.0.0.1:9000/events`" in page.read_text()
    assert not gone.exists()


def test_the_page_of_a_partner_that_is_kept_out_for_good_is_gone_until_it_is_let_in_again(home: Path) -> None:
    page = write_welcome(home, SHOP, None)
    assert call("partner", "revoke", SHOP, "--yes", home=home).exit_code == 0
    assert not page.exists()
    assert call("partner", "resume", SHOP, home=home).exit_code == 0
    assert str(identity(HomeFolder(home), SHOP).nkey) in page.read_text()


def test_keys_are_revoked(home: Path) -> None:
    key = answer("partner", "key", SHOP, home=home)["key"]
    assert answer("partner", "key", SHOP, "--revoke", home=home) == {
        "party": SHOP,
        "key": None,
        "old_key_until": None,
        "revoked": 1,
    }
    assert Keys(home).party_of(key, datetime.now(UTC)) is None
    for party in (SHOP, "nobody"):
        assert "No key" in call("partner", "key", party, "--revoke", home=home).stdout


def test_whoever_takes_no_part_is_told_how_to(home: Path) -> None:
    result = call("partner", "key", "retailer:nobody", home=home)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "repairchain partner add retailer:nobody" in result.stderr


def test_a_number_of_gs1_means_a_partner(home: Path) -> None:
    number = "urn:epc:id:pgln:4012345.00225"
    assert answer("partner", "identify", SHOP, number, home=home) == {"party": SHOP, "identifiers": [number]}
    assert list_identifiers(home) == {number: SHOP}
    assert call("partner", "identify", "importer:nobody", number, home=home).exit_code == 2
    assert call("partner", "identify", SHOP, " ", home=home).exit_code == 2
    mistyped = call("partner", "identify", SHOP, "4006381333932", home=home)
    assert (mistyped.exit_code, "after 400638133393 the check digit is 1" in mistyped.stderr) == (2, True)
    assert list_identifiers(home) == {number: SHOP}
