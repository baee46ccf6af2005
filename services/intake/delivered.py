"""What a message of an intake stream tells of itself: in its subject, its headers and its reply subject.

nats-py's metadata would read a good deal more, for every submission.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from nats.aio.msg import Msg

from events import names
from events.subjects import party_of_subject

#: That of a kept submission.
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")


def stream_of(message: Msg) -> str:
    """In which stream it lies."""
    return message.reply.split(".", 3)[2]


def sequence_of(message: Msg) -> int:
    """Its place in its stream."""
    return int(message.reply.rsplit(".", 4)[1])


def stored_at(message: Msg) -> int:
    """When the server took it (nanoseconds)."""
    return int(message.reply.rsplit(".", 2)[1])


def comes_again(message: Msg) -> bool:
    """Whether it was delivered before."""
    return message.reply.rsplit(".", 5)[1] != "1"


def retry_of(message: Msg) -> int | None:
    """The number in REJECTED that it says it was kept under. Anybody can write that header."""
    number = (message.headers or {}).get(names.RETRY_OF)
    return int(number) if number is not None and _NUMBER.fullmatch(number) else None


def party_of(message: Msg) -> str:
    """Who hands in on its subject."""
    return _party_named(message.subject)


@lru_cache(maxsize=4_096)
def _party_named(subject: str) -> str:
    """A subject that names nobody properly still gets its answer, under what it says."""
    try:
        return party_of_subject(subject)
    except ValueError:
        _, role, name = subject.split(".", 2)
        return f"{role}:{name}"
