"""Who is being forgotten, in the SENDING bucket: whoever is killed amid it leaves word, and whoever starts carries on.

There is no more there than her number, which leads to nobody, and that until her letters were looked through twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from events import names
from events.subjects import untoken
from services.desk.record import Customer

_ERR_WRONG_LAST_SEQUENCE: Final = 10071

_STREAM: Final = f"KV_{names.SENDING}"
_KEYS: Final = "forgetting"
_ROOT: Final = f"$KV.{names.SENDING}.{_KEYS}."


@dataclass(frozen=True)
class Begun:
    """That somebody began to forget a customer; ``revision`` tells it from when that is done again."""

    key: str
    revision: int


class Unfinished:
    """Notes, finds and crosses out. Raises nats errors if the server does not confirm."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def open(self) -> None:
        """Find the bucket. Raises nats errors if it is not there."""
        self._bucket = await self._js.key_value(names.SENDING)

    async def begin(self, customer: Customer) -> Begun:
        """Note that she is being forgotten, before anything of hers is gone."""
        key = f"{_KEYS}.{customer.key}"
        return Begun(key, await self._bucket.put(key, b"1"))

    async def end(self, begun: Begun) -> None:
        """That nothing is left to do, unless somebody has begun again since."""
        try:
            await self._bucket.delete(begun.key, last=begun.revision)
        except APIError as error:  # nats-py has a name of its own for it where a value is updated, but not here
            if error.err_code != _ERR_WRONG_LAST_SEQUENCE:
                raise

    async def all(self) -> AsyncIterator[tuple[str, str]]:
        """Whom somebody began to forget and did not end with: the party that opened her orders, its number for her."""
        after = 0
        while True:
            try:
                found = await self._js.get_msg(_STREAM, seq=after + 1, subject=f"{_ROOT}>", next=True, direct=False)
            except NotFoundError:
                return
            after = found.seq or after + 1
            if found.data:  # else it is crossed out
                opener, reference = (found.subject or "").removeprefix(_ROOT).split(".")
                yield untoken(opener), untoken(reference)
