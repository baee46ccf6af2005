"""Reading what a request carries: bounded in size and time, and of a kind that we read."""

from __future__ import annotations

import asyncio
from email.message import Message
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect, Request

from services.http.problems import Refused

#: A body comes within this long (seconds).
_PATIENCE: Final = 30.0


def media_type(request: Request) -> str:
    """The type of the body, lower case, without parameters. Raises Refused for another charset or a coding."""
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    charset = header.get_content_charset("utf-8")
    if charset not in ("utf-8", "us-ascii"):
        raise Refused(415, "unsupported-media-type", f"the charset is '{charset[:40]}'; JSON is read in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "unsupported-media-type", "compressed bodies are not read: send it as it is")
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def read_body(request: Request, most: int) -> bytes:
    """The whole body. Raises Refused beyond ``most`` bytes (413), or if it does not come to its end (408)."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Refused(408, "timeout", f"the body did not come within {_PATIENCE:g} s") from None
    except ClientDisconnect:
        raise Refused(400, "unreadable", "the body broke off") from None
    return bytes(body)


def read_json(body: bytes) -> Any:
    """The body as JSON. Raises Refused."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "unreadable", f"the body is not JSON in UTF-8: {error}") from None


def _too_large(most: int) -> Refused:
    # What is left of the body is not read; the connection is closed after the answer.
    return Refused(413, "length", f"at most {most} bytes are taken", headers={"Connection": "close"})
