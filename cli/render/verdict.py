"""What ``verify`` found: equal, or where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import indented
from cli.render.plain import clean, many

_SHOWN = 20


def differences(position: int, found: Sequence[tuple[str, str, str]]) -> Iterator[RenderableType]:
    """One line if they are equal, else the first differences: table, where the row is (live, rebuild), the row."""
    if not found:
        equal = f"The read models are equal to a fresh rebuild, row for row, at position {position:,}."
        yield Text(equal, style="green")
        return
    yield Text(f"The read models differ from a fresh rebuild at position {position:,}:", style="bold red")
    for table, where, row in found[:_SHOWN]:
        told = Text("in the rebuild only  " if where == "rebuild" else "live only  ", style="yellow")
        yield indented(told.append(f"{clean(table)} ", style="bold default").append(clean(row), style="default"), 2)
    if len(found) > _SHOWN:
        yield Text(f"  … and {many(len(found) - _SHOWN, 'more row')}", style="dim")
    yield Text("\nThe log is right: 'repairchain rebuild' makes the read models anew.", style="yellow")
