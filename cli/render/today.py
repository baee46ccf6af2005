"""The list of a party: what it has to look after, part by part, what is most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.ledger import due_text, foot
from cli.render.look import TOLD_WORDS, party, with_parties
from cli.render.moments import Moments, parse, span
from cli.render.owed import FORGOTTEN, has_not, is_customer, is_to, is_void_news, to_do, who
from cli.render.plain import many, short, word
from cli.render.tables import plain_table

Row = dict[str, Any]

#: What somebody said is in the timeline as a whole.
_LONGEST: Final = 300


def briefings(result: Row) -> Iterator[RenderableType]:
    """The query ``briefings``: who has anything to look after."""
    rows: list[Row] = result.get("briefings") or []
    if not rows:
        yield Text("Nobody has anything to look after.", style="green")
        return
    table = plain_table("Party", "Open orders", "Late", "List of today", right=("Open orders", "Late"))
    for row in rows:
        late = row.get("overdue") or 0
        table.add_row(
            party(row.get("party")),
            f"{row.get('open') or 0:,}",
            Text(f"{late:,}", style="bold red" if late else ""),
            Text("given" if row.get("given") else "due" if row.get("due") else "once it opens"),
        )
    yield table
    yield Text("\nThe list of one of them: repairchain today ROLE:NAME", style="dim")


def briefing(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``briefing``: all that one party has to look after."""
    totals: Row = result.get("totals") or {}
    reader = word(result.get("party"))
    if not any(totals.values()):
        yield with_parties(f"{reader} has nothing to look after.", "green")
        return
    yield with_parties(f"What {reader} has to look after", "bold")
    parts: list[tuple[str, str, str, Callable[[list[Row], Moments], Table]]] = [
        ("calls", "calls", "To call: a message did not arrive, or we said that a person will be in touch", _calls),
        ("overdue", "overdue", "Late, the longest first", _overdue),
        ("asked", "asked", "Asked by customers, and not answered yet", _asked),
        ("contacts", "contacts", f"Customers who got in touch since {_since(result, moments)}", _contacts),
        ("orders", "open", "Open orders, and whose move it is", _orders),
        ("owed", "owed", f"What {reader} owes on orders of others, and is not late with", _owed),
    ]
    for part, total, title, table_of in parts:
        rows: list[Row] = result.get(part) or []
        if rows:
            yield Text("")
            yield with_parties(title, "bold")
            yield table_of(rows, moments)
            more = (totals.get(total) or 0) - len(rows)
            if more > 0:
                yield Text(f"and {more:,} more: --limit {len(rows) + more}", style="dim")
    counts = [many(totals.get("open") or 0, "open order"), f"{totals.get('overdue') or 0:,} late"]
    yield foot(", ".join(counts), moments)


def _since(result: Row, moments: Moments) -> str:
    since = parse(result.get("since"))
    return moments.day(since) if since else "the day before"


def _calls(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("Order", "By", "What the customer was to hear", "Why not", whole=("By",))
    for row in rows:
        kind, reason = word(row.get("message_kind")), word(row.get("reason")).replace("_", " ")
        table.add_row(
            _order(row), due_text(row, moments), Text(TOLD_WORDS.get(kind, kind)), _remarked(Text(reason or "–"), row)
        )
    return table


def _overdue(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("Overdue", "Order", "Who owes what", "Due", right=("Overdue",), whole=("Due",))
    for row in rows:
        table.add_row(
            Text(span(row.get("overdue_seconds") or 0), style="bold red"),
            _order(row),
            _remarked(with_parties(has_not(row.get("owner"), row.get("kind"), row.get("topic"))), row),
            due_text(row, moments),
        )
    return table


def _asked(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("Order", "Question", "Who is to answer", "By", whole=("By",))
    for row in rows:
        table.add_row(_order(row), _said(row), with_parties(who(row.get("owner"))), due_text(row, moments))
    return table


def _contacts(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("When", "Order", "How", "With", "What", whole=("When",))
    for row in rows:
        at = parse(row.get("contacted_at"))
        table.add_row(
            Text(moments.at(at) if at else "–"),
            _order(row),
            Text(word(row.get("channel")) or "–"),
            # Of a word that was taken down for her nobody is known who heard it.
            Text("–") if is_customer(row.get("party")) else with_parties(who(row.get("party"))),
            _said(row),
        )
    return table


def _orders(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("Order", "Whose move", "By", whole=("By",))
    for row in rows:
        move = is_to(row.get("owner"), row.get("kind"), row.get("topic")) if row.get("kind") else "nothing is owed"
        table.add_row(_order(row), _remarked(with_parties(move), row), due_text(row, moments))
    return table


def _owed(rows: list[Row], moments: Moments) -> Table:
    table = plain_table("Order", "What", "For", "By", whole=("By",))
    for row in rows:
        what = _remarked(Text(to_do(row.get("kind"), row.get("topic"))), row)
        table.add_row(_order(row), what, party(row.get("accountable")), due_text(row, moments))
    return table


def _remarked(text: Text, row: Row) -> Text:
    """``text``, with a remark where it would be told to a customer who was forgotten."""
    return text.append(f"; {FORGOTTEN}", style="dim") if is_void_news(row) else text


def _order(row: Row) -> Text:
    """The chain's id, and the reader's own number if that is another."""
    order, own = word(row.get("order")), word(row.get("reference"))
    text = Text(order, style="bold")
    return text.append(f" ({own})", style="not bold") if own and own != order else text


def _said(row: Row) -> Text:
    return Text(short(word(row.get("text")), _LONGEST) or "–")
