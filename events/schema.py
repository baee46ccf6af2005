"""The vocabulary as documents for machines: JSON Schema for every type, and AsyncAPI 3 for the whole conversation."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, get_args

from events import names
from events.chain import MessageKind
from events.envelope import CONTENT_TYPE, MAX_ID_BYTES, NumberKind, full_type
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


def _inline(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema with its references pointing at its place in a larger document."""

    def move(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"{path}{inner.removeprefix('#')}" if key == "$ref" and isinstance(inner, str) else move(inner)
                for key, inner in value.items()
            }
        return [move(inner) for inner in value] if isinstance(value, list) else value

    return {key: move(value) for key, value in schema.items() if key not in ("$schema", "$id")}


def asyncapi(version: str = "1.0.0") -> dict[str, Any]:
    """An AsyncAPI 3.0 document: what each partner role sends where, and what it hears back."""
    messages = {}
    for name, fact in FACTS.items():
        title = full_type(name, fact.VERSION)
        payload = _inline(event_schema(name), f"#/components/messages/{title}/payload")
        messages[title] = {
            "name": title,
            "title": name,
            "summary": (fact.__doc__ or "").strip().splitlines()[0],
            "contentType": CONTENT_TYPE,
            "payload": payload,
        }
    messages["receipts"] = {
        "name": "receipts",
        "title": "What became of submissions",
        "contentType": "application/json",
        "payload": _RECEIPTS,
    }
    messages["notice"] = {
        "name": "notice",
        "title": "Somebody waits",
        "summary": "Said once, at the moment it happens, and not kept; the facts stand in the log",
        "contentType": "application/json",
        "payload": _NOTICE,
    }
    messages["question"] = {
        "name": "question",
        "title": "A question about one's own orders",
        "contentType": "application/json",
        "payload": _QUESTION,
    }
    messages["answer"] = {
        "name": "answer",
        "title": "The order's timeline, or which orders have changed",
        "summary": "An answer with a number as status is a problem (RFC 9457); long ones are gzipped",
        "contentType": "application/json",
        "payload": _ANSWER,
    }
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    party = {"party": {"description": "the party's name; every byte outside A-Z a-z 0-9 _ - is written =XX"}}
    for role in names.INTAKE_STREAMS:
        said = [full_type(name, FACTS[name].VERSION) for name in FACTS if name in WHO_MAY_SAY[role]]
        channels[f"{role}Intake"] = {
            "address": f"{names.INTAKE_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {title: {"$ref": f"#/components/messages/{title}"} for title in said},
        }
        channels[f"{role}Receipts"] = {
            "address": f"{names.RECEIPTS_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"receipts": {"$ref": "#/components/messages/receipts"}},
        }
        channels[f"{role}Notices"] = {
            "address": f"{names.NOTICES_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"notice": {"$ref": "#/components/messages/notice"}},
        }
        channels[f"{role}Orders"] = {
            "address": f"{names.ORDERS_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"question": {"$ref": "#/components/messages/question"}},
        }
        channels[f"{role}Answers"] = {
            "address": None,
            "messages": {"answer": {"$ref": "#/components/messages/answer"}},
        }
        operations[f"{role}Asks"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{role}Orders"},
            "summary": "The story of an order that this party has a part in, or which of them have changed",
            "reply": {
                "address": {"location": "$message.header#/reply", "description": "the reply subject of the request"},
                "channel": {"$ref": f"#/channels/{role}Answers"},
            },
        }
        operations[f"{role}IsNotified"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{role}Notices"},
            "summary": "Somebody waits for this party, or a message in its name did not arrive",
        }
        operations[f"{role}Publishes"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{role}Intake"},
            "summary": f"A {role} reports what has happened",
        }
        operations[f"{role}HearsBack"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{role}Receipts"},
            "summary": "Accepted, duplicate, or rejected with a reason",
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "repairchain",
            "version": version,
            "description": "Facts about products in repair, as partners publish them. Seen from the partner.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


_QUESTION: Final[dict[str, Any]] = {
    "type": "object",
    "oneOf": [{"required": ["order"]}, {"required": ["changed_after"]}],
    "additionalProperties": False,
    "properties": {
        "order": {"type": "string", "minLength": 1, "maxLength": 500, "description": "by any name that it goes by"},
        "changed_after": {"type": "integer", "minimum": 0, "description": "a position of the log"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
}

_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "order": {"type": "object"},
        "entries": {"type": "array", "items": {"type": "object"}},
        "handoffs": {"type": "array", "items": {"type": "object"}},
        "commitments": {"type": "array", "items": {"type": "object"}},
        "orders": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["order_id", "position"],
                "properties": {
                    "order_id": {"type": "string"},
                    "position": {"type": "integer", "description": "of the last that was said of it"},
                },
            },
        },
        "cursor": {"type": "integer", "description": "the position to go on from"},
        "more": {"type": "boolean"},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}

_NOTICE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["notice", "kind", "at"],
    "properties": {
        "notice": {
            "enum": [
                "commitment.nudged",
                "commitment.overdue",
                "commitment.withdrawn",
                "message.failed",
                "message.unknown",
                "daily.list",
            ],
            "description": "the fact that it is about, or the list of a day",
        },
        "order": {"type": "string", "description": "the order's chain-wide id"},
        "kind": {"type": "string", "description": "of the commitment or of the message"},
        "at": {"type": "string", "format": "date-time"},
        "commitment": {"type": "string"},
        "owner": {"type": "string", "description": "the party that is waited for"},
        "opened_at": {"type": "string", "format": "date-time"},
        "due_at": {"type": "string", "format": "date-time"},
        "level": {"type": "integer"},
        "person": {"type": "string", "description": "for whom it is now; empty if nobody was named"},
        "message": {"type": "string"},
        "reason": {"type": "string"},
        "tracking_number": {
            "type": "string",
            "description": "of the parcel whose receipt is owed, if a carrier spoke of it",
        },
        "carrier_status": {
            "type": "string",
            "description": "where that carrier last said that it is: delivered, in_transit",
        },
        "carrier_at": {"type": "string", "format": "date-time", "description": "when that was"},
        "party": {"type": "string", "description": "whose list it is"},
        "day": {"type": "string", "format": "date", "description": "that party's own"},
        "list": {"type": "object", "description": "as `repairchain today PARTY --json` prints it"},
    },
}

_RECEIPTS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["receipts"],
    "properties": {
        "receipts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "source", "sequence", "outcome"],
                "properties": {
                    "id": {"type": ["string", "null"], "description": "the event's own id, if it could be read"},
                    "source": {"type": "string"},
                    "sequence": {"type": "integer", "description": "as in the publish acknowledgement"},
                    "outcome": {
                        "enum": ["accepted", "duplicate", "held", "rejected"],
                        "description": "held: about an order that nobody has opened yet; taken in once somebody has",
                    },
                    "held_until": {
                        "type": "string",
                        "format": "date-time",
                        "description": "if no order came by then, it is rejected, with another receipt",
                    },
                    "order": {"type": "string", "description": "the order's chain-wide id"},
                    "position": {"type": "integer", "description": "the fact's place in the log"},
                    "problem": {
                        "type": "object",
                        "description": "RFC 9457 problem details",
                        "required": ["type", "title", "detail"],
                        "properties": {
                            "type": {"type": "string"},
                            "title": {"type": "string"},
                            "detail": {"type": "string"},
                            "pointer": {"type": "string", "description": "JSON pointer of the field"},
                            "submission": {"type": "string"},
                            "held_until": {"type": "string", "format": "date-time"},
                            "errors": {
                                "type": "array",
                                "maxItems": 10,
                                "description": "all that is wrong with an invalid event",
                                "items": {
                                    "type": "object",
                                    "required": ["detail"],
                                    "properties": {"detail": {"type": "string"}, "pointer": {"type": "string"}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
