"""An event from whatever a partner's program says, and who it is by its credentials."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from events.custody import HandedOver
from events.envelope import Event, make_event
from services.client.building import Said, build_event
from services.client.login import read_login
from services.userkeys import new_seed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HANDED_OVER = {
    "specversion": "1.0",
    "id": "e1",
    "source": "retailer:acme",
    "type": "repairchain.item.handed_over.v1",
    "subject": "W-1",
    "time": "2026-03-02T12:00:00Z",
    "data": {"to": "importer:north"},
}


def build(said: Said, data: Any = None, **more: Any) -> dict[str, Any]:
    return build_event(said, data, party="retailer:acme", **more)


@pytest.mark.parametrize(
    ("said", "data"),
    [
        ("item.handed_over", {"to": "importer:north"}),
        ("repairchain.item.handed_over.v1", HandedOver(to="importer:north")),
        (HandedOver(to="importer:north"), None),
        ({"type": "repairchain.item.handed_over.v1", "data": {"to": "importer:north"}}, None),
    ],
)
def test_what_happened_can_be_said_in_several_ways(said: Said, data: Any) -> None:
    assert build(said, data, order="W-1", id="e1", time=NOON) == HANDED_OVER


def test_a_whole_event_stays_as_it_is() -> None:
    assert build(HANDED_OVER) == HANDED_OVER
    event = make_event("item.received", source="retailer:acme", id="e2", subject="W-1", time=NOON, data={})
    assert Event.model_validate(build(event)) == event


def test_what_is_missing_is_made_up() -> None:
    first, second = (build("item.received", order="W-1") for _ in range(2))
    assert first["id"] != second["id"]
    assert Event.model_validate(first).source == "retailer:acme"
    assert build("party.closed", {"from": "2026-03-02T12:00:00Z"})["subject"] == "retailer:acme"


@pytest.mark.parametrize(
    ("said", "data", "more", "message"),
    [
        ("item.received", None, {}, "order="),
        ({"subject": "W-1"}, None, {}, "type"),
        (HANDED_OVER, {"to": "importer:north"}, {}, "whole event"),
        ("item.received", None, {"order": "W-1", "time": datetime(2026, 3, 2)}, "zone"),  # noqa: DTZ001 - the mistake
        ("item.received", None, {"order": "W-1", "time": "2026-03-02T12:00:00Z"}, "datetime"),
        ("item.received", "damaged", {"order": "W-1"}, "dictionary"),
    ],
)
def test_what_is_no_event_is_said_at_once(said: Said, data: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(said, data, **more)


def test_credentials_say_who_it_is(tmp_path: Path) -> None:
    seed, file = new_seed(), tmp_path / "retailer.ju=20no.nk"
    file.write_text(f"{seed}\n")
    login = read_login(file)
    assert (login.party, login.options) == ("retailer:ju no", {"nkeys_seed_str": seed})
    assert seed not in repr(login)
    assert read_login({"user": "retailer.ju=20no", "nkey_seed": seed}) == login
    assert read_login(file.rename(tmp_path / "our key"), "importer:noord").party == "importer:noord"


def test_so_do_those_of_before(tmp_path: Path) -> None:
    file = tmp_path / "retailer.juno.json"
    file.write_text(json.dumps({"user": "retailer.ju=20no", "password": "secret"}))
    login = read_login(file)
    assert login.party == "retailer:ju no"
    assert "secret" not in repr(login)
    assert read_login({"user": "x", "password": "y"}, "importer:noord").party == "importer:noord"


@pytest.mark.parametrize("name", ["our key.nk", "retailer.ju no.nk", "retailer.nk", "chain.x.nk"])
def test_a_file_that_is_called_otherwise_does_not_say_who_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(new_seed())
    with pytest.raises(ValueError, match="name it with party="):
        read_login(tmp_path / name)


@pytest.mark.parametrize("text", ["", "SUACSSL3UAHUDXKFSNV", "x" * 58])
def test_a_file_without_a_seed_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "retailer.juno.nk"
    file.write_text(text)
    with pytest.raises(ValueError, match="no seed of a user's nkey") as refused:
        read_login(file)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("wrong", [{"user": "retailer.juno"}, {"user": "watchdog", "password": "x"}, {}])
def test_what_is_no_login_of_a_partner_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"credentials|user name of a partner"):
        read_login(wrong)
