"""The webhook of a shop: set, shown, given another secret and taken away again with 'partner add'."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.webhooks import list_webhooks
from tests.cli.running import answer, call, sentence

SHOP = "retailer:juno"
URL = "https://shop.example/messages?token=hush"


def secrets(home: Path) -> list[str]:
    return [each.secret for each in list_webhooks(home)[SHOP].secrets]


def test_a_secret_is_shown_once(free_home: Path) -> None:
    said = call("partner", "add", SHOP, "--webhook", URL, home=free_home).stdout
    (secret,) = secrets(free_home)
    assert secret in said
    assert "https://shop.example." in said
    for again in (("partner", "add", SHOP, "--webhook", URL), ("partner", "add", SHOP), ("partner", "list")):
        result = call(*again, home=free_home)
        assert result.exit_code == 0
        assert secret not in result.output
        assert "hush" not in result.output
    assert secrets(free_home) == [secret]


def test_as_json(free_home: Path) -> None:
    added = answer("partner", "add", SHOP, "--webhook", URL, home=free_home)
    assert added["webhook"] == "https://shop.example"
    assert [added["secret"]] == secrets(free_home)
    (row,) = answer("partner", "list", home=free_home)["parties"]
    assert row["webhook"] == "https://shop.example"
    assert set(answer("partner", "add", SHOP, home=free_home)) == {"party", "user", "nkey", "credentials", "welcome"}
    rotated = answer("partner", "add", SHOP, "--rotate-webhook-secret", home=free_home)
    assert secrets(free_home) == [rotated["secret"], added["secret"]]
    assert answer("partner", "add", SHOP, "--no-webhook", home=free_home)["webhook"] is None
    assert list_webhooks(free_home) == {}
    assert answer("partner", "list", home=free_home)["parties"][0]["webhook"] is None


def test_another_secret_is_shown_and_the_old_one_kept_for_a_day(free_home: Path) -> None:
    call("partner", "add", SHOP, "--webhook", URL, home=free_home)
    (old,) = secrets(free_home)
    said = call("partner", "add", SHOP, "--rotate-webhook-secret", home=free_home).stdout
    new, kept = secrets(free_home)
    assert (kept, new in said, old in said) == (old, True, False)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--webhook", "http://shop.example/"), "The webhook must begin with https"),
        (("--webhook", "https://me:hush@shop.example/"), "The webhook has a user or a password in its address"),
        (("--webhook", "https://192.168.1.5/"), "The webhook is on a private network"),
        (("--webhook", "http://localhost:8000/"), "The webhook is on a private network"),
        (("--webhook", URL, "--no-webhook"), "--no-webhook goes with neither"),
    ],
)
def test_what_would_never_be_called_is_refused_and_nothing_changed(
    free_home: Path, args: tuple[str, ...], said: str
) -> None:
    refused = sentence(call("partner", "add", SHOP, *args, home=free_home))
    assert refused.startswith(said)
    assert "hush" not in refused
    assert not free_home.exists()


def test_a_private_network_may_be_allowed(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPAIRCHAIN_WEBHOOK_PRIVATE_NETWORKS", "true")
    assert answer("partner", "add", SHOP, "--webhook", "http://localhost:8000/", home=free_home)["webhook"]


def test_without_a_webhook_there_is_no_secret_to_change(free_home: Path) -> None:
    assert "has no webhook" in sentence(call("partner", "add", SHOP, "--rotate-webhook-secret", home=free_home))
