"""The conversation with partners as an AsyncAPI 3 document: what each role sends where, and what it hears back."""

from __future__ import annotations

from typing import Any, Final

from events import names
from events.envelope import CONTENT_TYPE, full_type
from events.schema import event_schema
from events.vocabulary import FACTS, WHO_MAY_SAY

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


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3.0 document: what each partner role sends where, and what it hears back."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for role in names.INTAKE_STREAMS:
        channels |= _channels_of(role)
        operations |= _operations_of(role)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "repairchain",
            "version": "1.0.0",
            "description": "Facts about products in repair, as partners publish them. Seen from the partner.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": _facts() | _replies()},
    }


def _facts() -> dict[str, Any]:
    """What partners say: a message for each type of fact."""
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
    return messages


def _replies() -> dict[str, Any]:
    """What partners hear, and what they may ask."""
    return {
        "receipts": {
            "name": "receipts",
            "title": "What became of submissions",
            "contentType": "application/json",
            "payload": _RECEIPTS,
        },
        "notice": {
            "name": "notice",
            "title": "Somebody waits",
            "summary": "Said once, at the moment it happens, and not kept; the facts stand in the log",
            "contentType": "application/json",
            "payload": _NOTICE,
        },
        "question": {
            "name": "question",
            "title": "A question about one's own orders",
            "contentType": "application/json",
            "payload": _QUESTION,
        },
        "answer": {
            "name": "answer",
            "title": "The order's timeline, or which orders have changed",
            "summary": "An answer with a number as status is a problem (RFC 9457); long ones are gzipped",
            "contentType": "application/json",
            "payload": _ANSWER,
        },
    }


def _channels_of(role: str) -> dict[str, Any]:
    """The subjects of a role's partners, as they see them."""
    party = {"party": {"description": "the party's name; every byte outside A-Z a-z 0-9 _ - is written =XX"}}
    said = [full_type(name, FACTS[name].VERSION) for name in FACTS if name in WHO_MAY_SAY[role]]
    return {
        f"{role}Intake": {
            "address": f"{names.INTAKE_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {title: {"$ref": f"#/components/messages/{title}"} for title in said},
        },
        f"{role}Receipts": {
            "address": f"{names.RECEIPTS_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"receipts": {"$ref": "#/components/messages/receipts"}},
        },
        f"{role}Notices": {
            "address": f"{names.NOTICES_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"notice": {"$ref": "#/components/messages/notice"}},
        },
        f"{role}Orders": {
            "address": f"{names.ORDERS_ROOT}.{role}.{{party}}",
            "parameters": party,
            "messages": {"question": {"$ref": "#/components/messages/question"}},
        },
        f"{role}Answers": {
            "address": None,
            "messages": {"answer": {"$ref": "#/components/messages/answer"}},
        },
    }


def _operations_of(role: str) -> dict[str, Any]:
    """What a role's partners do on these subjects."""
    return {
        f"{role}Asks": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{role}Orders"},
            "summary": "The story of an order that this party has a part in, or which of them have changed",
            "reply": {
                "address": {"location": "$message.header#/reply", "description": "the reply subject of the request"},
                "channel": {"$ref": f"#/channels/{role}Answers"},
            },
        },
        f"{role}IsNotified": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{role}Notices"},
            "summary": "Somebody waits for this party, or a message in its name did not arrive",
        },
        f"{role}Publishes": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{role}Intake"},
            "summary": f"A {role} reports what has happened",
        },
        f"{role}HearsBack": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{role}Receipts"},
            "summary": "Accepted, duplicate, held, or rejected with a reason",
        },
    }


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
