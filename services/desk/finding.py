"""Finding customers by name: the whole book is looked through, for names are nowhere else. Nothing is kept of it.

A consumer brings all records in one go, the last under each key: asking for them page by page takes four times as long,
since each comes with headers then, which nats-py is slow to read.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final

import nats.errors
import orjson
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from events import names
from events.log import number_of_delivery
from events.subjects import untoken
from services.desk.problems import DeskError

_STREAM: Final = f"KV_{names.CUSTOMERS}"
_ROOT: Final = f"$KV.{names.CUSTOMERS}."
#: The book is read within so many seconds, however large it is.
_WITHIN: Final = 25.0
#: So often we look whether there is more (seconds): there may be none, or the last record was erased just then.
_LOOK_EVERY: Final = 1.0

#: Letters that are no letter with an accent to Unicode, as they are written where they are not on the keyboard.
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
#: What stands between the parts of a name; what else is no letter stands within them (O'Neil).
_BETWEEN: Final = str.maketrans(dict.fromkeys("-‐‑–.,;/_", " "))
#: The same at once for all of ASCII, of which most names are: no accents, and small letters without further ado.
_ASCII: Final = {
    number: char.lower() if char.isalnum() or char.isspace() else " " if number in _BETWEEN else None
    for number, char in ((number, chr(number)) for number in range(128))
}


class Sought(BaseModel):
    """Whom somebody looks for: parts of her name, in any order. At most ``limit`` customers are named."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    limit: int = Field(50, ge=1, le=1_000)


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as the book has her: her name, the party that opened an order of hers, and its number for her."""

    name: str
    opener: str
    reference: str


def folded(text: str) -> tuple[str, ...]:
    """The words of a name without case, accents and marks: ``Zoë O'Neil-Łuk`` is ``zoe``, ``oneil``, ``luk``."""
    return tuple(_plain(text).split())


def fits(sought: tuple[str, ...], name: str) -> bool:
    """Whether each of the words ``sought`` stands somewhere in a word of ``name``."""
    words = _plain(name)
    return all(part in words for part in sought)


def _plain(text: str) -> str:
    """The words of a name, in a row, with spaces between them."""
    if text.isascii():
        return text.translate(_ASCII)
    apart = unicodedata.normalize("NFKD", text.translate(_BETWEEN)).casefold().translate(_PLAIN)
    return "".join(char for char in apart if char.isalnum() or char.isspace())


async def find_by_name(js: JetStreamContext, sought: Sought) -> list[Known]:
    """Every customer whose name fits, by name. Raises DeskError for what fits nearly everybody, nats errors, and
    TimeoutError."""
    parts = folded(sought.name)
    if sum(map(len, parts)) < 2:
        raise DeskError("say at least two letters of her name")
    found: dict[str, Known] = {}

    def look(record: Msg) -> None:
        # Whoever changed her record while it was read has written another one since.
        found.pop(record.subject, None)
        if (name := _name_in(record)) is not None and fits(parts, name):
            opener, reference = record.subject.removeprefix(_ROOT).split(".")
            found[record.subject] = Known(name, untoken(opener), untoken(reference))

    async with asyncio.timeout(_WITHIN):
        await _read_through(js, look)
    return sorted(found.values(), key=lambda known: (folded(known.name), known.opener, known.reference))


async def _read_through(js: JetStreamContext, look: Callable[[Msg], None]) -> None:
    """Have ``look`` see the last record under each key of the book.

    Raises nats errors, and ConnectionError where a record was lost on its way.
    """
    seen, left_out = 0, False
    ended = asyncio.Event()

    async def take(record: Msg) -> None:
        nonlocal seen, left_out
        seen += 1
        left_out |= number_of_delivery(record) != seen
        look(record)
        if left_out or record.reply.endswith(".0"):  # so many are still to come
            ended.set()

    subscription = await js.subscribe(
        f"{_ROOT}>",
        stream=_STREAM,
        cb=take,
        ordered_consumer=True,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT),
        # The server's flow control bounds what is under way.
        pending_msgs_limit=0,
        pending_bytes_limit=0,
    )
    try:
        while not ended.is_set():
            before, info = seen, await subscription.consumer_info()
            if not info.num_pending and (info.delivered is None or info.delivered.consumer_seq <= before):
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK_EVERY)
    finally:
        with suppress(nats.errors.Error):
            await subscription.unsubscribe()
    if left_out:
        raise ConnectionError("a record was lost on its way")


def _name_in(record: Msg) -> str | None:
    """Whose it is; None of one who was forgotten, which is empty, and of one that cannot be read."""
    try:
        name = orjson.loads(record.data).get("name")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return name if isinstance(name, str) and name else None
