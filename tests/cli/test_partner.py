"""Partners on the command line: registered, shown, kept out, let in, and given a page to begin with."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.place import find_place
from cli.running import Narrator
from events.names import SERVICES
from services.credentials import credential
from services.userkeys import new_seed, public_key_of
from tests.cli.running import answer, call, sentence
from tests.oldhome import old_partner

SHOP = "retailer:acme"


def access_of(home: Path) -> str:
    return str(answer("partner", "show", SHOP, home=home)["access"])


def test_role_and_name_may_stand_apart_or_together(free_home: Path) -> None:
    apart = answer("partner", "add", "retailer", "acme", "--name", "Acme Watches", home=free_home)
    assert apart == answer("partner", "add", SHOP, home=free_home)
    assert (apart["party"], apart["user"]) == (SHOP, "retailer.acme")
    for twice in ("add", "show", "rotate"):
        refused = sentence(call("partner", twice, SHOP, "rival", home=free_home))
        assert refused.startswith("'retailer:acme' names a partner already")
    assert [row["display_name"] for row in answer("partner", "list", home=free_home)["parties"]] == ["Acme Watches"]


def test_the_word_of_before_is_understood_and_not_shown(free_home: Path) -> None:
    assert answer("party", "add", SHOP, home=free_home)["party"] == SHOP
    listed = [line.split()[0] for line in call("--help").stdout.splitlines() if line.startswith("  ")]
    assert ("partner" in listed, "party" in listed) == (True, False)


def test_a_partner_is_kept_out_and_let_in(free_home: Path) -> None:
    answer("partner", "add", SHOP, home=free_home)
    assert access_of(free_home) == "active"
    first = credential(free_home, SHOP)
    assert answer("partner", "suspend", "retailer", "acme", home=free_home) == {
        "party": SHOP,
        "access": "suspended",
        "in_force": False,
    }
    (row,) = answer("partner", "list", home=free_home)["parties"]
    assert (row["access"], row["access_since"] is None) == ("suspended", False)
    since = re.compile(r"suspended since [A-Z][a-z]{2} \d+ [A-Z][a-z]{2} \d\d:\d\d \(now\)")
    shown = call("partner", "show", SHOP, home=free_home).stdout
    assert since.search(shown)
    assert f"repairchain partner resume {SHOP}\n" in shown
    said = sentence(call("publish", "examples/first-order.json", "--fill", "--as", SHOP, home=free_home))
    assert since.search(said)
    assert answer("partner", "resume", SHOP, home=free_home)["access"] == "active"
    assert credential(free_home, SHOP) == first
    rotated = answer("partner", "rotate", SHOP, home=free_home)
    assert Path(rotated["credentials"]).read_text().strip() == credential(free_home, SHOP).seed != first.seed
    assert rotated["nkey"] == public_key_of(credential(free_home, SHOP).seed)


def test_revoking_asks_first_and_leaves_no_secret(free_home: Path) -> None:
    file = Path(answer("partner", "add", SHOP, home=free_home)["credentials"])
    assert call("partner", "revoke", SHOP, home=free_home, stdin="n\n").exit_code == 1
    assert access_of(free_home) == "active"
    said = call("partner", "revoke", SHOP, "--yes", home=free_home).stdout
    assert "No server runs on this home" in said
    assert not file.exists()
    shown = answer("partner", "show", SHOP, home=free_home)
    assert (shown["access"], "credentials" in shown) == ("revoked", False)
    assert sentence(call("partner", "add", SHOP, "--phone", "555", home=free_home)).startswith(
        "retailer:acme was revoked"
    )
    refused = sentence(call("publish", "examples/first-order.json", "--fill", "--as", SHOP, home=free_home))
    assert refused.startswith(f"{SHOP} has been revoked since ")
    assert refused.endswith("lets it in again with a new secret.")
    assert str(file) in call("partner", "resume", SHOP, home=free_home).stdout
    again = answer("partner", "show", SHOP, home=free_home)
    assert again["nkey"] == public_key_of(file.read_text())
    assert again["nkey"] in Path(again["welcome"]).read_text()


@pytest.mark.parametrize("command", ["show", "rotate", "suspend", "resume"])
def test_whoever_is_not_registered(free_home: Path, command: str) -> None:
    assert "is not registered: see 'repairchain partner list'" in sentence(
        call("partner", command, SHOP, home=free_home)
    )


def test_the_page_names_subjects_and_files_and_no_secret(free_home: Path) -> None:
    added = answer("partner", "add", SHOP, "--name", "Acme Watches", home=free_home)
    page = Path(added["welcome"]).read_text()
    assert page.startswith("# Welcome, Acme Watches\n")
    assert Path(added["credentials"]).name in page
    for subject in answer("partner", "show", SHOP, home=free_home)["subjects"].values():
        assert f"`{subject}`" in page
    assert credential(free_home, SHOP).seed not in page
    assert f"`{added['nkey']}`" in page


def test_a_partner_brings_a_key_of_its_own(free_home: Path) -> None:
    own, other = (public_key_of(new_seed()) for _ in range(2))
    said = call("partner", "add", SHOP, "--nkey", own, home=free_home).stdout
    assert f"with the key {own}. Its secret half is not here." in said
    shown = answer("partner", "show", SHOP, home=free_home)
    assert (shown["nkey"], shown["credentials"]) == (own, None)
    refused = sentence(call("publish", "examples/first-order.json", "--fill", "--as", SHOP, home=free_home))
    assert refused.endswith("leave --as away to publish for it as the operator.")
    rotated = answer("partner", "rotate", SHOP, "--nkey", other, home=free_home)
    assert (rotated["nkey"], rotated["credentials"]) == (other, None)
    assert other in Path(shown["welcome"]).read_text()
    again = sentence(call("partner", "rotate", SHOP, "--nkey", other, home=free_home))
    assert again == f"{SHOP} has that key already."
    for command in ("add", "rotate"):
        secret = new_seed()
        said = sentence(call("partner", command, SHOP, "--nkey", secret, home=free_home))
        assert "that is a seed, which is a secret" in said
        assert secret not in said


def test_a_file_that_was_handed_over_may_be_deleted(free_home: Path) -> None:
    said = call("partner", "add", SHOP, home=free_home).stdout
    assert "Once handed over the secret may be deleted here" in said
    added = answer("partner", "add", SHOP, home=free_home)
    Path(added["credentials"]).unlink()
    said = call("partner", "add", SHOP, "--phone", "555-0100", home=free_home).stdout
    assert said.startswith(f"{SHOP} took part already. What you gave of it is noted; it logs in as before.\n")
    assert "and over" not in said
    again = answer("partner", "add", SHOP, "--phone", "555-0100", home=free_home)
    assert (again["nkey"], again["credentials"]) == (added["nkey"], None)


def test_a_partner_of_before_is_told_of_keys(free_home: Path) -> None:
    old_partner(free_home, SHOP)
    assert "partner rotate retailer:acme' gives it a key" in call("partner", "add", SHOP, home=free_home).stdout
    shown = answer("partner", "show", SHOP, home=free_home)
    assert (shown["nkey"], Path(shown["credentials"]).name) == (None, "retailer.acme.json")
    answer("partner", "rotate", SHOP, home=free_home)
    assert answer("partner", "show", SHOP, home=free_home)["nkey"].startswith("U")


def test_an_old_secret_works_until_it_is_said(free_home: Path) -> None:
    answer("partner", "add", SHOP, home=free_home)
    assert answer("partner", "show", SHOP, home=free_home)["old_secret_until"] is None
    before = datetime.now(UTC)
    until = datetime.fromisoformat(
        answer("partner", "rotate", SHOP, "--overlap", "24h", home=free_home)["old_secret_until"]
    )
    assert timedelta(hours=24) <= until - before < timedelta(hours=25)
    assert "HTTP key    none" in call("partner", "show", SHOP, home=free_home).stdout
    answer("partner", "key", SHOP, home=free_home)
    key = answer("partner", "key", SHOP, "--overlap", "2 days", home=free_home)
    (row,) = answer("partner", "list", home=free_home)["parties"]
    assert (row["old_secret_until"], row["old_key_until"]) == (until.isoformat(), key["old_key_until"])
    assert row["http_key"] is True
    shown = call("partner", "show", SHOP, home=free_home).stdout
    for told in ("HTTP key    in force", "old secret  works until", "old key     works until"):
        assert told in shown
    assert "old secret until" in call("partner", "list", home=free_home, columns=140).stdout
    answer("partner", "suspend", SHOP, home=free_home)
    shown = call("partner", "show", SHOP, home=free_home).stdout
    assert "works until" not in shown
    assert shown.count("opens nothing while it is kept out") == 3
    assert "old secret" not in call("partner", "list", home=free_home, columns=140).stdout
    answer("partner", "resume", SHOP, home=free_home)
    said = call("partner", "rotate", SHOP, "--overlap", "7d", home=free_home).stdout
    assert "old secret  works until" in said
    assert max(len(line) for line in said.splitlines() if "SIGHUP" not in line and str(free_home) not in line) < 80
    assert answer("partner", "rotate", SHOP, home=free_home)["old_secret_until"] is None
    assert answer("partner", "key", SHOP, "--overlap", "0h", home=free_home)["old_key_until"] is None


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ("soon", "'soon' is no length of time"),
        ("24", "'24' is no length"),
        ("3 weeks", "no length"),
        ("91d", "91d is too long"),
    ],
)
def test_what_is_no_overlap_is_refused_before_anything_changes(free_home: Path, length: str, said: str) -> None:
    answer("partner", "add", SHOP, home=free_home)
    first = credential(free_home, SHOP)
    for command in ("rotate", "key"):
        assert said in sentence(call("partner", command, SHOP, "--overlap", length, home=free_home))
    assert credential(free_home, SHOP) == first


def test_a_chain_that_starts_says_whose_page_it_wrote_anew(
    free_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call("partner", "add", "retailer:juno", home=free_home)
    monkeypatch.setenv("REPAIRCHAIN_HTTP_PORT", "8443")
    for said in ("welcome    the page of retailer:juno says anew where the chain is\n", ""):
        narrator = Narrator(find_place(free_home))
        for service in SERVICES:
            narrator(f"{service:<10} ready")
        lines = capsys.readouterr().out
        assert lines.partition("\nThe chain runs on ")[0].endswith(f"ready\n{said}")
