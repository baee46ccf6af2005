"""The application: who asks, and which answer is whose."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from events.clock import Clock
from projections.queries.parts import MOST_CHANGED
from services import partner_view
from services.answering import Ask
from services.carriers.taking_in import TakingIn
from services.epcis.reading import MAX_EVENTS
from services.http.capture import MAX_DOCUMENT_BYTES, take_capture
from services.http.carriers import take_webhook
from services.http.events import take_events
from services.http.handing_in import HandingIn
from services.http.jobs import Job, Jobs
from services.http.keys import Keys
from services.http.limits import Limits
from services.http.notices import Notices
from services.http.openapi import document
from services.http.problems import Refused
from services.http.receipts import as_json
from services.http.remembered import KEPT
from services.partner_view import NotShownError

_NO_KEY: Final = "show the key of a party that takes part: Authorization: Bearer rk_…"
_OPENS_NOTHING: Final = (
    "the key that was shown opens nothing: it is not whole, was replaced or taken back, or its party is kept out; "
    "the operator makes another"
)
_SEVERAL_KEYS: Final = "the request has several Authorization headers, and nobody can say which is meant: send one"
_EPCIS_HEADERS: Final = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-EPCIS-Capture-Limit": str(MAX_EVENTS),
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_DOCUMENT_BYTES),
}


@dataclass
class Door:
    """What the answers are made of; ``identifiers`` reads whose an identifier of GS1's is, ``home`` has the secrets of
    those who speak for carriers."""

    keys: Keys
    limits: Limits
    handing_in: HandingIn
    ask: Ask
    clock: Clock
    identifiers: Callable[[], Mapping[str, str]]
    home: Path
    carriers: TakingIn
    notices: Notices
    jobs: Jobs = field(default_factory=Jobs)

    async def events(self, request: Request, party: str) -> Response:
        """POST /events."""
        return await take_events(request, party, self.handing_in, self.limits)

    async def capture(self, request: Request, party: str) -> Response:
        """POST /capture."""
        job = await take_capture(
            request,
            party,
            self.identifiers(),
            self.clock.now(),
            ask=self.ask,
            door=self.handing_in,
            limits=self.limits,
        )
        self.jobs.add(job)
        return self._job(job, 202, {"Location": f"/capture/{job.id}", **_EPCIS_HEADERS})

    async def captured(self, request: Request, party: str) -> Response:
        """GET /capture/{job}."""
        self.limits.spend(party, 1)
        job = self.jobs.find(party, request.path_params["job"])
        if job is None:
            raise Refused(404, "not-found", "there is no such capture job, or it was long ago: capturing again is safe")
        return self._job(job, 200, _EPCIS_HEADERS)

    def _job(self, job: Job, status: int, headers: dict[str, str]) -> Response:
        job.look(lambda id: self.handing_in.receipts.of(job.party, id), self.clock.now())
        return _json(job.as_json(), status, headers)

    async def receipts(self, request: Request, party: str) -> Response:
        """GET /receipts."""
        self.limits.spend(party, 1)
        receipts, after = self.handing_in.receipts, request.query_params.get("after")
        limit = _number(request, "limit", 100, KEPT)
        if after is None:
            return _json({"receipts": [as_json(each) for each in receipts.of(party, request.query_params.get("id"))]})
        new, cursor = receipts.remembered.after(party, after, limit)
        return _json({"receipts": [as_json(each) for each in new], "cursor": cursor})

    async def told(self, request: Request, party: str) -> Response:
        """GET /notices."""
        self.limits.spend(party, 1)
        after, limit = request.query_params.get("after", ""), _number(request, "limit", 100, KEPT)
        notices, cursor = self.notices.remembered.after(party, after, limit)
        return _json({"notices": notices, "cursor": cursor})

    async def timeline(self, request: Request, party: str) -> Response:
        """GET /orders/{order}/timeline."""
        self.limits.spend(party, 1)
        name = request.path_params["order"]
        return _json(await partner_view.timeline(self.ask, party, name, self.handing_in.position or None))

    async def orders(self, request: Request, party: str) -> Response:
        """GET /orders."""
        self.limits.spend(party, 1)
        after = _number(request, "changed_after", 0, 2**63 - 1)
        limit = _number(request, "limit", 100, MOST_CHANGED)
        return _json(await partner_view.changed(self.ask, party, after, limit, self.handing_in.position or None))

    async def carrier(self, request: Request) -> Response:
        """POST /carriers/{name}."""
        name = request.path_params["name"]
        return await take_webhook(request, name, self.home, self.carriers, self.limits, self.clock)


_Answer = Callable[[Request, str], Awaitable[Response]]


def make_app(door: Door) -> Starlette:
    """The ASGI application."""

    def for_partners(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            party = _who(request, door)
            with door.limits.under_way(party):
                return await answer(request, party)

        return endpoint

    async def openapi(request: Request) -> Response:
        return _json(document())

    return Starlette(
        routes=[
            Route("/openapi.json", openapi, methods=["GET"]),
            Route("/events", for_partners(door.events), methods=["POST"]),
            Route("/capture", for_partners(door.capture), methods=["POST"]),
            Route("/capture/{job}", for_partners(door.captured), methods=["GET"]),
            Route("/receipts", for_partners(door.receipts), methods=["GET"]),
            Route("/notices", for_partners(door.told), methods=["GET"]),
            Route("/orders", for_partners(door.orders), methods=["GET"]),
            Route("/orders/{order:path}/timeline", for_partners(door.timeline), methods=["GET"]),
            Route("/carriers/{name}", door.carrier, methods=["POST"]),
        ],
        exception_handlers={Refused: _refused, NotShownError: _not_shown, HTTPException: _no_route, Exception: _failed},
    )


def _who(request: Request, door: Door) -> str:
    """The party whose key was shown. Raises Refused (401, or 400 where several were shown); why a key does not open is
    nobody's business."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise Refused(400, "bad-header", _SEVERAL_KEYS)
    scheme, _, key = "".join(headers).partition(" ")
    shown = key.strip() if scheme.lower() == "bearer" else ""
    party = door.keys.party_of(shown, door.clock.now())
    if party is None:
        raise Refused(401, "unauthorized", _OPENS_NOTHING if shown else _NO_KEY, headers={"WWW-Authenticate": "Bearer"})
    return party


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def _not_shown(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotShownError)
    return Refused(error.status, error.kind, error.detail, error.retry_after).response()


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = dict(error.headers or {})
        return Refused(405, "method-not-allowed", f"{request.method} is not answered here", headers=allowed).response()
    return Refused(error.status_code, "not-found", "see /openapi.json for what there is").response()


async def _failed(request: Request, error: Exception) -> Response:
    return Refused(500, "internal", "the service failed on this request; handing in again is safe").response()


def _number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query. Raises Refused (400)."""
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > most:
        raise Refused(400, "bad-query", f"{name} must be a whole number from 0 to {most}")
    return int(text)


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
