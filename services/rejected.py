"""Looking after rejected submissions: list them, show one, hand one in again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from events import names
from events.subjects import receipts_subject
from services.intake.held import resubmit
from services.intake.problems import is_held
from services.intake.rejecting import Rejected, from_message


class NoSuchRejectionError(LookupError):
    """There is no rejected submission with that number; it may have been retried already."""


async def count_rejected(js: JetStreamContext) -> int:
    """How many submissions are kept in REJECTED at present."""
    return (await js.stream_info(names.REJECTED)).state.messages


async def list_rejected(js: JetStreamContext, *, limit: int = 100) -> AsyncIterator[Rejected]:
    """The kept submissions, oldest first."""
    after = 0
    for _ in range(limit):
        try:
            message = await js.get_msg(names.REJECTED, seq=after + 1, subject=f"{names.REJECTED_ROOT}.>", next=True)
        except NotFoundError:
            return
        after = message.seq or after + 1
        yield from_message(message)


async def get_rejected(js: JetStreamContext, number: int) -> Rejected:
    """One kept submission. Raises NoSuchRejectionError."""
    try:
        return from_message(await js.get_msg(names.REJECTED, seq=number))
    except NotFoundError:
        raise NoSuchRejectionError(
            f"there is no rejected submission {number}: see 'repairchain rejected list'"
        ) from None


async def drop_rejected(js: JetStreamContext, number: int) -> Rejected:
    """Remove a kept submission for good, and return what it was. Raises NoSuchRejectionError."""
    rejected = await get_rejected(js, number)
    await js.delete_msg(names.REJECTED, number)
    return rejected


async def retry_rejected(connection: Client, number: int, *, timeout: float = 30.0) -> dict[str, Any]:
    """Hand a kept submission in again and wait for its receipt, which is returned.

    Raises NoSuchRejectionError, or TimeoutError if no receipt comes: the submission is then safe in the intake stream.
    """
    js = connection.jetstream()
    rejected = await get_rejected(js, number)
    subscription = await connection.subscribe(receipts_subject(rejected.party))
    try:
        sequence = await resubmit(js, await js.get_msg(names.REJECTED, seq=number))
        while True:
            try:
                message = await subscription.next_msg(timeout=timeout)
            except nats.errors.TimeoutError:
                raise TimeoutError("no receipt came: does the role's service run?") from None
            for receipt in orjson.loads(message.data)["receipts"]:
                if receipt["sequence"] == sequence:
                    return dict(receipt)
    finally:
        await subscription.unsubscribe()


def as_json(rejected: Rejected) -> dict[str, Any]:
    """For people and programs: number, party, problem, and the body as JSON where it is JSON."""
    try:
        body: Any = json.loads(rejected.payload)
    except ValueError:
        body = rejected.payload.decode("utf-8", "backslashreplace")
    return {
        "number": rejected.number,
        "party": rejected.party,
        "outcome": "held" if is_held(rejected.problem) else "rejected",
        "kept_at": None if rejected.kept_at is None else rejected.kept_at.astimezone(UTC).isoformat(),
        "problem": rejected.problem.model_dump(exclude_none=True),
        "headers": rejected.headers,
        "submission": body,
    }
