"""Finding customers by name: the whole book is looked through, for names are nowhere else. Nothing is kept of it."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from events import names
from events.subjects import untoken
from services.desk.problems import DeskError

_STREAM: Final = f"KV_{names.CUSTOMERS}"
_ROOT: Final = f"$KV.{names.CUSTOMERS}."
#: So many records come with one request, each within so many seconds.
_PAGE: Final = 1_000
_WITHIN: Final = 5.0

#: Letters that are no letter with an accent to Unicode, as they are written where they are not on the keyboard.
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
#: What stands between the parts of a name; what else is no letter stands within them (O'Neil).
_BETWEEN: Final = str.maketrans(dict.fromkeys("-‐‑–.,;/_", " "))


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
    apart = unicodedata.normalize("NFKD", text.translate(_BETWEEN)).casefold().translate(_PLAIN)
    return tuple("".join(char for char in apart if char.isalnum() or char.isspace()).split())


def fits(sought: tuple[str, ...], name: str) -> bool:
    """Whether each of the words ``sought`` stands somewhere in a word of ``name``."""
    there = folded(name)
    return all(any(part in word for word in there) for part in sought)


async def find_by_name(connection: Client, sought: Sought) -> list[Known]:
    """Every customer whose name fits, by name. Raises DeskError for what fits nearly everybody, and nats errors."""
    parts = folded(sought.name)
    if sum(map(len, parts)) < 2:
        raise DeskError("say at least two letters of her name")
    found: dict[str, Known] = {}
    async for message in _records(connection):
        subject = (message.headers or {})["Nats-Subject"]
        # What was written there before may lie there still, where whoever was to erase it died.
        found.pop(subject, None)
        if (name := _name_in(message)) is not None and fits(parts, name):
            opener, reference = subject.removeprefix(_ROOT).split(".")
            found[subject] = Known(name, untoken(opener), untoken(reference))
    return sorted(found.values(), key=lambda known: (folded(known.name), known.opener, known.reference))


async def _records(connection: Client) -> AsyncIterator[Msg]:
    """The whole book, in the order in which it was written. Raises nats errors."""
    inbox = connection.new_inbox()
    answers = await connection.subscribe(inbox)
    after = 0
    try:
        while True:
            question = {"seq": after + 1, "batch": _PAGE, "next_by_subj": f"{_ROOT}>"}
            await connection.publish(f"$JS.API.DIRECT.GET.{_STREAM}", orjson.dumps(question), reply=inbox)
            while "Status" not in ((message := await answers.next_msg(timeout=_WITHIN)).headers or {}):
                after = int((message.headers or {})["Nats-Sequence"])
                yield message
            if (message.headers or {})["Status"] != "204" or (message.headers or {}).get("Nats-Num-Pending") == "0":
                return  # 404: there is nothing (more)
    finally:
        await answers.unsubscribe()


def _name_in(record: Msg) -> str | None:
    """Whose it is; None of one who was forgotten, which is empty, and of one that cannot be read."""
    try:
        name = orjson.loads(record.data).get("name")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return name if isinstance(name, str) and name else None
