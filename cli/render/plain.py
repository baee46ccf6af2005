"""Text that others wrote, made safe to show: no control characters, no hidden direction marks, no markup."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

_NEWLINE = "\n"
# Marks that reorder the text around them on a terminal; they may make a sentence read as its opposite.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: object, *, newlines: bool = False) -> str:
    """``text`` in one line (or with its newlines), where each control character is shown as ``�``."""
    kept: list[str] = []
    for char in str(text).replace("\r\n", _NEWLINE):
        if char == _NEWLINE:
            kept.append(char if newlines else " ")
        elif char == "\t":
            kept.append(" ")
        elif char in _DIRECTION or unicodedata.category(char) in ("Cc", "Cs"):
            kept.append("�")
        else:
            kept.append(char)
    return "".join(kept)


def word(value: Any) -> str:
    """Any JSON value as one line of text; empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


def short(text: str, length: int) -> str:
    """``text`` in at most ``length`` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"


def many(count: int, one: str, more: str | None = None) -> str:
    """``1 fact``, ``2 facts``, ``1,204 facts``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
