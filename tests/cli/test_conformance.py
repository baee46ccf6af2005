"""partner test: what a partner sees of its sample file, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import call, sentence
from tests.ready import projectors_borrow

SHOP = "retailer:juno"


def event(id: str, name: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": SHOP,
        "type": f"repairchain.{name}.v1",
        "subject": "J-1",
        "time": "2026-11-03T10:00:00Z",
        "data": data,
    }


@pytest.fixture
def borrowed() -> Iterator[None]:
    """For tests that are about what is said of a rehearsal."""
    with projectors_borrow():
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


def write(file: Path, *events: dict[str, Any], lines: bool = False) -> Path:
    file.write_text("\n".join(map(json.dumps, events)) if lines else json.dumps(events))
    return file


def test_a_file_that_would_be_taken_in(file: Path, tmp_path: Path) -> None:
    contact = {"channels": [{"kind": "email", "address": "customer@mail.example"}]}
    opened = event("e1", "order.opened", product={"model": "Diver 200"}, contact=contact)
    home = tmp_path / "home"
    result = call("partner", "test", SHOP, write(file, opened, event("e2", "item.received"), lines=True), home=home)
    assert result.exit_code == 0, result.output
    assert "J-1 would be received, with retailer:juno; next: retailer:juno is to send it on" in result.stdout
    assert "opened: “Your Diver 200: what happens next”" in result.stdout
    assert "2 accepted" in result.stdout
    assert not home.exists()


@pytest.mark.usefixtures("borrowed")
def test_where_it_would_be_and_who_is_next_is_told_as_elsewhere(file: Path, tmp_path: Path) -> None:
    sent = [event("e1", "order.opened", product={}), event("e2", "item.handed_over", to="importer:noord")]
    visited = event("e3", "order.opened", product={}, at_home=True) | {"subject": "J-2"}
    result = call("partner", "test", SHOP, write(file, *sent, visited), home=tmp_path / "home", columns=200)
    assert (
        "J-1 would be in transit, sent by retailer:juno; next: importer:noord is to say that it came in"
        in result.stdout
    )
    assert "J-2 would be taken in, with the customer, at home; next: retailer:juno is to plan a visit" in result.stdout


@pytest.mark.usefixtures("borrowed")
def test_what_would_be_rejected_is_told_with_every_fault(file: Path, tmp_path: Path) -> None:
    bare = {key: value for key, value in event("", "item.received").items() if key not in ("id", "time")}
    write(file, event("e1", "item.handed_over", too="importer:noord"), bare)
    result = call("partner", "test", SHOP, file, "--open-missing", home=tmp_path / "home")
    assert result.exit_code == 1
    assert "/data/to: this field is missing" in result.stdout
    assert "/data/too: this type has no such field" in result.stdout
    assert result.stdout.splitlines()[-1] == "Event 2 lacks id, time: --fill makes that up."
    found = call("partner", "test", SHOP, file, "--json", home=tmp_path / "home")
    assert found.exit_code == 1
    document = json.loads(found.stdout)
    assert (document["party"], document["rejected"], document["accepted"]) == (SHOP, 2, 0)
    assert document["events"][0]["problem"]["pointer"] == "/data/to"
    assert document["orders"] == []


@pytest.mark.usefixtures("borrowed")
def test_without_its_order_an_event_would_wait(file: Path, tmp_path: Path) -> None:
    result = call("partner", "test", SHOP, write(file, event("e1", "item.received")), home=tmp_path / "home")
    assert result.exit_code == 0
    assert "1 held" in result.stdout
    assert "--open-missing" in result.stdout


def test_what_cannot_be_tested_is_said_in_a_sentence(file: Path, tmp_path: Path) -> None:
    assert "is not a party" in sentence(call("partner", "test", "juno", write(file, {}), home=tmp_path))
    file.write_text("no JSON")
    assert "is not JSON" in sentence(call("partner", "test", SHOP, file, home=tmp_path))


@pytest.mark.usefixtures("borrowed")
def test_an_id_that_was_made_up_takes_no_room(file: Path) -> None:
    without = {"type": "repairchain.item.received.v1", "subject": "J-1", "data": {}}
    result = call("partner", "test", SHOP, "--fill", write(file, {**without, "id": "mine"}, without))
    rows = [line.split()[:3] for line in result.stdout.splitlines()[2:4]]
    assert rows == [["1", "mine", "item.received.v1"], ["2", "–", "item.received.v1"]]
