"""Looking after rejected submissions: list and count them, show one, hand one or many in again, discard them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from events import names
from events.party import role_of
from events.subjects import receipts_subject
from services.intake.held import resubmit
from services.intake.problems import HELD, is_held, kind_of
from services.intake.rejecting import Rejected, from_message

#: How long the next of what is kept may take to come (seconds).
_PATIENCE: Final = 5.0

#: So many are handed in again before their receipts are waited for.
_IN_FLIGHT: Final = 256


class NoSuchRejectionError(LookupError):
    """There is no rejected submission with that number; it may have been retried already."""


async def count_apart(js: JetStreamContext) -> dict[str, int]:
    """How many of them are ``held`` for their orders, and how many are ``rejected``: those wait for somebody."""
    counts = {"held": 0, "rejected": 0}
    async for each in every_rejected(js, bodies=False):
        counts[outcome_of(each)] += 1
    return counts


@dataclass(frozen=True)
class Which:
    """Which of the kept submissions are meant: those of one party, those for one reason, both, or all."""

    party: str | None = None
    reason: str | None = None

    def takes(self, rejected: Rejected) -> bool:
        """Whether that one is among them."""
        return self.party in (None, rejected.party) and self.reason in (None, reason_of(rejected))


#: All of them.
EVERY: Final = Which()


def reason_of(rejected: Rejected) -> str:
    """Why it is kept, in a word: ``invalid``, ``unknown-version``.

    ``unknown-order`` and ``unknown-number`` are what is held for its order.
    """
    return kind_of(rejected.problem.type)


def outcome_of(rejected: Rejected) -> Literal["held", "rejected"]:
    """What its receipt says: only what is rejected needs a hand."""
    return "held" if is_held(rejected.problem) else "rejected"


async def every_rejected(
    js: JetStreamContext,
    which: Which = EVERY,
    *,
    bodies: bool = True,
) -> AsyncIterator[Rejected]:
    """All that are meant and kept by now, oldest first, as fast as the server sends them.

    Without ``bodies`` their payloads are empty. What is kept while they are read is not among them.
    """
    state = (await js.stream_info(names.REJECTED)).state
    if not state.messages:
        return
    subscription = await js.subscribe(
        f"{names.REJECTED_ROOT}.>", stream=names.REJECTED, ordered_consumer=True, headers_only=not bodies
    )
    try:
        while True:
            try:
                message = await subscription.next_msg(timeout=_PATIENCE)
            except nats.errors.TimeoutError:  # whatever was left has been removed meanwhile
                return
            about = message.metadata
            if about.sequence.stream > state.last_seq:
                return
            raw = RawStreamMsg(
                subject=message.subject,
                seq=about.sequence.stream,
                data=message.data,
                headers=message.headers,
                time=about.timestamp,
            )
            rejected = from_message(raw)
            if which.takes(rejected):
                yield rejected
            if about.num_pending == 0:
                return
    finally:
        await subscription.unsubscribe()


async def count_rejected(js: JetStreamContext, which: Which = EVERY) -> int:
    """How many that are meant are kept in REJECTED at present, those that are held among them."""
    if which == EVERY:
        return (await js.stream_info(names.REJECTED)).state.messages
    return sum([1 async for _ in every_rejected(js, which, bodies=False)])


async def summarize_rejected(js: JetStreamContext, which: Which = EVERY) -> list[dict[str, Any]]:
    """How many that are meant are kept of each party for each reason, and since when, the most first.

    ``held_until`` is the first time at which one of those that are held is rejected.
    """
    counts: Counter[tuple[str, str]] = Counter()
    about: dict[tuple[str, str], tuple[str, datetime | None]] = {}
    until: dict[tuple[str, str], datetime] = {}
    async for each in every_rejected(js, which, bodies=False):
        key = each.party, reason_of(each)
        counts[key] += 1
        about.setdefault(key, (each.problem.title, each.kept_at))
        if each.problem.held_until is not None:
            until[key] = min(each.problem.held_until, until.get(key, each.problem.held_until))
    return [
        {
            "party": party,
            "outcome": "held" if reason in HELD else "rejected",
            "reason": reason,
            "title": about[party, reason][0],
            "count": count,
            "oldest": _iso(about[party, reason][1]),
            "held_until": _iso(until.get((party, reason))),
        }
        for (party, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


async def list_rejected(js: JetStreamContext, which: Which = EVERY, *, limit: int = 100) -> AsyncIterator[Rejected]:
    """The kept submissions that are meant, oldest first."""
    if which != EVERY:  # few of many, maybe: looked for as fast as the server sends them
        numbers = [each.number async for each in every_rejected(js, which, bodies=False)]
        for number in numbers[:limit]:
            with contextlib.suppress(NoSuchRejectionError):  # somebody has taken it meanwhile
                yield await get_rejected(js, number)
        return
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


async def discard_rejected(js: JetStreamContext, number: int) -> Rejected:
    """Remove a kept submission for good, and return what it was. Raises NoSuchRejectionError."""
    rejected = await get_rejected(js, number)
    await js.delete_msg(names.REJECTED, number)
    return rejected


async def discard_all(js: JetStreamContext, which: Which) -> int:
    """Remove for good all that are meant, and return how many they were."""
    numbers = [each.number async for each in every_rejected(js, which, bodies=False)]
    gone = 0
    for number in numbers:
        with contextlib.suppress(NotFoundError):  # somebody else was quicker
            gone += await js.delete_msg(names.REJECTED, number)
    return gone


async def retry_all(connection: Client, which: Which, *, timeout: float = 30.0) -> dict[str, int]:
    """Hand in again all that are meant, and count what became of them, by outcome; ``retried`` is how many they were.

    What is held for its order comes in by itself, and is left alone unless it is asked for by its reason. What got no
    receipt within ``timeout`` seconds of the last one is counted as ``unanswered``: it is safe in the intake stream.
    """
    js = connection.jetstream()
    outcomes: Counter[str] = Counter()
    waiting: set[tuple[str, int]] = set()
    early: dict[tuple[str, int], str] = {}
    moved = asyncio.Event()

    async def hear(message: Msg) -> None:
        role = message.subject.split(".")[1]
        for receipt in orjson.loads(message.data)["receipts"]:
            key = role, int(receipt["sequence"])
            if key in waiting:
                waiting.discard(key)
                outcomes[receipt["outcome"]] += 1
            else:  # the receipt may be here before the acknowledgement that says which one it is
                early[key] = receipt["outcome"]
        moved.set()

    async def until(most: int) -> bool:
        while len(waiting) > most:
            moved.clear()
            try:
                await asyncio.wait_for(moved.wait(), timeout)
            except TimeoutError:
                return False
        return True

    subscription = await connection.subscribe(f"{names.RECEIPTS_ROOT}.>", cb=hear)
    try:
        async for each in every_rejected(js, which):
            if is_held(each.problem) and which.reason is None:
                continue
            outcomes["retried"] += 1
            key = role_of(each.party), await resubmit(js, each)
            if key in early:
                outcomes[early[key]] += 1
            else:
                waiting.add(key)
            early.clear()
            if not await until(_IN_FLIGHT):
                break
        await until(0)
    finally:
        await subscription.unsubscribe()
    return dict(outcomes) | ({"unanswered": len(waiting)} if waiting else {})


async def retry_rejected(connection: Client, number: int, *, timeout: float = 30.0) -> dict[str, Any]:
    """Hand a kept submission in again and wait for its receipt, which is returned.

    Raises NoSuchRejectionError, or TimeoutError if no receipt comes: the submission is then safe in the intake stream.
    """
    js = connection.jetstream()
    rejected = await get_rejected(js, number)
    subscription = await connection.subscribe(receipts_subject(rejected.party))
    try:
        sequence = await resubmit(js, rejected)
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
        "outcome": outcome_of(rejected),
        "reason": reason_of(rejected),
        "kept_at": _iso(rejected.kept_at),
        "held_until": _iso(rejected.problem.held_until),
        "problem": rejected.problem.model_dump(mode="json", exclude_none=True, exclude={"held_until"}),
        "headers": rejected.headers,
        "submission": body,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
