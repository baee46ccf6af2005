"""Lists: orders, lanes, parties. Each takes a query's result and gives what rich prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
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


def plain_table(*columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """A table with a line under its head and none elsewhere; ``whole`` columns are never broken."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
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
