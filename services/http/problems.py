"""What can go wrong over HTTP, as RFC 9457 problem details, and the status of each outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from services.intake.problems import TITLES as INTAKE_TITLES
from services.intake.problems import Fault, type_of
from services.submission import Receipt

CONTENT_TYPE: Final = "application/problem+json"

#: problem type → title; with those of the intake
TITLES: Final = {
    **INTAKE_TITLES,
    "unauthorized": "A key is needed",
    "unsigned": "A signature is needed",
    "not-found": "There is no such thing here",
    "method-not-allowed": "This is not done here",
    "timeout": "The request did not come to its end in time",
    "length": "The body is too large",
    "unsupported-media-type": "This kind of content is not read here",
    "bad-header": "A header cannot be read",
    "bad-query": "The query cannot be read",
    "too-many": "Too much at a time",
    "unavailable": "The chain takes nothing in at the moment",
    "ambiguous": "This means several orders",
    "not-epcis": "This is no EPCIS 2.0 document",
}

#: The status of a single event that the intake refused; any other kind is 422.
STATUSES: Final = {
    "too-large": 413,
    "unreadable": 400,
    "not-your-name": 403,
    "not-yours-to-say": 403,
    "not-your-order": 403,
    "id-reused": 409,
    "order-id-taken": 409,
    "internal": 500,
}
OTHERWISE: Final = 422


class Refused(Exception):
    """Raised where a request turns out to be one that is not answered with what it asks for."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        retry_after: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        self.faults = tuple(faults)

    def response(self) -> Response:
        """As it goes over the wire."""
        body: dict[str, Any] = {
            "type": type_of(self.kind),
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            body["pointer"] = self.faults[0].pointer
            body["errors"] = [fault.model_dump(exclude_none=True) for fault in self.faults[:100]]
        return problem(body, self.status, self.headers)


def problem(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Problem details as a response."""
    return Response(orjson.dumps(body), status, headers, media_type=CONTENT_TYPE)


def too_large(id: str | None, party: str, size: int, most: int) -> Receipt:
    """The receipt of an event that is not even handed in."""
    detail = f"the event has {size} bytes; at most {most} are taken: refer to it by dataref"
    kind = "too-large"
    problem = {"type": type_of(kind), "title": TITLES[kind], "detail": detail, "submission": id}
    return Receipt(party, id, "rejected", problem=problem)
