"""POST /events: CloudEvents in structured, batch and binary mode."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from events.envelope import CONTENT_TYPE, MAX_BYTES
from services.http.bodies import media_type, read_body, read_json
from services.http.handing_in import STRUCTURED, HandingIn, Sealed, sealed
from services.http.limits import MAX_BATCH, Limits
from services.http.problems import OTHERWISE, STATUSES, Refused, problem, too_large
from services.http.receipts import as_json
from services.intake.reading import ATTRIBUTES
from services.submission import Receipt

BATCH_TYPE: Final = "application/cloudevents-batch+json"
#: A batch as a whole.
MAX_BATCH_BYTES: Final = 8 * 1024 * 1024

#: A header of NATS has no room for more.
_LONGEST_HEADER: Final = 3_000


async def take_events(request: Request, party: str, door: HandingIn, limits: Limits) -> Response:
    """Hand in what the request carries for ``party``, and answer with the receipts. Raises Refused."""
    kind = media_type(request)
    if kind == BATCH_TYPE:
        return await _take_batch(request, party, door, limits)
    if kind == CONTENT_TYPE:
        payload = await read_body(request, MAX_BYTES)
        read_json(payload)
        submission = Sealed(payload, STRUCTURED)
    elif "ce-specversion" in request.headers:
        if kind not in ("application/json", ""):
            raise Refused(415, "unsupported-media-type", f"in binary mode the data is application/json, not '{kind}'")
        headers = _attributes(request)
        payload = await read_body(request, MAX_BYTES)
        read_json(payload)
        submission = Sealed(payload, headers)
    else:
        raise Refused(
            415,
            "unsupported-media-type",
            f"'{kind[:100]}' is no CloudEvent: send {CONTENT_TYPE}, {BATCH_TYPE}, or ce- headers and application/json",
            headers={"Accept-Post": f"{CONTENT_TYPE}, {BATCH_TYPE}"},
        )
    limits.spend(party, 1)
    (receipt,) = await door.hand_in(party, [submission])
    return _answer(receipt, _id_of(submission))


async def _take_batch(request: Request, party: str, door: HandingIn, limits: Limits) -> Response:
    events = read_json(await read_body(request, MAX_BATCH_BYTES))
    if not isinstance(events, list):
        raise Refused(400, "unreadable", "a batch is a JSON array of CloudEvents")
    if len(events) > MAX_BATCH:
        raise Refused(413, "length", f"the batch has {len(events)} events; at most {MAX_BATCH} are taken at a time")
    limits.spend(party, len(events))
    submissions = [sealed(event) if isinstance(event, dict) else Sealed(_not_an_event(event), {}) for event in events]
    small = [each for each in submissions if len(each.payload) <= MAX_BYTES]
    came = iter(await door.hand_in(party, small))
    receipts = [
        next(came) if len(each.payload) <= MAX_BYTES else too_large(each.id, party, len(each.payload), MAX_BYTES)
        for each in submissions
    ]
    rows = [
        as_json(receipt) if receipt is not None else _pending(each.id, party)
        for each, receipt in zip(submissions, receipts, strict=True)
    ]
    waiting = any(row["outcome"] in ("held", "pending") for row in rows)
    headers = {"Location": "/receipts"} if waiting else {}
    return _json({"receipts": rows}, 202 if waiting else 200, headers)


def _not_an_event(value: Any) -> bytes:
    """The intake says what is wrong with it, and keeps it."""
    return orjson.dumps(value)


def _attributes(request: Request) -> dict[str, str]:
    """The ``ce-`` headers that the chain reads, as they came. Raises Refused."""
    headers = {"Content-Type": "application/json"}
    for attribute in ATTRIBUTES:
        value = request.headers.get(f"ce-{attribute}")
        if value is None:
            continue
        if not value.isascii() or not value.isprintable() or len(value) > _LONGEST_HEADER:
            raise Refused(
                400, "bad-header", f"ce-{attribute} must be at most {_LONGEST_HEADER} ASCII characters: percent-encode"
            )
        headers[f"ce-{attribute}"] = value
    return headers


def _id_of(submission: Sealed) -> str | None:
    if "ce-id" in submission.headers:
        return submission.headers["ce-id"]
    document = orjson.loads(submission.payload)
    id = document.get("id") if isinstance(document, dict) else None
    return id if isinstance(id, str) and id else None


def _answer(receipt: Receipt | None, id: str | None) -> Response:
    """The receipt of one event: its outcome is the status, too."""
    where = {"Location": f"/receipts?id={quote(id, safe='')}"} if id else {"Location": "/receipts"}
    if receipt is None:
        return _json(_pending(id, None), 202, where)
    if receipt.outcome == "rejected":
        status = STATUSES.get(receipt.kind, OTHERWISE)
        return problem({**(receipt.problem or {}), "status": status, "outcome": "rejected"}, status)
    held = receipt.outcome == "held"
    return _json(as_json(receipt), 202 if held else 200, where if held else {})


def _pending(id: str | None, party: str | None) -> dict[str, Any]:
    """In the place of a receipt that takes longer: it is safe, and will be taken in."""
    return {"id": id, "outcome": "pending"} | ({"source": party} if party else {})


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
