"""Where webhooks are kept, what an address may be, and how a secret is changed without a gap."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.home import HomeFolder
from services.parties import add_party, list_parties
from services.webhooks import (
    OVERLAP,
    WebhookError,
    check_url,
    list_webhooks,
    remove_webhook,
    rotate_secret,
    set_webhook,
    webhook_finder,
)

SHOP = "retailer:juno"
URL = "https://shop.example/messages"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [URL, "https://shop.example:8443/a/b?token=1", "http://localhost:8000/", "http://127.0.0.1/", "http://[::1]:1/"],
)
def test_addresses_that_will_do(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://shop.example/", "must begin with https"),
        ("http://10.0.0.1/", "must begin with https"),
        ("ftp://shop.example/", "not a web address"),
        ("shop.example", "not a web address"),
        ("https://", "not a web address"),
        ("https://shop.example:99999/", "not a web address"),
        ("https://me:hush@shop.example/", "user or a password"),
        ("https://shop.example/#part", "never sent"),
        ("https://shop.example/a b", "never sent"),
        ("https://shop.example/\r\nX: y", "never sent|not a web address"),
        ("https://shop.example/" + "x" * 2_000, "not a web address"),
        ("", "not a web address"),
    ],
)
def test_addresses_that_are_refused(free_home: Path, url: str, said: str) -> None:
    with pytest.raises(WebhookError, match=said) as refused:
        set_webhook(free_home, SHOP, url)
    assert "hush" not in str(refused.value)
    assert list_webhooks(free_home) == {}


def test_a_secret_is_kept_for_its_owner_alone_and_not_in_the_registry(free_home: Path) -> None:
    add_party(free_home, SHOP)
    found, is_new = set_webhook(free_home, SHOP, URL)
    assert is_new
    (file,) = HomeFolder(free_home).webhooks.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    secret = found.secrets[0].secret
    assert secret.startswith("whsec_")
    assert secret in file.read_text()
    assert secret not in HomeFolder(free_home).parties_file.read_text()
    assert set(list_parties(free_home)) == set(list_webhooks(free_home)) == {SHOP}


def test_another_address_keeps_the_secret(free_home: Path) -> None:
    first, _ = set_webhook(free_home, SHOP, URL)
    second, is_new = set_webhook(free_home, SHOP, "https://shop.example/other")
    assert not is_new
    assert second.secrets == first.secrets


def test_old_secrets_are_good_for_a_day_each(free_home: Path) -> None:
    first = set_webhook(free_home, SHOP, URL)[0].secrets[0].secret
    second = rotate_secret(free_home, SHOP, NOON).secrets[0].secret
    later = NOON + timedelta(hours=1)
    third = rotate_secret(free_home, SHOP, later)
    assert third.signing(later) == (third.secrets[0].secret, second, first)
    assert third.signing(NOON + OVERLAP) == (third.secrets[0].secret, second)
    last = rotate_secret(free_home, SHOP, later + OVERLAP)
    assert len(last.secrets) == 2  # what is over is not kept
    assert last.signing(later + OVERLAP)[1] == third.secrets[0].secret


def test_what_is_not_there_cannot_be_changed(free_home: Path) -> None:
    with pytest.raises(WebhookError, match="has no webhook"):
        rotate_secret(free_home, SHOP, NOON)
    assert not remove_webhook(free_home, SHOP)


def test_a_running_notifier_sees_every_change(free_home: Path) -> None:
    find = webhook_finder(free_home)
    assert find(SHOP) is None
    set_webhook(free_home, SHOP, URL)
    first = find(SHOP)
    assert first is not None
    assert find(SHOP) is first  # not read again
    rotate_secret(free_home, SHOP, NOON)
    second = find(SHOP)
    assert second is not None
    assert second.secrets != first.secrets
    remove_webhook(free_home, SHOP)
    assert find(SHOP) is None


def test_a_file_that_is_damaged_is_no_reason_to_write_to_her(free_home: Path) -> None:
    set_webhook(free_home, SHOP, URL)
    (file,) = HomeFolder(free_home).webhooks.iterdir()
    file.write_text('{"party": "retailer:juno"')
    with pytest.raises(WebhookError, match="does not hold a webhook"):
        webhook_finder(free_home)(SHOP)
