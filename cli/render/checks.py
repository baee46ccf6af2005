"""The checks of ``doctor``: a line each, and what to do where one failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging, indented
from cli.render.plain import clean, many


class Checked(Protocol):
    """What was looked at; ``ok`` is None where there was nothing to look at; ``advice`` says what to do."""

    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool | None: ...
    @property
    def found(self) -> str: ...
    @property
    def advice(self) -> str: ...


_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("–", "dim")}


def checks(results: Sequence[Checked]) -> Iterator[RenderableType]:
    """All checks, then whether all is well."""
    width = max((len(each.name) for each in results), default=0)
    for each in results:
        mark, style = _MARKS[each.ok]
        first = Text(f"{mark} ", style=style).append(f"{each.name:<{width}}  ", style="default not bold")
        yield Hanging(first, Text(clean(each.found)), Text(" " * (width + 4)))
        if each.advice and each.ok is False:
            yield indented(Text(f"→ {clean(each.advice)}", style="yellow"), width + 4)
    failed = sum(each.ok is False for each in results)
    yield Text("")
    if failed:
        yield Text(f"{many(failed, 'check')} failed.", style="bold red")
    else:
        yield Text("All is well.", style="green")
