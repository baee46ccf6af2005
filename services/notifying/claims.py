"""Claims on messages that are on their way out, in the SENDING bucket: who dies in the middle leaves a trace.

A claim says ``calling`` from right before the channel is called, then ``released`` (it certainly did not leave) or
``parked`` (nobody knows); that it was sent, the log says. Taking one is a compare-and-set: of two notifiers one calls,
and one that was frozen finds out before it calls. One that says ``calling`` and has not been renewed for as long as a
lease belongs to an attempt that died: nobody knows how far it got. How long that is, whoever looks measures on its own
clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal, Protocol

import orjson
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from services.contact import Channel

State = Literal["free", "calling", "released", "parked"]

#: Whoever calls a channel renews its claim three times in so many seconds.
LEASE: Final = 20.0


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
    """How far the sending of ``message`` has come.

    ``attempt`` counts all calls, ``route`` is the place of the channel among hers, ``tries`` counts the calls of that
    one, ``after`` is why the last one failed. A message that goes in the ``letter`` of another shares its fate;
    ``others`` are those that go in this one's. ``ways`` tells her channels, as they were at the last call, from others;
    before ``until`` none of them is called again. ``abandoned``: whoever called has not been heard of for a lease.
    """

    message: str
    state: State = "free"
    attempt: int = 0
    route: int = 0
    tries: int = 0
    after: str | None = None
    letter: str | None = None
    others: tuple[str, ...] = ()
    ways: str | None = None
    until: datetime | None = None
    revision: int = 0
    abandoned: bool = False


class Claims:
    """Looks at, takes and settles claims. Raises nats errors if the server does not confirm."""

    def __init__(self, bucket: Bucket, lease: float = LEASE, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}
        self.lease = lease

    async def look(self, message: str) -> Claim:
        """How it stands with ``message``."""
        try:
            entry = await self._bucket.get(message)
        except KeyNotFoundError:
            return Claim(message)
        claim = _read(message, entry.value or b"{}", entry.revision or 0)
        if claim.state != "calling" or claim.letter is not None:  # who goes along has no call of its own
            self._seen.pop(message, None)
            return claim
        now = self._monotonic()
        revision, since = self._seen.get(message, (0, now))
        if revision != claim.revision:
            since = now
        self._seen[message] = (claim.revision, since)
        return replace(claim, abandoned=now - since >= self.lease)

    async def take(self, claim: Claim) -> Claim | None:
        """Have ``claim`` say ``calling``; None if somebody else was quicker. From here on the channel may be called."""
        return await self._write(replace(claim, state="calling", abandoned=False))

    async def renew(self, claim: Claim) -> Claim | None:
        """Say that the call goes on; None if somebody has taken it for abandoned."""
        return await self._write(claim)

    async def settle(self, claim: Claim, state: Literal["released", "parked"], **changes: Any) -> Claim | None:
        """Say how the attempt ended; None if somebody has taken it over meanwhile: then their word stands."""
        return await self._write(replace(claim, state=state, **changes))

    async def _write(self, claim: Claim) -> Claim | None:
        value = _value(claim)
        try:
            if claim.revision == 0:
                revision = await self._bucket.create(claim.message, value)
            else:
                revision = await self._bucket.update(claim.message, value, last=claim.revision)
        except KeyWrongLastSequenceError:
            return None
        self._seen.pop(claim.message, None)
        return replace(claim, revision=revision)


_FIELDS: Final = ("state", "attempt", "route", "tries", "after", "letter", "others", "ways", "until")


def _value(claim: Claim) -> bytes:
    return orjson.dumps({name: value for name in _FIELDS if (value := getattr(claim, name)) not in (None, (), 0)})


def _read(message: str, value: bytes, revision: int) -> Claim:
    stored = orjson.loads(value)
    if stored.get("state") in ("sending", "sent"):  # as an earlier version called it
        stored["state"] = "calling"
    known = {name: stored[name] for name in _FIELDS if name in stored}
    known["others"] = tuple(known.get("others", ()))
    if "until" in known:
        known["until"] = datetime.fromisoformat(known["until"])
    return Claim(message, revision=revision, **known)


def ways_of(routes: Sequence[Channel], message: str) -> str:
    """By what these channels are told from others: too short to tell whose they are."""
    text = "\0".join(f"{channel.kind} {channel.address}" for channel in routes)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4, key=message.encode()[:64]).hexdigest()
