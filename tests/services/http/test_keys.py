"""Keys: whose they are, for how long they work, and that nothing is kept which opens anything."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.party import PartyError
from services.access import revoke
from services.home import HomeFolder, write_json
from services.http.keys import OVERLAP, Keys, make_key, revoke_keys
from services.parties import add_party

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP, OTHER = "retailer:acme", "importer:noord"


@pytest.fixture
def home(free_home: Path) -> Path:
    add_party(free_home, SHOP)
    add_party(free_home, OTHER)
    return free_home


def test_a_key_is_of_its_party_alone(home: Path) -> None:
    keys = Keys(home)
    mine, theirs = make_key(home, SHOP, NOW), make_key(home, OTHER, NOW)
    assert keys.party_of(mine, NOW) == SHOP
    assert keys.party_of(theirs, NOW) == OTHER
    crossed = mine[: len("rk_") + 16] + theirs[len("rk_") + 16 :]
    for wrong in (crossed, mine[:-1], mine + "A", mine.upper(), "", "rk_", f" {mine}", "\ud800"):
        assert keys.party_of(wrong, NOW) is None


def test_only_digests_are_kept_and_only_for_us(home: Path) -> None:
    secret = make_key(home, SHOP, NOW).rpartition("_")[2]
    file = HomeFolder(home).keys / "keys.json"
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_key_that_was_replaced_works_for_another_day(home: Path) -> None:
    keys = Keys(home)
    old = make_key(home, SHOP, NOW)
    new = make_key(home, SHOP, NOW)
    just_before = NOW + OVERLAP - timedelta(seconds=1)
    assert [keys.party_of(key, just_before) for key in (old, new)] == [SHOP, SHOP]
    assert [keys.party_of(key, NOW + OVERLAP) for key in (old, new)] == [None, SHOP]


def test_however_often_a_key_is_replaced_few_work(home: Path) -> None:
    keys = Keys(home)
    made = [make_key(home, SHOP, NOW) for _ in range(8)]
    assert [keys.party_of(key, NOW) is not None for key in made] == [False] * 3 + [True] * 5


def test_revoked_keys_work_no_more_at_once(home: Path) -> None:
    keys = Keys(home)
    key, other = make_key(home, SHOP, NOW), make_key(home, OTHER, NOW)
    assert keys.party_of(key, NOW) == SHOP
    assert revoke_keys(home, SHOP) == 1
    assert keys.party_of(key, NOW) is None
    assert keys.party_of(other, NOW) == OTHER
    assert revoke_keys(home, SHOP) == 0


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_a_partner_that_is_kept_out_is_kept_out_here_too(home: Path, state: str) -> None:
    keys = Keys(home)
    key = make_key(home, SHOP, NOW)
    assert keys.party_of(key, NOW) == SHOP
    write_json(HomeFolder(home).access_file, {SHOP: {"state": state, "since": NOW.isoformat()}})
    assert keys.party_of(key, NOW) is None
    write_json(HomeFolder(home).access_file, {})
    assert keys.party_of(key, NOW) == SHOP


def test_a_partner_that_comes_back_after_it_was_revoked_needs_a_new_key(home: Path) -> None:
    keys = Keys(home)
    key = make_key(home, SHOP, NOW)
    revoke(home, SHOP)
    write_json(HomeFolder(home).access_file, {})
    assert keys.party_of(key, NOW) is None
    assert keys.party_of(make_key(home, SHOP, NOW), NOW) == SHOP


def test_who_takes_no_part_gets_no_key(home: Path) -> None:
    with pytest.raises(PartyError, match="takes no part"):
        make_key(home, "retailer:nobody", NOW)


def test_a_key_that_nobody_has_is_compared_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time an answer takes does not tell which ids there are."""
    compared: list[tuple[str, str]] = []

    def comparing(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", comparing)
    keys = Keys(home)
    key = make_key(home, SHOP, NOW)
    for text in (key, "rk_" + "0" * 16 + "_" + "A" * 43, "nonsense"):
        keys.party_of(text, NOW)
    assert [len(one) == len(other) == 64 for one, other in compared] == [True] * 3
