"""Dates that somebody named: which were kept, which were missed, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.render.look import party, with_parties
from cli.render.moments import Moments, parse, span
from cli.render.owed import FORGOTTEN, is_to, is_void_news, paused
from cli.render.plain import many, word
from cli.render.tables import plain_table

Row = dict[str, Any]


def promises(rows: Sequence[Row], parties: Sequence[Row], moments: Moments, most: int) -> Iterator[RenderableType]:
    """The first ``most`` of the promises, and a line per party of all of them."""
    if not rows:
        yield Text("Nobody has named a date.")
        return
    table = plain_table("Order", "Who promised what", "By", "Kept", whole=("By",))
    for row in rows[:most]:
        promised = None if is_void_news(row) else parse(row.get("promised_at"))
        table.add_row(
            Text(word(row.get("order")), style="bold"),
            with_parties(is_to(row.get("owner"), row.get("kind"), row.get("topic"))),
            Text(moments.at(promised) if promised else "–"),
            _outcome(row, moments),
        )
    yield table
    if len(rows) > most:
        yield Text(f"… and {len(rows) - most:,} more; --limit shows more of them", style="dim")
    yield Text("\nBy party", style="bold")
    numbers = ("Promises", "Kept", "Missed", "Late by", "Moved", "Open")
    totals = plain_table("Party", *numbers, right=numbers)
    for each in parties:
        missed = each.get("missed") or 0
        totals.add_row(
            party(each.get("party")),
            f"{each.get('promises') or 0:,}",
            f"{each.get('kept') or 0:,}",
            Text(f"{missed:,}", style="red" if missed else ""),
            "–" if each.get("late_p50") is None else span(each["late_p50"]),
            f"{each.get('moved') or 0:,}",
            f"{each.get('open') or 0:,}",
        )
    yield totals
    yield Text(
        f"\n{many(len(rows), 'promise')}; late by: half of what was missed was later than this; "
        f"moved: another date was named after the first; times are {moments.zone_name()}",
        style="dim",
    )


def _outcome(row: Row, moments: Moments) -> Text:
    if is_void_news(row):
        return Text(FORGOTTEN, style="yellow")
    late, kept, promised = row.get("late_seconds"), row.get("kept"), parse(row.get("promised_at"))
    state = word(row.get("state"))
    if kept is True:
        text = Text("✓ kept", style="green")
    elif kept is False:
        so_far = " so far" if state == "overdue" else ""
        text = Text(f"✗ {span(late or 0)} late{so_far}", style="red")
    elif state == "open" and promised:
        text = Text(f"open, {moments.relative(promised)}", style="yellow")
    elif state == "paused":
        text = Text(paused(row), style="yellow")
    else:
        text = Text("no longer needed", style="dim")
    first = parse(row.get("first_promised_at"))
    if first and promised and first != promised:
        text.append(f" (first by {moments.at(first)})", style="dim default")
    return text
