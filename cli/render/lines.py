"""Paragraphs with something in front of each line: a time and a mark, an indent, the bar of a quotation."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


@dataclass(frozen=True)
class Hanging:
    """``text`` wrapped to the width that is left behind ``first`` (its first line) and ``rest`` (the others).

    Unlike a table cell it leaves no spaces at the ends of lines, so what is copied or piped is clean.
    """

    first: Text
    text: Text
    rest: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(options.max_width - max(self.first.cell_len, self.rest.cell_len), 10)
        for number, line in enumerate(self.text.wrap(console, room, overflow="fold") or [Text("")]):
            line.rstrip()
            whole = (self.rest if number else self.first) + line
            whole.rstrip()
            yield whole


def indented(text: Text, indent: int) -> Hanging:
    """A paragraph ``indent`` cells from the left."""
    space = Text(" " * indent)
    return Hanging(space, text, space)


def quoted(text: Text, indent: int, style: str) -> Hanging:
    """A paragraph behind a bar."""
    bar = Text(" " * indent).append("│ ", style=style)
    return Hanging(bar, text, bar)
