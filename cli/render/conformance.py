"""What would happen to a partner's sample file: its events, then its orders with what customers would hear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.look import AT_HOME, party, status_text, with_parties
from cli.render.owed import step, who
from cli.render.plain import clean, word
from cli.render.receipts import STYLES
from cli.render.tables import plain_table

Row = dict[str, Any]

_LONGEST_NAME: Final = 240  # bytes that an id may have


def rehearsal(document: Row, hints: Sequence[str], made_up: Collection[int]) -> Iterator[RenderableType]:
    """``events`` and ``orders`` as `partner test --json` prints them, and ``hints`` on what is wrong.

    An id that was ``made_up`` for the test, of the event with that number, stands in no file: it only takes room.
    """
    events, orders = document["events"], document["orders"]
    table = plain_table("#", "Event", "Type", "Order", "Outcome", right=("#",))
    for each in events:
        table.add_row(
            Text(str(each["number"])),
            Text("–" if each["number"] in made_up else _name(each["id"])),
            Text(_name(each["type"]).removeprefix("repairchain.")),
            Text(_name(each["order"] or each["subject"])),
            _outcome(each),
        )
    yield table
    for each in orders:
        yield from _order(each)
    counted = Counter(each["outcome"] for each in events)
    totals = ", ".join(f"{counted[each]:,} {each}" for each in STYLES if counted[each])
    yield Text(f"\n{totals}", style="bold red" if counted["rejected"] else "bold")
    if counted["held"]:
        yield Text(
            "Held: about an order that this file does not open; --open-missing opens it for the test.", style="dim"
        )
    for hint in hints:
        yield Text(clean(hint))


def _name(value: Any) -> str:
    """As much as an id may have: the file may hold anything, and megabytes of it make a table that never ends."""
    return word(value)[:_LONGEST_NAME] or "–"


def _outcome(event: Row) -> Text:
    outcome = word(event["outcome"])
    told = Text(outcome, style=STYLES.get(outcome, ""))
    if event["waited"]:
        told.append(" (held until its order was known)", style="not bold")
    problem = event["problem"] or {}
    if outcome == "rejected":
        for fault in problem.get("errors") or [problem]:
            where = word(fault.get("pointer"))
            said = word(fault.get("detail") or problem.get("title"))
            told.append(f"\n{where + ': ' if where and not said.startswith(where) else ''}{said}", style="not bold")
    return told


def _order(order: Row) -> Iterator[RenderableType]:
    line = (
        Text("\n")
        .append(word(order["order"]), style="bold")
        .append(" would be ")
        .append_text(status_text(order["status"]))
    )
    if order["at_home"]:
        line.append(f", with {AT_HOME}")
    elif order["holder"]:
        line.append(", sent by " if order["status"] == "in_transit" else ", with ").append_text(party(order["holder"]))
    if order["next_step"] and order["next_owner"]:
        line.append_text(with_parties(f"; next: {who(order['next_owner'])} is to {step(order)}"))
    if order["assumed"]:
        line.append(" (opened for the test)", style="dim")
    yield line
    for told in order["told"]:
        state = (
            ""
            if told["status"] == "sent"
            else f" ({word(told['status'])}{': ' + word(told['reason']) if told['reason'] else ''})"
        )
        yield Text(f"  {word(told['kind'])}: “{word(told['subject'])}”{state}")
    if not order["told"]:
        yield Text("  its customer would be told nothing", style="dim")
