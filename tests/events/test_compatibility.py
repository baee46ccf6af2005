"""Within a version there are only additions: what was released still holds, and what would break it is found."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from events.asyncapi import asyncapi
from events.compatibility import broken, broken_types, unsaid
from events.schema import event_schema, schemas
from events.vocabulary import FACTS
from tests.sampling import examples

RELEASED = Path(__file__).parents[2] / "docs" / "schemas"
SCHEMAS = {file.stem: json.loads(file.read_text()) for file in sorted(RELEASED.glob("repairchain.*.json"))}


def test_what_was_released_still_holds() -> None:
    assert len(SCHEMAS) >= 49
    assert broken_types(SCHEMAS, schemas()) == []


@pytest.mark.parametrize("name", ["receipts", "notice"])
def test_what_partners_are_told_is_still_told(name: str) -> None:
    released = json.loads((RELEASED / "asyncapi.json").read_text())["components"]["messages"][name]["payload"]
    current = copy.deepcopy(asyncapi()["components"]["messages"][name]["payload"])
    assert unsaid(released, current) == []
    del current["properties"]["receipts" if name == "receipts" else "level"]
    assert unsaid(released, current)


# -- whether the comparison would notice -------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


def data(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(schema["properties"]["data"]["properties"])


def put(name: str, **changed: Any) -> Change:
    """The field with other constraints; beneath what says that it may be null."""

    def change(schema: dict[str, Any]) -> None:
        field = schema["properties"]["data"]["properties"][name]
        field.get("anyOf", [field])[0].update(changed)

    return change


def without(name: str) -> Change:
    return lambda schema: schema["properties"]["data"]["properties"].pop(name)


def needed(name: str) -> Change:
    return lambda schema: schema["properties"]["data"].setdefault("required", []).append(name)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("item.handed_over", without("carrier")),
        ("item.handed_over", needed("carrier")),
        ("item.handed_over", put("carrier", maxLength=499)),
        ("item.handed_over", put("carrier", minLength=2)),
        ("item.handed_over", put("carrier", type="integer")),
        ("item.handed_over", put("carrier", pattern="^x")),
        ("item.handed_over", put("carrier", format="date-time")),
        ("item.handed_over", put("carrier", enum=["post"])),
        ("item.handed_over", put("carrier", oneOf=[{"const": "post"}])),  # not a keyword that is compared
        ("item.handed_over", lambda schema: data(schema)["carrier"]["anyOf"].pop()),  # null
        ("item.handed_over", lambda schema: schema["required"].append("correlationid")),
        ("item.handed_over", lambda schema: schema["x-said-by"].remove("importer")),
        ("item.handed_over", lambda schema: schema["properties"]["type"].update(const="repairchain.item.gone.v1")),
        ("order.opened", lambda schema: data(schema)["urgency"]["enum"].remove("routine")),
        ("order.opened", put("urgency", default="urgent")),
        ("order.opened", put("items", maxItems=100)),
        (
            "order.opened",
            lambda schema: schema["$defs"]["Item"]["properties"]["serial"]["anyOf"][0].update(maxLength=9),
        ),
        ("order.opened", lambda schema: schema["$defs"]["Product"].update(required=["brand"])),
        ("order.opened", lambda schema: data(schema)["contact"]["properties"].pop("quiet")),
        ("feedback.given", put("score", maximum=5)),
        ("feedback.given", put("score", minimum=1)),
        ("policy.adopted", put("policy", additionalProperties=False)),
    ],
)
def test_a_change_that_breaks_partners_is_found(name: str, change: Change) -> None:
    changed = copy.deepcopy(event_schema(name))
    change(changed)
    assert changed != event_schema(name)
    assert broken(event_schema(name), changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"]["data"]["properties"].update(colour={"type": "string", "default": None}),
        put("carrier", maxLength=900),
        lambda schema: schema["x-said-by"].append("chain"),
        lambda schema: schema.update(description="in other words"),
        lambda schema: schema["properties"]["data"]["required"].remove("to"),
    ],
)
def test_an_addition_breaks_nothing(change: Change) -> None:
    changed = copy.deepcopy(event_schema("item.handed_over"))
    change(changed)
    assert changed != event_schema("item.handed_over")
    assert broken(event_schema("item.handed_over"), changed) == []


def test_a_type_that_is_gone_is_found() -> None:
    kept = {name: schema for name, schema in schemas().items() if "item.received" not in name}
    assert broken_types(schemas(), kept) == ["repairchain.item.received.v1: this type is gone"]


# -- documents, not schemas --------------------------------------------------------------------------------------------


def documents(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a schema of ours allows."""
    if "$ref" in schema:
        return documents(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([documents(each, root) for each in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            known = {key: documents(each, root) for key, each in schema.get("properties", {}).items()}
            needed = set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {key: each for key, each in known.items() if key in needed},
                optional={key: each for key, each in known.items() if key not in needed},
            )
        case "array":
            return st.lists(documents(schema["items"], root), max_size=min(3, schema.get("maxItems", 3)))
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True)
        case "string" if schema.get("format") == "date-time":
            return st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
        case "string" if schema.get("format") == "date":
            return st.dates().map(lambda day: day.isoformat())
        case "string":
            low, high = schema.get("minLength", 0), schema.get("maxLength")
            short = st.text(string.printable, min_size=low, max_size=min(high or 20, 20))
            return short if high is None else short | st.just("x" * high)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    raise AssertionError(f"no documents are made of {schema}")


NOW_VALID = {name: Draft202012Validator(schema) for name, schema in schemas().items()}


@settings(max_examples=examples(30, 100), deadline=None)
@given(st.data())
def test_whatever_was_valid_as_released_is_valid(drawing: st.DataObject) -> None:
    name = drawing.draw(st.sampled_from(sorted(SCHEMAS)))
    document = drawing.draw(documents(SCHEMAS[name], SCHEMAS[name]))
    assert list(NOW_VALID[name].iter_errors(document)) == []


CHANGES: list[Change] = [without("to"), needed("item"), put("carrier", maxLength=5), put("to", enum=["importer:x"])]


@settings(max_examples=examples(30, 100), deadline=None)
@given(st.data())
def test_the_comparison_finds_whatever_a_document_would_find(drawing: st.DataObject) -> None:
    """Where a changed schema refuses a document that was valid, the comparison has said so."""
    changed = copy.deepcopy(event_schema("item.handed_over"))
    drawing.draw(st.sampled_from(CHANGES))(changed)
    document = drawing.draw(documents(event_schema("item.handed_over"), event_schema("item.handed_over")))
    if not Draft202012Validator(changed).is_valid(document):
        assert broken(event_schema("item.handed_over"), changed)


def test_every_type_is_released() -> None:
    assert {f"repairchain.{name}.v{fact.VERSION}" for name, fact in FACTS.items()} == set(SCHEMAS)
