"""What was probably meant by a name that is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.nearest import hint_for_order, hint_for_party, hint_for_type, hints_for_types
from tests.cli.running import call, sentence
from tests.cli.story import make_home

ORDERS: list[dict[str, Any]] = [{"order_id": "W-1001", "serial": "HM-20417"}, {"order_id": "W-2", "serial": None}]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("w1001", "did you mean W-1001?"),
        ("W-1010", "did you mean W-1001?"),
        ("hm 20471", "did you mean HM-20417?"),
        ("nothing like it 7", "'repairchain orders' lists them"),
        ("Zoë", "'repairchain find' looks for the name of a customer, 'repairchain orders' lists them"),
        ("", "'repairchain orders' lists them"),
    ],
)
def test_an_order_is_found_by_what_is_like_it(written: str, hint: str) -> None:
    assert hint_for_order(written, ORDERS).startswith(hint)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("repairchain.item.recieved.v1", "did you mean repairchain.item.received.v1"),
        ("Item.Received", "did you mean repairchain.item.received.v1"),
        ("item_handed_over", "did you mean repairchain.item.handed_over.v1"),
        ("com.example.shipment", "'repairchain schema' lists them."),
    ],
)
def test_a_type_is_told_as_an_event_names_it(written: str, hint: str) -> None:
    assert hint_for_type(written).startswith(hint)


def test_a_party_is_found_by_what_is_like_it() -> None:
    partners = ["retailer:juno", "importer:noord"]
    assert hint_for_party("retailer:junu", partners) == "did you mean retailer:juno?"
    assert hint_for_party("importer:juno", partners) == "did you mean retailer:juno?"
    both = ["importer:noord", "retailer:noord"]
    assert hint_for_party("retailer:nord", both) == "did you mean retailer:noord?"
    assert hint_for_party("repairer:noord", both) == "did you mean importer:noord or retailer:noord?"
    assert "did you mean" not in hint_for_party("retailer:bolt", partners)
    assert hint_for_party("repairer:zz", partners).startswith("'repairchain partner list'")


def test_each_type_is_told_once_and_not_where_the_receipt_says_it() -> None:
    hints = hints_for_types(["com.example.shipment", "item.recieved", "item.received", "com.example.shipment", None])
    assert hints == ["'com.example.shipment' is not known: 'repairchain schema' lists them."]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("nearest") / "home")


@pytest.mark.parametrize("command", ["status", "timeline", "commitments", "messages", "policy explain"])
def test_commands_say_which_order_may_be_meant(home: Path, command: str) -> None:
    said = sentence(call(*command.split(), "W1001", home=home))
    assert said == "no order, reference or serial number 'W1001' is known: did you mean W-1001 or W-1002?"


def test_nothing_is_guessed_where_the_order_is_known(home: Path) -> None:
    said = sentence(call("status", "W-1001", "--as-of", "2020-01-01", home=home))
    assert said == "there is no order 'W-1001' at that moment: it was opened on Mon 2 Nov 10:00."
    assert "say which" in sentence(call("status", "TWICE", home=home))


def test_a_rehearsal_says_which_type_may_be_meant() -> None:
    event = json.dumps({"type": "repairchain.order.open.v1", "subject": "W-1", "data": {}})
    said = call("partner", "test", "retailer:juno", "-", "--fill", stdin=event, columns=200)
    assert (said.exit_code, "did you mean repairchain.order.opened.v1" in said.stdout) == (1, True)
