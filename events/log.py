"""The log: append one fact or a batch, and how far it reaches; what is in it is read by tail.py.

A position is the sequence of a fact in the stream REPAIRS: it starts at 1 and never changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from events import names
from events.atomic_batch import MAX_BATCH, MAX_BATCH_BYTES, publish_atomic_batch
from events.envelope import CONTENT_TYPE, Event
from events.subjects import log_subject, order_filter

_ERR_WRONG_LAST_SEQUENCE: Final = 10071
_APPEND_TIMEOUT: Final = 10.0

_MSG_ID: Final = Header.MSG_ID.value  # to look it up there takes as long as to make all headers


class NotFirstError(RuntimeError):
    """A fact was to be the first of its name for its order (or the next after a known one); another is there."""


class Appended(NamedTuple):
    """Where a fact is; ``duplicate`` if it had been there already."""

    position: int
    duplicate: bool


@lru_cache(maxsize=4_096)  # on its way into the log a fact is looked up, appended and noted under its key
def fact_key(source: str, id: str) -> bytes:
    """Sixteen bytes that stand for (source, id). They hold the source: ids of two parties never meet."""
    return blake2b(f"{source}\0{id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def message_id(source: str, id: str) -> str:
    """The key by which JetStream deduplicates an append."""
    return fact_key(source, id).hex()


def _headers(event: Event, *, after: int | None = None) -> dict[str, str]:
    headers = {_MSG_ID: message_id(event.source, event.id), "Content-Type": CONTENT_TYPE}
    if after is not None:
        headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(after)
    return headers


async def append(
    js: JetStreamContext,
    event: Event,
    *,
    first: bool = False,
    after: int | None = None,
    timeout: float = _APPEND_TIMEOUT,
) -> Appended:
    """Append one fact. Raises nats errors if the server does not confirm it; appending it again is harmless.

    With ``first`` only if no fact of its name is there yet for its order, with ``after`` only if the last one of its
    name is at that position (0: there is none): raises NotFirstError otherwise.
    """
    try:
        ack = await js.publish(
            log_subject(event.subject, event.name),
            event.to_json(),
            stream=names.REPAIRS,
            headers=_headers(event, after=0 if first else after),
            timeout=timeout,
        )
    except APIError as error:
        if error.err_code == _ERR_WRONG_LAST_SEQUENCE:
            raise NotFirstError(str(error.description)) from None
        raise
    return Appended(position=ack.seq, duplicate=bool(ack.duplicate))


async def append_batch(
    js: JetStreamContext,
    events: Sequence[Event],
    *,
    first_of_subject: Container[int] = (),
    timeout: float = _APPEND_TIMEOUT,
    handed_in: asyncio.Event | None = None,
) -> list[Appended]:
    """Append facts in their order, each batch of up to 1,000 all or nothing; returns one place per fact.

    A batch that holds a fact which the server still remembers is refused as a whole; then its members are appended one
    by one, where each duplicate is told apart. The facts whose numbers (counted from 0) are in ``first_of_subject`` are
    appended only if none of their name is there yet for their order: raises NotFirstError otherwise. ``handed_in`` is
    set when a batch has been sent, and only the answer is awaited. Raises nats errors if the server does not confirm;
    appending the same facts again is harmless.
    """
    places: list[Appended] = []
    for chunk in _chunks(events):
        firsts = {
            number - len(places)
            for number in range(len(places), len(places) + len(chunk))
            if number in first_of_subject
        }
        if len(chunk) == 1:
            places.append(await append(js, chunk[0][0], first=bool(firsts), timeout=timeout))
            continue
        last = await _publish_atomically(js, chunk, firsts, timeout, handed_in)
        if last is None:
            places += [
                await append(js, event, first=number in firsts, timeout=timeout)
                for number, (event, _) in enumerate(chunk)
            ]
        else:
            first = last - len(chunk) + 1
            places += [Appended(position, False) for position in range(first, last + 1)]
    return places


def _chunks(events: Sequence[Event]) -> Iterator[list[tuple[Event, bytes]]]:
    """The events with their payloads, in batches that the server takes: neither too many nor too much at once."""
    chunk: list[tuple[Event, bytes]] = []
    size = 0
    for event in events:
        payload = event.to_json()
        if chunk and (len(chunk) == MAX_BATCH or size + len(payload) > MAX_BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((event, payload))
        size += len(payload)
    if chunk:
        yield chunk


async def _publish_atomically(
    js: JetStreamContext,
    chunk: Sequence[tuple[Event, bytes]],
    firsts: Container[int],
    timeout: float,
    handed_in: asyncio.Event | None,
) -> int | None:
    """The position of the last fact, or None if the batch was refused because of a duplicate."""
    messages = [
        (log_subject(event.subject, event.name), payload, _headers(event, after=0 if number in firsts else None))
        for number, (event, payload) in enumerate(chunk)
    ]
    try:
        return await publish_atomic_batch(js, messages, timeout, handed_in)
    except APIError as error:
        if error.err_code == _ERR_WRONG_LAST_SEQUENCE:
            raise NotFirstError(str(error.description)) from None
        raise


async def last_position(js: JetStreamContext) -> int:
    """The position of the newest fact; 0 for an empty log."""
    info = await js.stream_info(names.REPAIRS)
    return info.state.last_seq


async def last_position_of(js: JetStreamContext, order: str) -> int:
    """The position of the newest fact about ``order``; 0 if there is none."""
    try:
        message = await js.get_last_msg(names.REPAIRS, order_filter(order))
    except NotFoundError:
        return 0
    return message.seq or 0


def position_of(message: Msg) -> int:
    """The stream sequence in a delivered message's reply subject, which has it third from the end but two."""
    return int(message.reply.split(".")[-4])


def number_of_delivery(message: Msg) -> int:
    """How many deliveries its consumer had made with this one, which the reply subject has behind the position."""
    return int(message.reply.split(".")[-3])
