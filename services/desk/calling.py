"""Asking the desk from another process."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client

from events import names
from services.answering import ENCODING
from services.desk.problems import DeskError


class DeskAwayError(RuntimeError):
    """Nobody serves the desk, or it could not do it now; asking again later may help."""


async def call_desk(connection: Client, verb: str, args: Mapping[str, Any], *, timeout: float = 30.0) -> dict[str, Any]:
    """The result of ``verb``. Raises DeskAwayError, or DeskError with the sentence to show."""
    body = orjson.dumps({name: value for name, value in args.items() if value is not None or verb == "set"})
    try:
        reply = await connection.request(f"{names.DESK_ROOT}.{verb}", body, timeout=timeout)
    except nats.errors.NoRespondersError:
        raise DeskAwayError("the desk does not answer: does the notifier run?") from None
    except (nats.errors.TimeoutError, TimeoutError):
        raise DeskAwayError(f"the desk did not answer within {timeout:g} s") from None
    packed = (reply.headers or {}).get(ENCODING) == "gzip"
    answer: dict[str, Any] = orjson.loads(gzip.decompress(reply.data) if packed else reply.data)
    error = answer.get("error")
    if error is not None:
        raise (DeskAwayError if error.get("again") else DeskError)(str(error.get("detail") or error.get("title")))
    result: dict[str, Any] = answer["result"]
    return result
