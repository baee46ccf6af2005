"""The OpenAPI 3.1 document: each operation with its answers. What stands in bodies: openapi_models.py."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from events.envelope import CONTENT_TYPE, MAX_BYTES
from projections.queries.parts import MOST_CHANGED
from services.carriers.secrets import NAMES as CARRIERS
from services.epcis.reading import MAX_EVENTS
from services.http.capture import BEHAVIOUR, MEDIA_TYPES
from services.http.events import BATCH_TYPE, MAX_BATCH_BYTES
from services.http.limits import MAX_BATCH
from services.http.openapi_models import schema_of, schemas
from services.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from services.http.remembered import KEPT

_PROBLEMS: Final = {
    400: "It cannot be read",
    401: "No key was shown, or one that does not open",
    403: "A party speaks for itself only, and not for others; or this is not for its role to say",
    404: "There is no such thing, or it is not yours to see",
    408: "The body did not come in time",
    409: "The id was used before for something else, or the order's by another party; or this means several orders",
    413: "Too large",
    415: "This kind of content is not read here",
    422: "The event does not say what its type asks for; it is kept",
    429: "Too much at a time; Retry-After says when to come again",
    500: "The service failed on this request",
    503: "The chain takes nothing in at the moment, or is being stopped; Retry-After says when to come again",
}


def _content(kind: str, schema: Any) -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _answers(statuses: tuple[int, ...], **fine: tuple[str, str]) -> dict[str, Any]:
    """Responses: ``s200=(description, model)``, and problems."""
    answers = {
        status[1:]: {"description": text, "content": _content("application/json", schema_of(model))}
        for status, (text, model) in fine.items()
    }
    problems = {
        str(status): {"description": _PROBLEMS[status], "content": _content(PROBLEM_TYPE, schema_of("ProblemDetails"))}
        for status in statuses
    }
    return dict(sorted({**answers, **problems}.items()))


_LOCATION: Final = {"Location": {"description": "where to look", "schema": {"type": "string"}}}
_ALWAYS: Final = (400, 401, 429, 500, 503)
_BODY: Final = (408, 413, 415)


def _ce(name: str) -> dict[str, Any]:
    return {
        "name": f"ce-{name}",
        "in": "header",
        "description": "in binary mode",
        "required": False,
        "schema": {"type": "string"},
    }


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "repairchain",
            "version": "1",
            "description": "Handing in what has happened to products in repair, and following one's own orders.",
        },
        "security": [{"key": []}],
        "paths": {
            "/events": {"post": _hand_in()},
            "/capture": {"post": _captures()},
            "/capture/{job}": {"get": _capture_job()},
            "/receipts": {"get": _receipts()},
            "/notices": {"get": _notices()},
            "/orders": {"get": _changed_orders()},
            **{f"/carriers/{name}": {"post": _carrier(name)} for name in CARRIERS},
            "/orders/{order}/timeline": {"get": _timeline()},
            "/openapi.json": {"get": _this_document()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "the key of a party"}},
            "schemas": schemas(),
        },
    }


def _hand_in() -> dict[str, Any]:
    event = schema_of("Event")
    each = {"description": "whatever else: each is judged for itself, and has a receipt that says what is wrong"}
    return {
        "operationId": "handIn",
        "summary": "Hand in events, and wait for their receipts",
        "description": (
            f"CloudEvents 1.0: one in structured mode, up to {MAX_BATCH:,} in a batch, or one in binary mode (ce- "
            f"headers and the data as the body). One event may have {MAX_BYTES:,} bytes, a batch {MAX_BATCH_BYTES:,}. "
            "Equal source and id are the same event, so whatever is in doubt may be handed in again. A batch is "
            "answered with a receipt for each event, whatever became of it."
        ),
        "parameters": [
            _ce(name)
            for name in (
                *("specversion", "id", "source", "type", "subject", "subjectkind", "subjectof", "time"),
                *("correlationid", "causationid"),
            )
        ],
        "requestBody": {
            "required": True,
            "content": {
                **_content(CONTENT_TYPE, event),
                **_content(BATCH_TYPE, {"type": "array", "items": {"anyOf": [event, each]}}),
                **_content("application/json", {"type": "object", "description": "binary mode: the data"}),
            },
        },
        "responses": _answers(
            (*_ALWAYS, *_BODY, 403, 409, 422),
            s200=("Taken in, or known before", "AnyReceipt"),
            s202=(
                "Safe, and held until its order is known, or not yet taken in: Location says where to look",
                "AnyReceipt",
            ),
        ),
    }


def _captures() -> dict[str, Any]:
    capture: dict[str, Any] = {
        "operationId": "capture",
        "summary": "Capture EPCIS 2.0 events",
        "description": (
            f"An EPCISDocument in JSON-LD with up to {MAX_EVENTS:,} events, or one event with its @context. What has "
            "no fact here is kept as it came, and listed."
        ),
        "parameters": [
            {
                "name": BEHAVIOUR,
                "in": "header",
                "description": "rollback: nothing is captured unless every event can be read; proceed: what can be",
                "required": False,
                "schema": {"type": "string", "enum": ["rollback", "proceed"], "default": "rollback"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"anyOf": [schema_of("EPCISDocument"), schema_of("EPCISEvent")]}}
                for kind in MEDIA_TYPES
            },
        },
        "responses": _answers(
            (*_ALWAYS, *_BODY), s202=("The job, with what became of each event so far", "CaptureJob")
        ),
    }
    capture["responses"]["202"]["headers"] = _LOCATION
    return capture


def _capture_job() -> dict[str, Any]:
    return {
        "operationId": "captureJob",
        "summary": "What became of a capture",
        "parameters": [_path("job")],
        "responses": _answers((*_ALWAYS, 404), s200=("The job", "CaptureJob")),
    }


def _receipts() -> dict[str, Any]:
    return {
        "operationId": "receipts",
        "summary": "Your latest receipts, the latest first",
        "parameters": [
            {
                "name": "id",
                "in": "query",
                "description": "of this event only",
                "required": False,
                "schema": {"type": "string"},
            },
            _query(
                "after",
                {"type": "string"},
                "those that came after this cursor instead, the oldest first; empty is the beginning",
            ),
            _query("limit", {"type": "integer", "minimum": 0, "maximum": KEPT, "default": 100}),
        ],
        "responses": _answers(_ALWAYS, s200=("Receipts", "Receipts")),
    }


def _notices() -> dict[str, Any]:
    return {
        "operationId": "notices",
        "summary": "What you were told lately: somebody waits for you",
        "parameters": [
            _query("after", {"type": "string"}, "the cursor of the answer before"),
            _query("limit", {"type": "integer", "minimum": 0, "maximum": KEPT, "default": 100}),
        ],
        "responses": _answers(_ALWAYS, s200=("Notices", "Notices")),
    }


def _changed_orders() -> dict[str, Any]:
    return {
        "operationId": "changedOrders",
        "summary": "Which orders that you have a part in have changed since a position of the log",
        "parameters": [
            _query("changed_after", {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "default": 0}),
            _query("limit", {"type": "integer", "minimum": 0, "maximum": MOST_CHANGED, "default": 100}),
        ],
        "responses": _answers(_ALWAYS, s200=("The orders", "ChangedOrders")),
    }


def _timeline() -> dict[str, Any]:
    return {
        "operationId": "timeline",
        "summary": "The story of an order that you have a part in",
        "parameters": [_path("order")],
        "responses": _answers((*_ALWAYS, 404, 409), s200=("The timeline", "Timeline")),
    }


def _this_document() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {
                "description": "OpenAPI 3.1",
                "content": _content("application/json", {"type": "object"}),
            },
            **_answers((500, 503)),
        },
    }


def _carrier(name: str) -> dict[str, Any]:
    """How a service that speaks for carriers tells of a parcel."""
    return {
        "operationId": f"{name}Webhook",
        "summary": "What a carrier says of a parcel, signed with the secret of the webhook",
        "security": [],
        "requestBody": {"required": True, "content": _content("application/json", {"type": "object"})},
        "responses": _answers(
            (400, 401, 404, 408, 413, 429, 500, 503), s202=("Kept, and taken in as soon as its order is known", "Scans")
        ),
    }


def _query(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema} | (
        {"description": description} if description else {}
    )


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
