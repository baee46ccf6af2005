"""The published schemas are valid, accept the golden fixtures, and refuse what intake refuses."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from events.asyncapi import asyncapi
from events.golden import golden
from events.party import PARTNER_ROLES, role_of
from events.schema import event_schema, said_by, schemas
from events.vocabulary import FACTS
from tests.about import about


def test_a_schema_accepts_its_golden_fixture() -> None:
    for name, fact in FACTS.items():
        with about(name):
            schema = event_schema(name)
            Draft202012Validator.check_schema(schema)
            Draft202012Validator(schema).validate(golden(name, fact.VERSION))


def test_a_schema_refuses_a_field_that_is_not_there() -> None:
    document = golden("item.received", 1)
    document["data"]["colour"] = "red"
    assert not Draft202012Validator(event_schema("item.received")).is_valid(document)


def test_what_partners_may_say_is_said_by_a_partner_in_its_example() -> None:
    for name in FACTS:
        (shown,) = event_schema(name)["examples"]
        speakers = set(said_by(name))
        assert role_of(shown["source"]) in (speakers & set(PARTNER_ROLES) or speakers), name


def test_the_contact_is_for_intake_and_never_in_the_log() -> None:
    document = golden("order.opened", 1)
    document["data"]["contact"] = {"name": "A. Customer", "channels": [{"kind": "email", "address": "a@example.org"}]}
    assert Draft202012Validator(event_schema("order.opened", intake=True)).is_valid(document)
    assert not Draft202012Validator(event_schema("order.opened", intake=False)).is_valid(document)


def test_asyncapi_refers_only_to_what_it_holds() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert set(schemas()) < set(document["components"]["messages"])
    references = [part for part in json.dumps(document).split('"') if part.startswith("#/")]
    assert references
    for reference in references:
        node = document
        for key in reference[2:].split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
    assert document["channels"]["importerNotices"]["address"] == "notices.importer.{party}"
    spoken = {message for channel in document["channels"].values() for message in channel["messages"]}
    assert "repairchain.message.sent.v1" not in spoken
    assert "repairchain.item.received.v1" in spoken
