"""Atomic batches: messages for one stream that the server stores all or not at all, with one wait for the disk.

nats-py has no helper for them. The stream must have ``allow_atomic``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nats.js import JetStreamContext
from nats.js.errors import APIError
from nats.nuid import NUID

from events.connection import connection_of
from events.outgoing import frame, write

#: The server takes at most so many messages in one batch.
MAX_BATCH: Final = 1_000

#: What is staged for one batch at the server (bytes).
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024

_ERR_BATCH_HOLDS_DUPLICATE: Final = 10201

#: Subject, payload, headers.
BatchMessage = tuple[str, bytes, Mapping[str, str]]


async def publish_atomic_batch(
    js: JetStreamContext, messages: Sequence[BatchMessage], timeout: float, handed_in: asyncio.Event | None = None
) -> int | None:
    """The sequence of the last of ``messages``, two at least; or None if one of them is there already.

    Then none of them is stored. ``handed_in`` is set when all is sent, and only the answer is awaited. Raises APIError
    if the server refuses them for another reason, nats errors if it does not confirm within ``timeout`` seconds.
    """
    connection = connection_of(js)
    batch = NUID().next().decode()
    *before, (subject, payload, given) = messages
    lines = f"Nats-Batch-Id: {batch}\r\nNats-Batch-Sequence: "
    await write(
        connection,
        (
            frame(subject, payload, headers, f"{lines}{number}\r\n")
            for number, (subject, payload, headers) in enumerate(before, start=1)
        ),
    )
    last = {**given, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(messages)), "Nats-Batch-Commit": "1"}
    if handed_in is not None:
        handed_in.set()
    reply = await connection.request(subject, payload, timeout=timeout, headers=last)
    answer: dict[str, Any] = json.loads(reply.data)
    error = answer.get("error")
    if error is None:
        return int(answer["seq"])
    if error.get("err_code") == _ERR_BATCH_HOLDS_DUPLICATE:
        return None
    raise APIError.from_error(error)
