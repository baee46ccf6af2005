"""Rejected submissions: a list with reasons, and one in full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import indented
from cli.render.look import party, with_parties
from cli.render.moments import Moments, parse
from cli.render.plain import clean, many, word
from cli.render.tables import plain_table

Row = dict[str, Any]

#: Reasons that may go away while the submission stays as it is, and when they have.
_ONCE: Final = {
    "unknown-type": "Once a version that knows this type runs here",
    "unknown-version": "Once a version that knows this version of the type runs here",
    "order-never-came": "Once its order is known",
    "ambiguous-number": "Once only one of these orders is left, or has that number",
    "order-id-taken": "Once that id was given back",
    "time-out-of-range": "If it was the clock here that was wrong, once it is right",
    "internal": "Once the fault here is mended",
}


def listed(result: Row, moments: Moments, *, filtered: bool = False) -> Iterator[RenderableType]:
    """All of them, or those that were asked for, a line each."""
    rows: list[Row] = result.get("rejected") or []
    if not rows:
        yield _none(filtered)
        return
    table = plain_table("No", "Kept", "Party", "What", "Why", right=("No",), whole=("Kept",))
    for row in rows:
        problem = row.get("problem") or {}
        kept_at = parse(row.get("kept_at"))
        day = Text(moments.day(kept_at) if kept_at else "–")
        until = parse(row.get("held_until"))
        held = f"held until {moments.day(until)}: " if until else "held: "
        why = Text(held if row.get("outcome") == "held" else "", style="cyan").append(_why(problem), style="default")
        table.add_row(word(row.get("number")), day, party(row.get("party")), Text(_what(row)), why)
    yield table
    total = int(result.get("total") or len(rows))
    shown = f", the first {len(rows):,} shown" if total > len(rows) else ""
    kind = " of that kind" if filtered else ""
    told = f"\n{many(total, 'submission')}{kind} rejected or held{shown}; 'rejected show NO' tells more."
    yield Text(told, style="dim")


def stranger(name: str, hint: str) -> Text:
    """A remark on a party that was asked for and is no partner."""
    return with_parties(f"{word(name)} is no partner of this chain: {hint}", "yellow")


def _none(filtered: bool) -> Text:
    return Text("Nothing of that kind is rejected." if filtered else "Nothing is rejected.", style="green")


def summarized(result: Row, moments: Moments, *, filtered: bool = False) -> Iterator[RenderableType]:
    """How many of each party for each reason, a line each."""
    rows: list[Row] = result.get("summary") or []
    if not rows:
        yield _none(filtered)
        return
    table = plain_table("Party", "Reason", "Count", "Oldest", "What it means", right=("Count",), whole=("Oldest",))
    for row in rows:
        oldest = parse(row.get("oldest"))
        day = Text(moments.day(oldest) if oldest else "–")
        count = f"{int(row.get('count') or 0):,}"
        table.add_row(party(row.get("party")), word(row.get("reason")), count, day, Text(word(row.get("title"))))
    yield table
    counts = (many(int(result.get("total") or 0), "submission"), result.get("rejected") or 0, result.get("held") or 0)
    yield Text("\n{}: {:,} rejected, {:,} held for their orders.".format(*counts), style="dim")
    yield Text("'rejected retry --all --reason WORD' hands in again.", style="dim")


def one(row: Row, moments: Moments) -> Iterator[RenderableType]:
    """One of them: the reason, where it is wrong, and what was sent."""
    problem = row.get("problem") or {}
    held = row.get("outcome") == "held"
    head = Text(f"{'Held' if held else 'Rejected'} submission {word(row.get('number'))} of ", style="bold")
    yield head.append_text(party(row.get("party")))
    yield Text("")
    yield Text(word(problem.get("title")), style="bold red")
    yield Text(word(problem.get("detail")))
    if problem.get("pointer"):
        yield Text(f"at {word(problem['pointer'])}")
    more = (problem.get("errors") or [])[1:]
    if more:
        yield Text("\nAlso:")
        for fault in more:
            yield indented(Text(f"{word(fault.get('pointer')) or 'the event'}: {word(fault.get('detail'))}"), 2)
    yield Text("\nWhat was sent:", style="dim")
    body = row.get("submission")
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    for line in clean(text, newlines=True).split("\n"):
        yield indented(Text(line.lstrip()), 2 + len(line) - len(line.lstrip()))
    if held:
        until = parse(row.get("held_until"))
        ends = f" It is rejected if none comes until {moments.at(until)}." if until else ""
        yield Text(f"\nIt is taken in by itself as soon as its order is known.{ends}", style="dim")
        return
    yield from _advice(row)


def _advice(row: Row) -> Iterator[Text]:
    """What helps: to hand the same in again only where the cause lies elsewhere."""
    number, who = word(row.get("number")), word(row.get("party")) or "its party"
    retry, discard = f"repairchain rejected retry {number}", f"repairchain rejected discard {number}"
    anew = f"have {who} send it anew, mended, and drop this one: {discard}"
    once = _ONCE.get(word(row.get("reason")))
    if once is None:
        yield Text("\nThe submission itself is wrong: to hand in the same again changes nothing.", style="dim")
        yield Text(f"Instead {anew}", style="dim")
        return
    yield Text(f"\n{once}, hand it in again: {retry}", style="dim")
    yield Text(f"Where it is the submission that is wrong, {anew}", style="dim")


def _what(row: Row) -> str:
    body = row.get("submission")
    if not isinstance(body, dict):
        return "–"
    name = word(body.get("type")).removeprefix("repairchain.")
    return f"{name} on {word(body['subject'])}" if body.get("subject") else name or "–"


def _why(problem: Row) -> str:
    detail, title = word(problem.get("detail")), word(problem.get("title"))
    return detail or title
