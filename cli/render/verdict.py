"""What ``verify`` found: equal, or where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import indented
from cli.render.plain import clean, many

_SHOWN = 20


def differences(position: int, found: Sequence[object]) -> Iterator[RenderableType]:
    """One line if they are equal, else the first differences."""
    if not found:
        yield Text(
            f"The read models are equal to a fresh rebuild, row for row, at position {position:,}.", style="green"
        )
        return
    yield Text(f"{many(len(found), 'difference')} at position {position:,}:", style="bold red")
    for each in found[:_SHOWN]:
        yield indented(Text(clean(each)), 2)
    if len(found) > _SHOWN:
        yield Text(f"  … and {len(found) - _SHOWN:,} more", style="dim")
    yield Text("\nThe log is right: 'repairchain rebuild' makes the read models anew.", style="yellow")
