"""From a NATS message to an event: CloudEvents in structured mode (JSON) or binary mode (``ce-`` headers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import orjson
from pydantic import ValidationError

from events.envelope import CONTENT_TYPE, MAX_BYTES, Event, TypeNameError
from events.vocabulary import FACTS
from services.intake.problems import Refusal, of_envelope, unknown_type

#: What binary mode has in headers, each behind ``ce-``.
ATTRIBUTES: Final = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "subjectkind",
    "subjectof",
    "time",
    "correlationid",
    "causationid",
)


def _structured(payload: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Refusal("unreadable", f"the body is not JSON in UTF-8: {error}") from None
    if not isinstance(document, dict):
        raise Refusal("unreadable", "the body must be one JSON object: a CloudEvent in structured mode")
    return document


def _binary(headers: Mapping[str, str], payload: bytes) -> dict[str, Any]:
    document: dict[str, Any] = {
        attribute: _unquoted(attribute, headers[f"ce-{attribute}"])
        for attribute in ATTRIBUTES
        if f"ce-{attribute}" in headers
    }
    try:
        document["data"] = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise Refusal("unreadable", f"the body is not JSON in UTF-8: {error}") from None
    return document


def _unquoted(attribute: str, value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:  # with signs in the place of what cannot be read, two orders could become one
        raise Refusal("unreadable", f"ce-{attribute} must be UTF-8, percent-encoded", f"/{attribute}") from None


def read_document(headers: Mapping[str, str] | None, payload: bytes) -> dict[str, Any]:
    """The event as a dict, not yet validated. Raises Refusal if there is none to be read."""
    if len(payload) > MAX_BYTES:
        raise Refusal(
            "too-large",
            f"the body has {len(payload)} bytes; at most {MAX_BYTES} are taken: refer to it by dataref",
        )
    if is_binary(headers):
        return _binary({key.lower(): value for key, value in (headers or {}).items()}, payload)
    return _structured(payload)


def is_binary(headers: Mapping[str, str] | None) -> bool:
    """Whether the attributes are in the headers, and the body is the data alone."""
    lowered = {key.lower(): value for key, value in headers.items()} if headers else {}
    return "ce-specversion" in lowered and not lowered.get("content-type", "").startswith(CONTENT_TYPE)


def submission_id(document: Mapping[str, Any]) -> str | None:
    """The event's own id, if it has a usable one: a receipt names it even when the rest cannot be read."""
    found = document.get("id")
    return found[:240] if isinstance(found, str) and found else None


def read_event(document: Mapping[str, Any]) -> Event:
    """The envelope. Raises Refusal with the field that is wrong."""
    if document.get("specversion") != "1.0":
        raise Refusal("unreadable", 'specversion must be "1.0": the body must be a CloudEvent', "/specversion")
    try:
        event: Event = Event.__pydantic_validator__.validate_python(document)  # as model_validate does, in less time
        event.name  # noqa: B018 - parses the type, which the model keeps as text
    except ValidationError as error:
        raise of_envelope(error) from None
    except TypeNameError as error:
        if event.type.count(".") == 1 and event.type not in FACTS:  # written in full it would be no type either
            raise unknown_type(event.type) from None
        raise Refusal("unknown-type", str(error), "/type") from None
    return event
