"""Lists: orders, lanes, parties. Each takes a query's result and gives what rich prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement, measure_renderables
from rich.table import Column, Table
from rich.text import Text

from cli.render.look import party, spoken, status_text
from cli.render.moments import Moments, parse, span
from cli.render.plain import many, short, word
from cli.render.sentences import product_name

Row = dict[str, Any]


#: A description may be a whole sentence; so much of it tells one order from another.
_PRODUCT: Final = 40
#: What the columns of lanes mean.
_LEGEND: Final = (
    "\nNever: it moved on, or the order was closed, before the receiver said that it came in.",
    "Waiting: handed over, and no word from the receiver yet.",
    "p50, p90, p99: half, 90 % and 99 % of the receipts came within this time.",
)


class _Fitted(Table):
    """A table that, where there is no room for all, breaks between words before it breaks a word."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - 2 * (len(self.columns) - 1)  # two blanks between two columns
        measured = [_measured(console, options, column) for column in self.columns]
        if sum(each.minimum for each in measured) > room:  # then rather a date in two lines than half a name
            for column in self.columns:
                column.no_wrap = False
            measured = [_measured(console, options, column) for column in self.columns]
        if sum(each.minimum for each in measured) <= room < sum(each.maximum for each in measured):
            for column, width in zip(self.columns, _widths(measured, room), strict=True):
                column.width = width
        yield from super().__rich_console__(console, options)


def _widths(measured: Sequence[Measurement], room: int) -> list[int]:
    """Of each column, so that all fit: none wider than some bound but for its longest word."""
    widths: list[int] = []
    for bound in range(room, -1, -1):
        widths = [max(each.minimum, min(each.maximum, bound)) for each in measured]
        if (left := room - sum(widths)) >= 0:
            for number, each in enumerate(measured):
                if left and widths[number] == bound < each.maximum:
                    widths[number], left = bound + 1, left - 1
            break
    return widths


def _measured(console: Console, options: ConsoleOptions, column: Column) -> Measurement:
    """From the longest word in it to its widest cell."""
    found = measure_renderables(console, options, [column.header, *column.cells])
    return found.with_minimum(found.maximum) if column.no_wrap else found


def plain_table(*columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """A table with a line under its head and none elsewhere; ``whole`` columns are never broken."""
    table = _Fitted(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in whole or column in right,
            overflow="fold",
        )
    return table


def orders(result: Row, moments: Moments, offset: int = 0) -> Iterator[RenderableType]:
    """The query ``orders``: one line an order, and which part of all of them this is."""
    rows: list[Row] = result.get("orders") or []
    total = int(result.get("total") or len(rows))
    if not rows:
        yield Text("No orders." if not offset else f"No orders from number {offset + 1:,} on.")
        return
    table = plain_table("Order", "Product", "Status", "Held by", "Since", "Next by", whole=("Since", "Next by"))
    for row in rows:
        since, due = parse(row.get("since")), parse(row.get("next_due"))
        late = bool(due and due < moments.now)
        table.add_row(
            Text(word(row.get("order_id")), style="bold"),
            product_text(row),
            status_text(row.get("status")),
            where(row),
            Text(moments.day(since) if since else "–"),
            Text(moments.at(due) if due else "–", style="red" if late else ""),
        )
    yield table
    first, last = offset + 1, offset + len(rows)
    if total > len(rows):
        more = f", go on with --offset {last}" if last < total else ""
        shown = f"{first:,} to {last:,} of {many(total, 'order')}{more}"
    else:
        shown = many(total, "order")
    yield Text(f"\n{shown}; times are {moments.zone_name()}", style="dim")


def product_text(row: Row) -> Text:
    """What it is, in a line of a list."""
    return Text(short(product_name(row), _PRODUCT) or "–")


def where(row: Row) -> Text:
    """Who has it; while it is on its way, to whom; and that it never left her home."""
    if row.get("heading_to") and row.get("open", True):
        return Text("→ ").append_text(party(row["heading_to"]))
    return Text("at her home") if row.get("at_home") else party(row.get("holder"))


def lanes(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``handoffs``: how long each receiver takes to say that it has the item."""
    rows: list[Row] = result.get("lanes") or []
    totals: Row = result.get("totals") or {}
    if not rows:
        yield Text("No handoffs.")
        return
    numbers = ("Handoffs", "Received", "Never", "Waiting", "p50", "p90", "p99")
    table = plain_table("Lane", *numbers, right=numbers)
    for row in rows:
        lane = party(row.get("from_party")).append(" → ", style="default")
        table.add_row(lane.append_text(party(row.get("to_party"))), *_counts(row))
    if len(rows) > 1 or totals.get("count") not in (None, rows[0].get("count")):
        table.add_section()
        table.add_row(Text("all lanes", style="bold"), *_counts(totals))
    yield table
    if said := _by_carriers(totals, moments):
        yield Text(f"\n{said}")
    for line in _LEGEND:
        yield Text(line, style="dim")


def _by_carriers(totals: Row, moments: Moments) -> str:
    """What carriers say of the parcels that wait; empty where they say nothing."""
    counts: dict[str, int] = totals.get("carriers") or {}
    first = parse(totals.get("delivered_at"))
    since = {"delivered": f" (the first {moments.both(first)})"} if first else {}
    parts = [f"{count:,} {spoken(status)}{since.get(status, '')}" for status, count in sorted(counts.items())]
    return f"Of what waits, carriers say: {', '.join(parts)}." if parts else ""


def _counts(row: Row) -> list[str]:
    counts = [f"{row.get(field) or 0:,}" for field in ("count", "received", "never_received", "waiting")]
    waits = (row.get(field) for field in ("wait_p50", "wait_p90", "wait_p99"))
    return counts + ["–" if wait is None else span(wait) for wait in waits]


def parties(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``parties``: who has spoken, and when they are closed."""
    rows: list[Row] = result.get("parties") or []
    if not rows:
        yield Text("No party has said anything yet.")
        return
    table = plain_table("Party", "Facts", "Orders", "Last heard", "Closed", right=("Facts", "Orders"))
    for row in rows:
        last = parse(row.get("last_seen"))
        table.add_row(
            party(row.get("party")),
            f"{row.get('facts') or 0:,}",
            f"{row.get('orders') or 0:,}",
            Text(moments.both(last) if last else "–"),
            Text("; ".join(_closure(each, moments) for each in row.get("closures") or []) or "–"),
        )
    yield table


def _closure(closure: Row, moments: Moments) -> str:
    begin, end = parse(closure.get("from")), parse(closure.get("until"))
    return f"{moments.day(begin) if begin else '?'} to {moments.day(end) if end else '?'}"
