"""Facts as they come, one line each."""

from __future__ import annotations

import json
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging
from cli.render.look import with_parties
from cli.render.moments import Moments, parse
from cli.render.plain import clean, short, word
from cli.render.sentences import TEMPLATES, sentence, unknown

_PREFIX = "repairchain."


def read(payload: bytes) -> dict[str, Any] | None:
    """The envelope in a message of the log, or None if it is none."""
    try:
        envelope = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return envelope if isinstance(envelope, dict) else None


def fact_line(position: int, payload: bytes, moments: Moments) -> RenderableType:
    """``  41  Fri 13 Nov 14:10  W-1001  retailer:juno received it``; what cannot be read is shown as it came."""
    envelope = read(payload)
    front = Text(f"{position:>6}  ", style="dim")
    rest = Text(" " * 10)
    if envelope is None:
        shown = short(clean(payload.decode("utf-8", "replace")), 200)
        return Hanging(front, Text(f"cannot be read: {shown}", style="red"), rest)
    moment = parse(envelope.get("time"))
    line = Text(f"{moments.at(moment) if moment else '–'}  ", style="dim")
    line.append(f"{word(envelope.get('subject'))}  ", style="bold not dim")
    name, version = _split(word(envelope.get("type")))
    data = envelope.get("data")
    known = name in TEMPLATES and version == "1"
    source = word(envelope.get("source"))
    hers = source.startswith("customer:")
    told = sentence(name, data, moments, by_customer=hers) if known else unknown(f"{name} (version {version})", data)
    line.append_text(with_parties(f"{source} {told}", "not dim"))
    return Hanging(front, line, rest)


def _split(type_name: str) -> tuple[str, str]:
    """Name and version of ``repairchain.item.received.v1``."""
    name, _, version = type_name.removeprefix(_PREFIX).rpartition(".v")
    return (name, version) if name else (type_name, "?")
