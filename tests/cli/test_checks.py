"""What 'doctor' finds wrong on this machine and in the home, and what it says to do about it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.checks import Check, handover, here, letters, there
from cli.checks.there import checks_there
from cli.place import find_place
from services import server
from services.answering import Ask
from services.carriers.secrets import secret_file
from services.home import HomeFolder, write_json, write_private
from services.parties import add_party
from services.webhooks import set_webhook
from tests.cli.running import call, sentence
from tests.cli.story import give_operator_login, make_home
from tests.oldhome import old_partner


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_fresh_machine_is_well(free_home: Path) -> None:
    result = call("doctor", home=free_home)
    assert result.exit_code == 0, result.stdout
    assert "All is well." in result.stdout
    assert not free_home.exists()  # looking makes nothing


def test_credentials_that_others_may_read(free_home: Path) -> None:
    add_party(free_home, "retailer:juno")
    place = find_place(free_home)
    assert here.secrets(place).ok
    (place.folder.credentials / "retailer.juno.nk").chmod(0o644)
    found = here.secrets(place)
    assert not found.ok
    assert "retailer.juno.nk" in found.found
    assert found.advice.startswith("chmod -R go= ")


def test_passwords_of_before_are_counted(free_home: Path) -> None:
    old_partner(free_home, "retailer:juno")
    add_party(free_home, "importer:noord")
    found = here.secrets(find_place(free_home))
    assert found.ok
    assert found.found.startswith("2 files, for their owner only; 1 with a password")


def test_a_change_of_who_is_let_in_that_was_cut_off_is_told_once_it_would_have_been_carried_on(free_home: Path) -> None:
    add_party(free_home, "retailer:juno")
    place = find_place(free_home)
    place.folder.untold_file.touch()
    assert here.secrets(place).ok, "somebody is at it"
    os.utime(place.folder.untold_file, (0, 0))
    found = here.secrets(place)
    assert not found.ok
    assert "was cut off, or the server hung" in found.found
    assert "do it again" in found.advice


def test_a_revocation_that_was_cut_off_is_to_be_done_again(free_home: Path) -> None:
    add_party(free_home, "retailer:juno")
    place = find_place(free_home)
    write_json(place.folder.access_file, {"retailer:juno": {"state": "revoked", "since": "2026-11-02T10:00:00Z"}})
    found = here.secrets(place)
    assert "retailer:juno, which was revoked, still lies in" in found.found
    assert found.advice == f"repairchain --home {free_home} partner revoke retailer:juno"
    assert call("partner", "revoke", "retailer:juno", "--yes", home=free_home).exit_code == 0
    assert here.secrets(place).ok


def test_a_home_that_is_none(free_home: Path) -> None:
    free_home.write_text("a file")
    found = here.home(find_place(free_home))
    assert found.ok is False
    assert "cannot be written" in found.found


def test_a_disk_that_is_nearly_full(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 10**10, 10**8))
    found = here.disk(find_place(free_home))
    assert (found.ok, found.found) == (False, "0.1 GB free")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo nats-server: v2.9.11", "2.9.11 at "),
        ("exit 3", "does not run ("),
    ],
)
def test_a_server_that_is_too_old_or_broken(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nats-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(server, "find_server", lambda: program)
    found = here.nats_server()
    assert not found.ok
    assert found.found.startswith(said)


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise server.ServerError("there is no nats-server program: install it")

    monkeypatch.setattr(server, "find_server", none)
    assert here.nats_server().advice == "there is no nats-server program: install it"


def test_settings_and_mail(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = find_place(free_home)
    assert (here.settings(place).ok, here.mail(place).ok) == (True, True)
    monkeypatch.setenv("REPAIRCHAIN_EMAIL_URL", "carrierpigeon://roof")
    assert (here.settings(place).ok, here.mail(place).ok) == (True, False)
    monkeypatch.setenv("REPAIRCHAIN_BEAT_SECONDS", "never")
    assert (here.settings(place).ok, here.mail(place).ok) == (False, None)
    assert "beat_seconds" in here.settings(place).found


def test_what_the_settings_name_and_is_not_there_is_told(
    free_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, missing, file = find_place(free_home), tmp_path / "missing", tmp_path / "file"
    assert (here.policy(place).ok, here.templates(place).ok) == (None, None)
    file.write_text("allow = 1")
    for named in (missing, file):
        monkeypatch.setenv("REPAIRCHAIN_POLICY", str(named))
        monkeypatch.setenv("REPAIRCHAIN_TEMPLATES", str(named))
        monkeypatch.setenv("REPAIRCHAIN_OUTBOX", str(named / "outbox" if named is file else file))
        for check in (here.policy(place), here.templates(place), here.mail(place)):
            assert (check.ok, str(tmp_path) in check.found) == (False, True)
    file.write_text("")
    monkeypatch.setenv("REPAIRCHAIN_TEMPLATES", str(tmp_path))
    monkeypatch.setenv("REPAIRCHAIN_OUTBOX", str(missing / "outbox"))
    assert (here.policy(place).ok, here.templates(place).ok, here.mail(place).ok) == (True, True, True)
    monkeypatch.setenv("REPAIRCHAIN_POLICY", str(missing))
    assert str(missing) in sentence(call("policy", "check", home=free_home))


def test_channels_that_cannot_work_say_how_to_mend_them(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = find_place(free_home)
    assert (here.channels(place).ok, here.channels(place).found) == (None, "e-mail alone")
    monkeypatch.setenv("REPAIRCHAIN_CHANNELS", '{"sms": "jsons://gate.example/{address}?key=hush"}')
    assert (here.channels(place).ok, here.channels(place).found) == (True, "sms through jsons")
    monkeypatch.setenv("REPAIRCHAIN_CHANNELS", '{"sms": "jsons://gate.example/?key=hush"}')
    found = here.channels(place)
    assert (found.ok, "{address}" in found.found, "hush" in found.found) == (False, True, False)
    monkeypatch.setenv("REPAIRCHAIN_CHANNELS", "sms=jsons://gate.example")
    assert here.settings(place).found.startswith("channels in the environment (REPAIRCHAIN_CHANNELS) is wrong")
    assert here.channels(place).ok is None


def test_webhooks_that_others_may_read_or_that_are_never_called(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = find_place(free_home)
    assert here.webhooks(place).ok is None
    set_webhook(free_home, "retailer:juno", "https://10.1.2.3/messages")
    found = here.webhooks(place)
    assert (found.ok, found.found) == (False, "that of retailer:juno is on a private network, so it is never called")
    monkeypatch.setenv("REPAIRCHAIN_WEBHOOK_PRIVATE_NETWORKS", "true")
    assert here.webhooks(place).ok
    (file,) = place.folder.webhooks.iterdir()
    file.chmod(0o640)
    assert here.webhooks(place).advice == f"chmod -R go= {place.folder.webhooks}"
    file.write_text("{}")
    assert "does not hold a webhook" in here.webhooks(place).found


def test_the_door_over_http_and_the_secrets_of_carriers(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = find_place(free_home)
    assert here.http(place).ok is None
    monkeypatch.setenv("REPAIRCHAIN_HTTP_PORT", "0")
    HomeFolder(free_home).create()
    secret = secret_file(free_home, "aftership")
    write_private(secret, "a secret\n")
    found = here.http(place)
    assert (found.ok, found.found) == (True, "port 0 of 127.0.0.1, plain; webhooks of aftership")
    secret.chmod(0o644)
    found = here.http(place)
    assert not found.ok
    assert found.advice == f"chmod go= {secret}"
    monkeypatch.setenv("REPAIRCHAIN_HTTP_HOST", "0.0.0.0")  # noqa: S104 - what is refused
    found = here.http(place)
    assert not found.ok
    assert "in the clear" in found.found


def test_the_service_for_http_is_looked_at_where_it_is_asked_for(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = find_place(free_home)
    assert there.asked_for(place) == ()
    monkeypatch.setenv("REPAIRCHAIN_HTTP_PORT", "8443")
    assert there.asked_for(place) == ("http",)


def test_in_a_container_of_the_operators_nothing_is_said_of_what_is_in_those_of_the_services(free_home: Path) -> None:
    place = find_place(free_home)
    assert there.service_health(place, "notifier").ok is False
    give_operator_login(free_home)
    assert there.service_health(place, "notifier").ok is None
    assert [each.name for each in here.checks_here(place)] == ["Python", "nats-server", "Settings", "Home"]
    # With the login of another service it is a home in which all run.
    other = place.folder.login_file("projector")
    other.parent.mkdir()
    other.write_text("{}")
    assert there.service_health(place, "notifier").ok is False
    assert "E-mail" in [each.name for each in here.checks_here(place)]


def test_a_sender_to_whom_nobody_can_answer(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPAIRCHAIN_EMAIL_URL", "mailtos://user:word@smtp.example.org")
    found = here.mail(find_place(free_home))
    assert (found.ok, "repairs@localhost" in found.found) == (False, True)
    monkeypatch.setenv("REPAIRCHAIN_SENDER_ADDRESS", "repairs@shop.example.org")
    assert here.mail(find_place(free_home)).ok


def test_retailers_whom_customers_cannot_reach(free_home: Path) -> None:
    place = find_place(free_home)
    assert here.ways_to_reach(place).ok is None
    add_party(free_home, "importer:noord")
    add_party(free_home, "retailer:juno")
    found = here.ways_to_reach(place)
    assert (found.ok, found.found) == (False, "customers cannot reach retailer:juno")
    add_party(free_home, "retailer:juno", phone="555-0100")
    assert here.ways_to_reach(place).ok


def test_what_a_stopped_chain_left(free_home: Path) -> None:
    make_home(free_home)
    found = checks_there(find_place(free_home))
    assert [(each.name, each.ok) for each in found] == [("Server", None), ("Read models", True)]
    write_json(HomeFolder(free_home).server_file, {"url": "nats://127.0.0.1:9", "pid": 1})
    give_operator_login(free_home)
    assert checks_there(find_place(free_home))[0].ok is False
    HomeFolder(free_home).database.write_bytes(b"broken")
    assert checks_there(find_place(free_home))[1].ok is False
    assert call("doctor", home=free_home).exit_code == 1


def test_whoever_was_handed_something_and_is_no_partner_is_named() -> None:
    lanes = [
        {"to_party": "importer:noord", "waiting": 9},
        {"to_party": "repairer:tick", "waiting": 1},
        {"to_party": "repairer:tock", "waiting": 2},
        {"to_party": "repairer:gone", "waiting": 0},
    ]
    assert handover.among([], []) == Check("Handed over", True, "nothing is under way")
    assert handover.among(lanes[:1], ["importer:noord"]) == Check("Handed over", True, "to partners of this chain")
    found = handover.among(lanes, ["importer:noord"])
    assert (found.ok, found.found) == (
        None,
        "to repairer:tock and 1 other, whom nobody has added: nobody there will see it; "
        "to add one: repairchain partner add repairer:tock",
    )
    spaced = handover.among([{"to_party": "importer:Import Desk", "waiting": 1}], [])
    assert spaced.found.endswith(": repairchain partner add 'importer:Import Desk'")


async def test_letters_that_no_channel_takes_are_told_after_a_while() -> None:
    asked: list[str] = []

    def chain(tried: str, others: int = 0) -> Ask:
        async def answer(query: str, arguments: dict[str, Any], at_least: int | None) -> dict[str, Any]:
            del at_least
            asked.append(query)
            if query == "pending":
                row = {"message_id": "m1", "order": "W-1", "planned_at": "2026-03-02T09:00:00Z"}
                return {"pending": [row, *[row | {"message_id": f"later{each}"} for each in range(others)]]}
            assert arguments == {"order": "W-1"}
            tries = [("m1", "2026-03-02T11:00:00Z"), ("m1", tried), ("sent long ago", "2026-03-01T09:00:00Z")]
            entries = [
                {"type": "message.attempted", "occurred_at": moment, "data": {"message": message}}
                for message, moment in tries
            ]
            return {"entries": [{"type": "order.opened", "occurred_at": tried, "data": None}, *entries]}

        return answer

    async def nothing(query: str, arguments: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        return {"pending": []}

    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert await letters.letters(nothing, noon) == Check("Letters", True, "none waits")
    # It was planned in the night and tried just now: the mail server said that it may come again in a minute.
    soon = datetime(2026, 3, 2, 11, 5, tzinfo=UTC)
    assert await letters.letters(chain("2026-03-02T11:01:00Z"), soon) == Check("Letters", True, "1 to leave later")
    found = await letters.letters(chain("2026-03-02T09:10:00Z", others=2), noon)
    assert (found.ok, "1 letter tried since" in found.found, "3 h ago" in found.found) == (False, True, True)
    asked.clear()
    await letters.letters(chain("2026-03-02T09:01:00Z"), datetime(2026, 3, 2, 9, 2, tzinfo=UTC))
    assert asked == ["pending"], "of what was only just planned no story is read"
