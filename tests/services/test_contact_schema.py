"""What the schema of order.opened says of the customer's contact is what intake takes."""

from __future__ import annotations

from typing import Any

from events.schema import CONTACT
from services.contact import Contact


def bare(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Only what makes a document valid: references put in their place; null, which counts as not sent, left out."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        (schema,) = [each for each in schema["anyOf"] if each.get("type") != "null"]
    kept = {
        key: value
        for key, value in schema.items()
        if key not in ("title", "description", "examples", "default", "$defs")
    }
    if "properties" in kept:
        kept["properties"] = {key: bare(value, definitions) for key, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = bare(kept["items"], definitions)
    return kept


def test_the_published_contact_is_the_one_that_is_read() -> None:
    model = Contact.model_json_schema()
    assert bare(CONTACT, {}) == bare(model, model["$defs"])
    Contact.model_validate(
        {field: (schema.get("examples") or [None])[0] for field, schema in CONTACT["properties"].items()}
        | {"channels": [], "not_told": []}
    )
