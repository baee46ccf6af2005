"""Claims on messages that are on their way out, in the SENDING bucket: who dies in the middle leaves a trace.

A claim says ``sending`` from before the attempt, then ``released`` (it certainly did not leave) or ``sent``. One that
still says ``sending`` when its message comes up again belongs to an attempt that died: nobody knows how far it got.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import orjson
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

State = Literal["sending", "released", "sent"]

_SENDING: Final = "sending"


class Bucket(Protocol):
    """The part of a key-value bucket that claims need (nats.js.kv.KeyValue has it)."""

    async def create(self, key: str, value: bytes) -> int: ...
    async def update(self, key: str, value: bytes, last: int) -> int: ...
    async def get(self, key: str) -> Entry: ...


class Entry(Protocol):
    """A value in a bucket and its revision."""

    @property
    def value(self) -> bytes | None: ...
    @property
    def revision(self) -> int | None: ...


@dataclass(frozen=True)
class Claim:
    """``mine``: the attempt may begin. Otherwise ``state`` says what an earlier attempt left behind."""

    message: str
    state: State
    attempt: int
    revision: int
    mine: bool


class Claims:
    """Takes and settles claims. Raises nats errors if the server does not confirm."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def take(self, message: str) -> Claim:
        """Claim ``message`` for one attempt, or see what is left of an earlier one."""
        try:
            revision = await self._bucket.create(message, _value(_SENDING, 1))
            return Claim(message, "sending", 1, revision, mine=True)
        except KeyWrongLastSequenceError:
            found = await self._find(message)
        if found.state != "released":
            return found
        attempt = found.attempt + 1
        try:
            revision = await self._bucket.update(message, _value(_SENDING, attempt), last=found.revision)
        except KeyWrongLastSequenceError:  # somebody else was quicker
            return await self._find(message)
        return Claim(message, "sending", attempt, revision, mine=True)

    async def settle(self, claim: Claim, state: Literal["released", "sent"]) -> None:
        """Say how the attempt ended. A claim that was settled otherwise in the meantime stays as it is."""
        try:
            await self._bucket.update(claim.message, _value(state, claim.attempt), last=claim.revision)
        except KeyWrongLastSequenceError:
            return

    async def _find(self, message: str) -> Claim:
        try:
            entry = await self._bucket.get(message)
        except KeyNotFoundError:  # expired between two looks: long past any retry
            return Claim(message, "sending", 1, 0, mine=False)
        stored = orjson.loads(entry.value or b"{}")
        return Claim(
            message, stored.get("state", _SENDING), int(stored.get("attempt", 1)), entry.revision or 0, mine=False
        )


def _value(state: str, attempt: int) -> bytes:
    return orjson.dumps({"state": state, "attempt": attempt})
