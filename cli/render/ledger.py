"""Lists of what is owed: the ledger, what is overdue or likely to be, whose move it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging
from cli.render.look import spoken, with_parties
from cli.render.moments import Moments, parse, span
from cli.render.move import move, waited_for
from cli.render.owed import FORGOTTEN, has_not, is_to, is_void_news, paused, to_do, who
from cli.render.plain import many, word
from cli.render.sentences import PARCEL_WORDS
from cli.render.tables import plain_table

Row = dict[str, Any]

#: How much history a chance rests on, by what it is of.
_BASES: Final = {"lane": "on this lane", "owner": "of this party", "role": "in this role"}
_LATE: Final = ("overdue", "met_late")
#: What is said beside how it stands.
_BESIDE: Final = "dim not bold default"


def commitments(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``commitments``; of one order, below whose move it is and who was waited for how long."""
    rows: list[Row] = result.get("commitments") or []
    forgotten = {"customer_forgotten": any(map(is_void_news, rows))}
    if result.get("ball") and not is_void_news(result["ball"], forgotten):
        yield _labelled("Next        ", move(result["ball"], moments))
    waited = waited_for(result.get("time_spent") or [])
    if waited:
        yield _labelled("Waited for  ", waited)
    if not rows:
        yield Text("Nothing of that kind was owed.")
        return
    of_one = "ball" in result
    if result.get("ball") or waited:
        yield Text("")
    chances = any(row.get("chance") is not None for row in rows)
    columns = [
        *([] if of_one else ["Order"]),
        "Who owes what",
        "Due",
        "How it stands",
        *(["Chance"] if chances else []),
    ]
    table = plain_table(*columns, right=("Chance",), whole=("Due",))
    for row in rows:
        cells = [
            *([] if of_one else [Text(word(row.get("order")), style="bold")]),
            with_parties(is_to(row.get("owner"), row.get("kind"), row.get("topic"))),
            due_text(row, moments),
            _standing(row, moments),
        ]
        table.add_row(*cells, *([_chance(row)] if chances else []))
    yield table
    late = sum(row.get("state") in _LATE and not is_void_news(row) for row in rows)
    yield foot(f"{many(len(rows), 'commitment')}, {late:,} of them late", moments)


def stalled(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``stalled``: what is overdue, the longest first; below it what is likely to be."""
    rows: list[Row] = result.get("stalled") or []
    if rows:
        table = plain_table("Overdue", "Order", "Who owes what", "Due", right=("Overdue",), whole=("Due",))
        for row in rows:
            table.add_row(
                Text(span(row.get("overdue_seconds") or 0), style="bold red"),
                Text(word(row.get("order")), style="bold"),
                with_parties(has_not(row.get("owner"), row.get("kind"), row.get("topic")))
                .append_text(_by_carrier(row.get("parcel"), moments))
                .append(f"; {FORGOTTEN}" if is_void_news(row) else "", style=_BESIDE),
                due_text(row, moments),
            )
        yield table
        yield foot(f"{many(len(rows), 'commitment')} overdue", moments)
    else:
        yield Text("Nothing is overdue.", style="green")
    likely: list[Row] = result.get("likely") or []
    if likely:
        yield Text("\nLikely to be late", style="bold")
        yield from _likely(likely, moments)


def _by_carrier(parcel: object, moments: Moments) -> Text:
    """``; the carrier says that it was delivered, Tue 3 Mar 11:00``; nothing where it says nothing."""
    if not isinstance(parcel, dict) or (at := parse(parcel.get("carrier_at"))) is None:
        return Text("")
    status = word(parcel.get("carrier_status"))
    says = f"{word(parcel.get('carrier')) or 'the carrier'} says that it {PARCEL_WORDS.get(status, spoken(status))}"
    return Text(f"; {says}, {moments.at(at)}", style=_BESIDE)


def _likely(rows: list[Row], moments: Moments) -> Iterator[RenderableType]:
    table = plain_table("Chance", "Order", "Who owes what", "Due", "Judged by", right=("Chance",), whole=("Due",))
    for row in rows:
        table.add_row(
            _chance(row),
            Text(word(row.get("order")), style="bold"),
            with_parties(is_to(row.get("owner"), row.get("kind"), row.get("topic"))),
            due_text(row, moments),
            Text(_basis(row)),
        )
    yield table
    told = "Chance: of earlier ones that had taken as long as this has by now, how many were done within its time."
    yield Text(f"\n{told}", style="dim")


def ball(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``ball``: of every open order whose move it is; of one party all that it owes."""
    rows: list[Row] = result.get("ball") or []
    party = result.get("party")
    if party is not None:
        yield from _work_of(word(party), rows, moments)
        return
    if not rows:
        yield Text("Nobody owes anything on an open order.", style="green")
        return
    bounced = any(row.get("bounces") for row in rows)
    columns = ["Order", "Whose move", "Since", "By", *(["There and back"] if bounced else [])]
    table = plain_table(*columns, right=("There and back",), whole=("Since", "By"))
    for row in rows:
        since = parse(row.get("opened_at"))
        cells = [
            Text(word(row.get("order")), style="bold"),
            with_parties(is_to(row.get("owner"), row.get("kind"), row.get("topic"))).append(
                f"; {FORGOTTEN}" if is_void_news(row) else "", style=_BESIDE
            ),
            Text(moments.day(since) if since else "–"),
            due_text(row, moments),
        ]
        table.add_row(*cells, *([Text(f"{row.get('bounces') or 0}×")] if bounced else []))
    yield table
    yield foot(many(len(rows), "order"), moments)


def _work_of(party: str, rows: list[Row], moments: Moments) -> Iterator[RenderableType]:
    if not rows:
        yield with_parties(f"{party} owes nothing.", "green")
        return
    yield with_parties(f"What {who(party)} is to do, the most urgent first\n", "bold")
    chances = any(row.get("chance") is not None for row in rows)
    columns = ["Order", "What", "Since", "By", "How it stands", *(["Chance"] if chances else [])]
    table = plain_table(*columns, right=("Chance",), whole=("Since", "By"))
    for row in rows:
        since = parse(row.get("opened_at"))
        cells = [
            Text(word(row.get("order")), style="bold"),
            Text(to_do(row.get("kind"), row.get("topic"))),
            Text(moments.day(since) if since else "–"),
            due_text(row, moments),
            _standing(row, moments),
        ]
        table.add_row(*cells, *([_chance(row)] if chances else []))
    yield table
    late = sum(row.get("state") == "overdue" for row in rows)
    yield foot(f"{many(len(rows), 'commitment')}, {late:,} of them late", moments)


def due_text(row: Row, moments: Moments) -> Text:
    """By when it is owed, in red if that has passed."""
    due = None if is_void_news(row) else parse(row.get("due_at"))
    return Text(moments.at(due) if due else "–", style="red" if row.get("state") == "overdue" else "")


def _standing(row: Row, moments: Moments) -> Text:
    """``open, in 3 h``, ``6 days late``, ``✓ Thu 5 Nov 09:15``."""
    if is_void_news(row):
        return Text(FORGOTTEN, style="yellow")
    state, due, ended = word(row.get("state")), parse(row.get("due_at")), parse(row.get("ended_at"))
    late = span(((ended or moments.now) - due).total_seconds()) if due else ""
    if state == "open":
        text = Text(f"open, {moments.relative(due)}" if due else "open", style="yellow")
    elif state == "overdue":
        text = Text(f"✗ {late} late", style="bold red")
    elif state == "paused":
        text = Text(paused(row), style="yellow")
    elif state == "met":
        text = Text("✓ kept", style="green").append(f", {moments.at(ended)}" if ended else "", style=_BESIDE)
    elif state == "met_late":
        text = Text(f"✗ {late} late", style="red").append(f", {moments.at(ended)}" if ended else "", style=_BESIDE)
    elif state == "cancelled" and due and ended and ended > due:
        text = Text(f"✗ {late} overdue when it was no longer needed", style="red")
    else:
        text = Text("no longer needed" if state == "cancelled" else state, style="dim")
    if row.get("promised_at"):
        moved = (row.get("promises") or 0) > 1 and row.get("first_promised_at") != row.get("promised_at")
        first, promised = parse(row.get("first_promised_at")), parse(row["promised_at"])
        # What she was told may be a day other than the one that the rules ask for.
        of_it = " (promised)" if promised == due or promised is None else f" (promised by {moments.at(promised)})"
        text.append(f" (first promised by {moments.at(first)})" if moved and first else of_it, style=_BESIDE)
    return text


def _chance(row: Row) -> Text:
    chance = row.get("chance")
    if chance is None:
        return Text("–", style="dim")
    return Text(f"{chance:.0%}", style="red" if chance < 0.5 else "")


def _basis(row: Row) -> str:
    based_on = word(row.get("based_on"))
    return f"{row.get('cases') or 0:,} {_BASES.get(based_on, based_on)}"


def _labelled(label: str, text: Text) -> Hanging:
    return Hanging(Text(label, style="dim"), text, Text(" " * len(label)))


def foot(text: str, moments: Moments) -> Text:
    """The last line of a list, which says in which zone its times are."""
    return Text(f"\n{text}; times are {moments.zone_name()}", style="dim")
