"""What an import brought in, what it left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.lines import indented
from cli.render.plain import clean, many
from services.importing.report import OF_A_TIME

#: So many reasons are shown; --json has more.
_SHOWN = 5

#: Where no row has a time that can be read it is the mapping that is wrong, and not the log.
_HOW_TIMES_ARE_READ = (
    'Say in [log] of the mapping how times are written, such as time_format = "%d-%m-%Y %H:%M" and '
    'time_zone = "Europe/Amsterdam" (docs/import.md).'
)


class Read(Protocol):
    """What was found in the log."""

    rows: int
    cases: int
    facts: int
    facts_by_type: Counter[str]
    rows_skipped: int
    facts_left_out: int

    @property
    def reasons(self) -> Mapping[str, Often]: ...
    @property
    def damaged(self) -> Sequence[object]: ...


class Often(Protocol):
    """What was left out for one reason, in a sentence."""

    @property
    def times(self) -> int: ...


class Rejection(Protocol):
    """A fact that the chain did not take."""

    @property
    def receipt(self) -> Receipt: ...


class Receipt(Protocol):
    @property
    def reason(self) -> str: ...


class Published(Protocol):
    """What became of the facts."""

    accepted: int
    duplicate: int
    held: int
    rejected: int

    @property
    def rejections(self) -> Sequence[Rejection]: ...


def imported(read: Read, published: Published | None) -> Iterator[RenderableType]:
    """The whole report; ``published`` is None when the log was only read."""
    yield Text(f"{many(read.rows, 'row')} of {many(read.cases, 'order')}: {many(read.facts, 'fact')}", style="bold")
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, count in read.facts_by_type.most_common():
        table.add_row(Text(f"  {clean(name)}"), f"{count:,}")
    yield table
    yield from _trouble("could not be read to the end", read.damaged, len(read.damaged), "file")
    reasons = sorted(read.reasons.values(), key=lambda each: -each.times)
    yield from _trouble("left out", reasons, read.rows_skipped + read.facts_left_out, "row or fact", "rows or facts")
    if OF_A_TIME in read.reasons and not read.cases:
        yield Text(f"\n{_HOW_TIMES_ARE_READ}", style="yellow")
    if published is None:
        yield Text("\nNothing was said to the chain.", style="dim")
        return
    refused = Counter(each.receipt.reason for each in published.rejections)
    told = [f"{why} ({many(count, 'fact')})" for why, count in refused.most_common()]
    yield from _trouble("rejected", told, published.rejected, "fact")
    if published.held:
        yield Text(f"\n{many(published.held, 'fact')} held: about orders that nobody has opened yet", style="yellow")
    yield Text(
        f"\n{published.accepted:,} accepted, {published.duplicate:,} known already, {published.rejected:,} rejected",
        style="bold red" if published.rejected else "bold green",
    )


def _trouble(
    what: str, reasons: Sequence[object], count: int, one: str, more: str | None = None
) -> Iterator[RenderableType]:
    if not count:
        return
    yield Text(f"\n{many(count, one, more)} {what}:", style="yellow")
    for reason in reasons[:_SHOWN]:
        yield indented(Text(clean(reason)), 2)
    if len(reasons) > _SHOWN:
        yield Text("  … (--json names more)", style="dim")
