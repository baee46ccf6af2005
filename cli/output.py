"""Where output goes: rich to the terminal, or one JSON document.

rich is imported when something is printed, not before: --help, --json and services have no use for it.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from cli.render.moments import Moments

#: Width of what is piped to a file or another program, unless COLUMNS says otherwise.
PIPED_WIDTH = 100


def console() -> Console:
    """A console on stdout, without colours where nobody sees them."""
    from cli.render.paper import Paper

    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Paper(width=PIPED_WIDTH if piped else None)


def show(parts: Iterable[RenderableType], as_of: datetime | None = None, known_at: datetime | None = None) -> None:
    """Print one part after the other, below a line that says which moment they are about, if it is not now."""
    from cli.render.then import then

    out = console()
    for line in then(as_of, known_at, moments_now()):
        out.print(line)
    for part in parts:
        out.print(part)


def say(line: str, style: str = "") -> None:
    """Print a sentence with a path or a command in it, broken between words alone, and only for who looks at it; a line
    that is indented is there to be copied, and whole."""
    out = console()
    if sys.stdout.isatty() and not line.startswith(" "):
        words, end = line.rstrip("\n"), line[len(line.rstrip("\n")) :]
        line = textwrap.fill(words, out.width, break_long_words=False, break_on_hyphens=False) + end
    out.print(line, style=style, soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document, indented, UTF-8; exactly what a program reads back."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # lone surrogates, or a terminal that knows ASCII only
        text = json.dumps(document, indent=2)
    print(text)


def moments_now(as_of: datetime | None = None) -> Moments:
    """Moments as seen now, or as seen at the moment that was asked for, in this machine's zone."""
    from cli.render.moments import Moments

    return Moments(as_of or datetime.now(UTC))
