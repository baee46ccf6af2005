"""The list of a party: what it has to look after, part by part, what is most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.ledger import due_text, foot
from cli.render.look import TOLD_WORDS, party, with_parties
from cli.render.moments import Moments, parse, span
from cli.render.owed import (
    FORGOTTEN,
    UNREACHABLE,
    at_home,
    is_customer,
    is_from_lost,
    is_void_news,
    paused,
    to_do,
    who,
)
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
    if any(row.get("due") for row in rows):
        yield Text("due: its doors are open, and it was given none; a party that is no partner gets none.", style="dim")


def briefing(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``briefing``: all that one party has to look after."""
    totals: Row = result.get("totals") or {}
    reader = word(result.get("party"))
    if not any(totals.values()):
        yield with_parties(f"{reader} has nothing to look after.", "green")
        return
    yield with_parties(f"What {reader} has to look after", "bold")
    parts: list[tuple[str, str, str, Callable[[list[Row], Moments, str], Table]]] = [
        ("calls", "calls", "To call: a message did not arrive, or we said that a person will be in touch", _calls),
        ("overdue", "overdue", "Late, the longest first", _owing),
        ("asked", "asked", "Asked by customers, and not answered yet", _asked),
        ("contacts", "contacts", f"Customers who got in touch since {_since(result, moments)}", _contacts),
        ("orders", "open", "Open orders, and whose move it is", _owing),
        ("owed", "owed", f"What {reader} owes on orders of others, and is not late with", _owed),
    ]
    for part, total, title, table_of in parts:
        rows: list[Row] = result.get(part) or []
        if rows:
            yield Text("")
            yield with_parties(title, "bold")
            yield table_of(rows, moments, reader)
            more = (totals.get(total) or 0) - len(rows)
            if more > 0:
                yield Text(f"and {more:,} more: --limit {len(rows) + more}", style="dim")
    counts = [many(totals.get("open") or 0, "open order"), f"{totals.get('overdue') or 0:,} late"]
    yield foot(", ".join(counts), moments)


def _since(result: Row, moments: Moments) -> str:
    since = parse(result.get("since"))
    return moments.day(since) if since else "the day before"


def _calls(rows: list[Row], moments: Moments, reader: str) -> Table:
    return _to_do(((row, reader, _to_call(row)) for row in rows), moments, reader)


def _to_call(row: Row) -> str:
    kind, reason = word(row.get("message_kind")), word(row.get("reason")).replace("_", " ")
    if kind == "person":
        return "call the customer, as she was told that somebody would"
    heard = f", who is to hear {TOLD_WORDS.get(kind, kind)}" if kind else ""
    return f"call the customer{heard}" + (f"; the message did not arrive: {reason}" if reason else "")


def _owing(rows: list[Row], moments: Moments, reader: str) -> Table:
    """What is owed by anybody: late or not, or nothing at all."""
    return _to_do(
        (
            (row, who(row.get("owner")), _work(row))
            if row.get("kind")
            else (row, reader, "close the order")
            if row.get("to_close")
            else (row, "nobody", "do anything")
            for row in rows
        ),
        moments,
        reader,
    )


def _asked(rows: list[Row], moments: Moments, reader: str) -> Table:
    asked = ((row, who(row.get("owner")), f"answer: {_said(row)}") for row in rows)
    return _to_do(asked, moments, reader)


def _owed(rows: list[Row], moments: Moments, reader: str) -> Table:
    owed = ((row, reader, f"{_work(row)}, for {word(row.get('accountable')) or 'somebody'}") for row in rows)
    return _to_do(owed, moments, reader)


def _work(row: Row) -> str:
    owed = at_home(row, row)
    return to_do(owed.get("kind"), owed.get("topic"))


def _to_do(lines: Iterable[tuple[Row, str, str]], moments: Moments, reader: str) -> Table:
    """A row and who is to do what, each; read from left to right, with its head, a line is a sentence."""
    table = plain_table("Order", "Who", "is to", "by", "that is", whole=("by",))
    for row, name, what in lines:
        whom = with_parties(name)
        if name == reader:
            whom.stylize("bold")
        table.add_row(
            _order(row), whom, _remarked(with_parties(what), row), due_text(row, moments), _from_now(row, moments)
        )
    return table


def _from_now(row: Row, moments: Moments) -> Text:
    """``6 days late``, ``in 21 h``; what stands still has no time."""
    if row.get("state") == "paused":
        return Text(paused(row), style="yellow")
    due = None if is_void_news(row) else parse(row.get("due_at"))
    if due is None:
        return Text("")
    if row.get("state") != "overdue":
        return Text(moments.relative(due))
    return Text(f"{span((moments.now - due).total_seconds())} late", style="bold red")


def _contacts(rows: list[Row], moments: Moments, reader: str) -> Table:
    del reader
    table = plain_table("Order", "When", "How", "With whom", "What the customer said", whole=("When",))
    for row in rows:
        at = parse(row.get("contacted_at"))
        table.add_row(
            _order(row),
            Text(moments.at(at) if at else "–"),
            Text(word(row.get("channel")) or "–"),
            # Of a word that was taken down for her nobody is known who heard it.
            Text("–") if is_customer(row.get("party")) else with_parties(who(row.get("party"))),
            _remarked(Text(_said(row)), row),
        )
    return table


def _remarked(text: Text, row: Row) -> Text:
    """``text``, with a remark where a customer who was forgotten would be told that, or has said it."""
    if is_from_lost(row):
        return text.append(f"; {UNREACHABLE}", style="yellow")
    return text.append(f"; {FORGOTTEN}", style="dim") if is_void_news(row) else text


def _order(row: Row) -> Text:
    """The chain's id, and the reader's own number if that is another."""
    order, own = word(row.get("order")), word(row.get("reference"))
    text = Text(order, style="bold")
    return text.append(f" ({own})", style="not bold") if own and own != order else text


def _said(row: Row) -> str:
    return short(word(row.get("text")), _LONGEST) or "–"
