"""Rejected submissions as REJECTED keeps them: the body as it came, the reason and the original headers beside it."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from events import names
from events.atomic_batch import MAX_BATCH, MAX_BATCH_BYTES, BatchMessage, publish_atomic_batch
from events.subjects import party_of_subject, untoken
from services.intake.problems import Problem
from services.intake.reading import ATTRIBUTES

_PROBLEM: Final = "Repairchain-Problem"
_ORIGINAL: Final = "Repairchain-Original-Headers"
_INTAKE: Final = "Repairchain-Intake-Sequence"
_MAX_KEPT_HEADERS: Final = 16 * 1024
#: Of those of which some are there already, each is put there by itself: so many are on their way at a time.
_AT_ONCE: Final = 32
_NEEDED: Final = frozenset({"content-type", *(f"ce-{attribute}" for attribute in ATTRIBUTES)})
#: Of a header, as HTTP has it.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _pack(value: Any) -> str:
    # Header values must be one line of ASCII, and the server trims them.
    try:
        packed = orjson.dumps(value)
    except TypeError:  # a half of a surrogate pair, which a sender may write
        packed = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.b64encode(packed).decode()


def _unpack(text: str) -> Any:
    return json.loads(base64.b64decode(text).decode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Rejected:
    """One kept submission; ``number`` is its sequence in REJECTED."""

    number: int
    party: str
    problem: Problem
    headers: dict[str, str]
    payload: bytes
    kept_at: datetime | None = None


def to_headers(told: Mapping[str, Any], original: Mapping[str, str] | None, intake_sequence: int) -> dict[str, str]:
    """The headers under which a rejected body is kept, with the problem as it is told."""
    kept = sendable({key: value for key, value in (original or {}).items() if not key.lower().startswith("nats-")})
    packed = _pack(kept)
    if len(packed) > _MAX_KEPT_HEADERS:  # the server takes 64 KiB for all; what CloudEvents needs is small
        packed = _pack({key: value for key, value in kept.items() if key.lower() in _NEEDED and len(value) < 1_000})
    return {
        _PROBLEM: _pack(told),
        _ORIGINAL: packed,
        _INTAKE: str(intake_sequence),
    }


def sendable(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that can be sent once more: the server takes names that its clients do not."""
    return {key: value for key, value in headers.items() if _NAME.fullmatch(key) and value.isprintable()}


def from_message(message: RawStreamMsg) -> Rejected:
    """Read a message of REJECTED back. Raises KeyError or ValueError if it is not one of ours."""
    headers = message.headers or {}
    return Rejected(
        number=message.seq or 0,
        party=party_of_subject(message.subject or ""),
        problem=Problem.model_validate(_unpack(headers[_PROBLEM])),
        headers=_unpack(headers[_ORIGINAL]),
        payload=message.data or b"",
        kept_at=message.time,
    )


async def keep_together(js: JetStreamContext, rejected: Sequence[BatchMessage], timeout: float) -> None:
    """Put these into REJECTED, many with one wait for the disk; one that is there already is left as it is.

    Raises nats errors if the server does not confirm; keeping the same again is harmless.
    """
    for part in _parts(rejected):
        if len(part) > 1 and await publish_atomic_batch(js, part, timeout) is not None:
            continue
        for some in (part[at : at + _AT_ONCE] for at in range(0, len(part), _AT_ONCE)):  # which are there, who knows
            await asyncio.gather(*(_keep(js, each, timeout) for each in some))


async def _keep(js: JetStreamContext, rejected: BatchMessage, timeout: float) -> None:
    subject, payload, headers = rejected
    await js.publish(subject, payload, headers=dict(headers), stream=names.REJECTED, timeout=timeout)


def _parts(rejected: Sequence[BatchMessage]) -> Iterator[list[BatchMessage]]:
    """In batches that the server takes: neither too many nor too much at once."""
    part: list[BatchMessage] = []
    size = 0
    for each in rejected:
        _, payload, headers = each
        bytes_of = len(payload) + sum(map(len, headers.values()))
        if part and (len(part) == MAX_BATCH or size + bytes_of > MAX_BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(each)
        size += bytes_of
    if part:
        yield part


async def held_names(js: JetStreamContext, role: str) -> set[str]:
    """What the submissions of that role's partners that are held name their orders.

    Among them may be what an earlier version kept for another reason: that costs a look in vain, no more.

    The server tells of 100,000 subjects at a time, and nats-py asks for no more.
    """
    found: set[str] = set()
    while True:
        asked = {"subjects_filter": f"{names.REJECTED_ROOT}.{role}.*.*", "offset": len(found)}
        info = await js._api_request(f"{js._prefix}.STREAM.INFO.{names.REJECTED}", json.dumps(asked).encode())
        subjects = info["state"].get("subjects") or {}
        found.update(subjects)
        if not subjects or len(found) >= info.get("total", 0):
            return {untoken(subject.split(".")[3]) for subject in found}
