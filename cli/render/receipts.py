"""Receipts: what became of each submission."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.render.look import party
from cli.render.moments import Moments, parse
from cli.render.plain import clean, word
from cli.render.tables import plain_table
from services.submission import everything_wrong

Row = dict[str, Any]

STYLES = {"accepted": "green", "duplicate": "yellow", "held": "cyan", "rejected": "bold red"}


def receipts(
    rows: Sequence[Row], moments: Moments, most: int = 100, hints: Sequence[str] = ()
) -> Iterator[RenderableType]:
    """A table of the first ``most`` (all that were rejected come first), the totals, and ``hints`` on what is wrong."""
    counted = Counter(word(row.get("outcome")) for row in rows)
    shown = sorted(rows, key=lambda row: row.get("outcome") != "rejected")[:most]
    table = plain_table("Event", "Party", "Order", "Outcome", "Position", right=("Position",))
    for row in shown:
        outcome = word(row.get("outcome"))
        told = Text(outcome, style=STYLES.get(outcome, ""))
        problem = row.get("problem")
        if isinstance(problem, dict):
            until = parse(problem.get("held_until")) if outcome == "held" else None
            told.append(f" until {moments.day(until)}" if until else "")
            told.append(f": {word(everything_wrong(problem))}", style="not bold")
        table.add_row(
            Text(word(row.get("id")) or "–"),
            party(row.get("source")),
            Text(word(row.get("order")) or "–"),
            told,
            Text(word(row.get("position")) or "–"),
        )
    yield table
    if len(rows) > len(shown):
        yield Text(f"… and {len(rows) - len(shown):,} more", style="dim")
    totals = ", ".join(f"{counted[each]:,} {each}" for each in STYLES if counted[each])
    yield Text(f"\n{totals or 'nothing was sent'}", style="bold red" if counted["rejected"] else "bold")
    for hint in hints:
        yield Text(clean(hint))
