"""POST /carriers/{name}: what carriers say of parcels, by way of a service that signs it. Nobody shows a key here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from events.clock import Clock
from services.carriers import aftership, easypost
from services.carriers.checkpoint import Checkpoint
from services.carriers.secrets import read_secrets
from services.carriers.taking_in import TakingIn
from services.http.bodies import read_body
from services.http.limits import Limits
from services.http.problems import Refused

#: A webhook tells the whole story of one parcel.
MAX_BYTES: Final = 1024 * 1024
#: So many of one service are read at a time: whoever sends them is not known before the last byte, and has no login.
AT_A_TIME: Final = 32
#: So many scans of one parcel are read, the latest.
MAX_SCANS: Final = 500

_log = structlog.get_logger("carriers")


@dataclass(frozen=True)
class _Service:
    is_signed: Callable[[Mapping[str, str], bytes, Sequence[str]], bool]
    checkpoints: Callable[[Any, datetime], Iterator[Checkpoint]]


_SERVICES: Final = {
    aftership.NAME: _Service(aftership.is_signed, aftership.checkpoints),
    easypost.NAME: _Service(easypost.is_signed, easypost.checkpoints),
}


async def take_webhook(
    request: Request, name: str, home: Path, taking_in: TakingIn, limits: Limits, clock: Clock
) -> Response:
    """Keep the scans that the request tells of, and say how many there were.

    Whatever is signed is answered with 202: a service that hears anything else says the same again and again, and in
    the end nothing any more. Raises Refused: 404 without a secret, 401 for a signature that does not fit,
    429 while too many are under way.
    """
    service = _SERVICES.get(name)
    secrets = read_secrets(home, name) if service is not None else ()
    if service is None or not secrets:
        raise Refused(404, "not-found", "see /openapi.json for what there is")
    with limits.under_way(f"carriers:{name}", AT_A_TIME, "webhooks of one service"):
        body = await read_body(request, MAX_BYTES)
    if not service.is_signed(request.headers, body, secrets):
        raise Refused(401, "unsigned", "the signature is missing, or made with another secret")
    limits.spend(f"carriers:{name}", 1)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    now = clock.now()
    scans = sorted(service.checkpoints(document, now), key=lambda each: each.at)[-MAX_SCANS:]
    if scans:
        await taking_in.take(scans)
    else:
        _log.info("a webhook told of no scan", service=name)
    return Response(orjson.dumps({"scans": len(scans)}), 202, media_type="application/json")
