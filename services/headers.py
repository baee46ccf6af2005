"""A NATS client that reads the headers of messages as nats-py does, in less than half of its time.

Every fact comes with three headers, and nats-py looks at each name letter by letter: of reading the whole log into
DuckDB that was an eighth. Names repeat, so what they come to is remembered.
"""

from __future__ import annotations

from functools import lru_cache

from nats.aio.client import Client

#: Anybody may make up names: longer ones, and more than so many, are not remembered.
_LONGEST = 64
_MOST = 1_024


class HeaderClient(Client):
    """nats-py's client, but for how it reads headers."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        read: dict[str, str] = {}
        for line in raw.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if not colon:
                continue
            key = _remembered(name) if len(name) <= _LONGEST else _name(name)
            if key is not None:
                read[key] = value.strip().decode("utf-8", "replace")
        return read


def _name(raw: bytes) -> str | None:
    """The name of a header; None if it is none, as nats-py has it: such a header is left out."""
    try:
        name = raw.strip().decode("ascii")
    except UnicodeDecodeError:
        return None
    return None if any(map(str.isspace, name)) else name


_remembered = lru_cache(maxsize=_MOST)(_name)
