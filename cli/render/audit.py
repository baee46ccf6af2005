"""The books of messages: what was planned, and how each ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.moments import Moments, parse
from cli.render.plain import many, word
from cli.render.tables import plain_table

Row = dict[str, Any]

_ENDS = (
    ("sent", "sent"),
    ("failed", "failed: somebody has to tell her"),
    ("suppressed", "suppressed: overtaken, not wanted, or no way to reach her"),
    ("unknown", "unknown: somebody has to find out whether she knows"),
    ("pending", "on their way"),
)


def audit(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``audit``."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    table.add_row(Text(f"{result['planned']:,}", style="bold"), Text("messages planned"))
    for field, label in _ENDS:
        table.add_row(Text(f"{result[field]:,}"), Text(label))
    yield table
    told = f"{many(result['letters'], 'letter')} went out, in {many(result['attempts'], 'attempt')}."
    yield Text(f"\n{told}", style="dim")
    oldest = parse(result.get("oldest_pending_at"))
    if oldest:
        yield Text(f"The oldest that is on its way was planned at {moments.both(oldest)}.", style="dim")
    if result["balanced"]:
        yield Text("\nThe books balance.", style="bold green")
        return
    yield Text("\nThe books do not balance.", style="bold red")
    faults: list[Row] = result.get("faults") or []
    table = plain_table("Order", "Message", "Kind", "Status", "What is wrong", whole=("Message",))
    for fault in faults:
        cells = [word(fault.get(name)) for name in ("order", "message_id", "kind", "status", "fault")]
        table.add_row(*(Text(cell) for cell in cells))
    if faults:
        yield table
