"""The vocabulary for machines: JSON Schema for every type of fact. The whole conversation: asyncapi.py."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, get_args

from events.chain import MessageKind
from events.envelope import MAX_ID_BYTES, NumberKind, full_type
from events.facet import Fact
from events.golden import example, golden
from events.vocabulary import FACTS, INCIDENT_FACTS, PARTY_FACTS, WHO_MAY_SAY

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: order.opened alone may carry this at intake; it goes to the CUSTOMERS bucket and never into the log.
CONTACT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Who the customer is. Taken off at intake; never in the log.",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "language": {
            "type": "string",
            "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]+)*$",
            "default": "en",
            "examples": ["en", "nl"],
        },
        "channels": {
            "type": "array",
            "description": "ways to reach her, the one that she likes best first",
            "maxItems": 10,
            "default": [],
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "address"],
                "properties": {
                    "kind": {
                        "type": "string",
                        "pattern": "^[a-z][a-z0-9-]{0,30}$",
                        "description": "email, or another kind that the operator serves",
                        "examples": ["email", "sms"],
                    },
                    "address": {"type": "string", "minLength": 1, "maxLength": 254, "pattern": r"^[^\s<>\"]+$"},
                },
            },
        },
        "time_zone": {"type": "string", "maxLength": 64, "examples": ["Europe/Amsterdam"]},
        "quiet": {
            "type": "string",
            "description": "hours on her clock in which nothing routine is sent",
            "pattern": r"^((?:[01]?\d|2[0-3]):[0-5]\d ?- ?(?:[01]?\d|2[0-3]):[0-5]\d|never)$",
            "examples": ["21:00-8:00", "never"],
        },
        "not_told": {
            "type": "array",
            "description": "kinds of message that she does not want",
            "default": [],
            "items": {"type": "string", "enum": list(get_args(MessageKind))},
        },
        "paused_until": {
            "type": "string",
            "format": "date-time",
            "description": "until then nothing is sent but what she must decide",
        },
    },
}


#: Keyword of ours: the roles that may say it.
SAID_BY: Final = "x-said-by"


def said_by(name: str) -> list[str]:
    """The roles that may say the fact."""
    return [role for role, names in WHO_MAY_SAY.items() if name in names]


@cache
def _data_schema_text(fact: type[Fact]) -> str:
    """Kept as text, of which everybody makes a schema of his own: making it anew takes a hundred times as long."""
    return json.dumps(fact.model_json_schema(by_alias=True, mode="validation"))


def _data_schema(fact: type[Fact]) -> tuple[dict[str, Any], dict[str, Any]]:
    schema: dict[str, Any] = json.loads(_data_schema_text(fact))
    return schema, schema.pop("$defs", {})


def event_schema(name: str, *, intake: bool = True) -> dict[str, Any]:
    """JSON Schema (2020-12) of the whole CloudEvent of one fact, as a partner sends it or (``intake=False``) as the log
    holds it. Raises KeyError for an unknown name."""
    fact = FACTS[name]
    data, definitions = _data_schema(fact)
    if intake and name == "order.opened":
        data["properties"] = {**data["properties"], "contact": CONTACT}
    identifier = {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES}
    moment = {"type": "string", "format": "date-time"}
    required = ["specversion", "id", "source", "type", "subject", "time", "data"]
    properties: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": {**identifier, "description": "with source, this event for ever; a correction needs an id of its own"},
        "source": {
            "type": "string",
            "format": "party",
            "description": "the party that says so: role:name",
            "examples": ["retailer:acme"],
        },
        "type": {"const": full_type(name, fact.VERSION)},
        "subject": {**identifier, "description": "the order: its chain-wide id, or your own number for it"},
        "time": {**moment, "description": "when it happened"},
        "datacontenttype": {"const": "application/json"},
        "correlationid": {"type": "string", "maxLength": 1_000, "description": "ties what belongs together"},
        "causationid": {"type": "string", "maxLength": 1_000, "description": "the fact that led to this one"},
        "data": data,
    }
    if intake and fact.NAME != "order.opened" and fact.NAME not in PARTY_FACTS | INCIDENT_FACTS:
        properties["subjectkind"] = {
            "enum": list(get_args(NumberKind)),
            "description": "what else subject is: another party's number for the order, a serial number, a customer",
        }
        properties["subjectof"] = {
            "type": "string",
            "maxLength": 240,
            "description": "whose number that is, as role:name; of a serial number the brand",
        }
    if not intake:
        properties["recordedtime"] = {**moment, "description": "when the chain took it in"}
        required.append("recordedtime")
    schema: dict[str, Any] = {
        "$schema": _DIALECT,
        "$id": f"urn:repairchain:schema:{full_type(name, fact.VERSION)}",
        "title": full_type(name, fact.VERSION),
        "description": (fact.__doc__ or "").strip(),
        SAID_BY: said_by(name),
        "type": "object",
        "required": required,
        "properties": properties,
        "examples": [example(name, fact.VERSION) if intake else golden(name, fact.VERSION)],
    }
    if definitions:
        schema["$defs"] = definitions
    return schema


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every type, by full type name."""
    return {full_type(name, fact.VERSION): event_schema(name) for name, fact in FACTS.items()}
