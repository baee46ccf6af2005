"""The storage format: golden fixtures, roles, upcasting, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import events.golden
from events.envelope import Event, full_type, split_type
from events.golden import golden
from events.party import ROLES
from events.vocabulary import FACTS, WHO_MAY_SAY, is_known, may_say, read_data, upcast
from tests.about import about

GOLDEN = Path(events.golden.__file__).parent
VERSIONS = [(name, version) for name, fact in FACTS.items() for version in range(1, fact.VERSION + 1)]


def test_every_type_and_version_has_a_fixture_that_is_read_and_written_unchanged() -> None:
    for name, version in VERSIONS:
        with about(name, version):
            document = golden(name, version)
            event = Event.from_json(json.dumps(document))
            assert split_type(event.type) == (name, version)
            assert json.loads(event.to_json()) == document
            fact = read_data(name, version, event.data)
            assert fact is not None
            if version == fact.VERSION:
                assert fact.model_dump(mode="json", by_alias=True, exclude_none=True) == document["data"]


def test_a_fixture_uses_every_field() -> None:
    for name, fact in FACTS.items():
        with about(name):
            fields = {field.alias or key for key, field in fact.model_fields.items()}
            assert fields == set(golden(name, fact.VERSION)["data"])


def test_no_fixture_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {f"{name}.v{version}" for name, version in VERSIONS}


def test_every_role_says_known_facts_only_and_every_fact_has_a_speaker() -> None:
    assert set(WHO_MAY_SAY) == set(ROLES)
    said = set().union(*WHO_MAY_SAY.values())
    assert said == set(FACTS)


def test_partners_do_not_speak_for_the_tracker() -> None:
    for role in ("retailer", "importer", "repairer", "customer"):
        assert not may_say(role, "message.sent")
        assert not may_say(role, "commitment.overdue")
    assert not may_say("stranger", "order.opened")


def test_an_unknown_field_is_refused_because_it_might_hold_an_address() -> None:
    with pytest.raises(ValidationError):
        read_data("order.opened", 1, {"product": {}, "customer_email": "someone@example.org"})


def test_null_counts_as_not_sent() -> None:
    fact = read_data("item.received", 1, {"item": None, "condition": "fine"})
    assert fact is not None
    assert fact.model_dump(exclude_unset=True) == {"condition": "fine"}


def test_unknown_names_and_versions_are_no_error() -> None:
    assert read_data("moon.landed", 1, {}) is None
    assert read_data("order.opened", 99, {}) is None
    assert not is_known("order.opened", 0)


def test_old_data_is_brought_up_step_by_step() -> None:
    steps = {
        ("thing.said", 1): lambda data: {"text": data["txt"]},
        ("thing.said", 2): lambda data: {**data, "language": "en"},
    }
    assert upcast("thing.said", 1, {"txt": "hello"}, steps) == (3, {"text": "hello", "language": "en"})
    assert upcast("thing.said", 3, {"text": "x"}, steps) == (3, {"text": "x"})


def test_a_closure_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="later than"):
        read_data("party.closed", 1, {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"})


def test_full_types_read_back() -> None:
    assert full_type("item.received", 1) == "repairchain.item.received.v1"
