"""What the customers were told: each message with its fate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.ledger import foot
from cli.render.lines import Hanging, indented, quoted
from cli.render.moments import Moments, parse
from cli.render.owed import FORGOTTEN
from cli.render.plain import clean, many, word

Row = dict[str, Any]

#: All other channels are for texts, as services.contact has it, which to import takes longer than a whole query.
LETTERS = ("email", "webhook")
_STYLES = {"sent": "green", "failed": "bold red", "suppressed": "dim", "planned": "yellow"}

_WAITING: Final = (
    "planned: not sent yet; it waits for what else there may be to tell (some minutes), for the morning, or for a "
    "service that does not answer."
)


#: Why a planned message has not left.
_WAITS: Final = {
    "more_to_tell": " for what else there may be to tell",
    "quiet_hours": " for the end of her quiet hours",
    "tomorrow": ", as she has had all her letters of today",
    "channel": " for a channel that did not take it yet",
}


def waits_for(row: Row, moments: Moments) -> str:
    """``waits until Wed 18 Nov 10:06 for what else there may be to tell``; nothing where nobody knows that it waits."""
    reason, until = _WAITS.get(word(row.get("waits_for"))), parse(row.get("waits_until"))
    if reason is None:
        return ""
    return f"waits until {moments.at(until)}{reason}" if until else f"waits{reason}"


def messages(result: Row, moments: Moments) -> Iterator[RenderableType]:
    """The query ``messages``, each in full."""
    rows: list[Row] = result.get("messages") or []
    if not rows:
        yield Text("No messages.")
        return
    for number, row in enumerate(rows):
        if number:
            yield Text("")
        yield from message(row, moments)
    yield letters_foot(many(len(rows), "message"), moments)
    yield from waiting_foot(rows)


def waiting_foot(rows: Sequence[Row]) -> Iterator[Text]:
    """Below letters that are planned and do not say why they are still here: for whoever wonders whether it hangs."""
    if any(word(row.get("status")) in ("", "planned") and not row.get("waits_for") for row in rows):
        yield Text(_WAITING, style="dim")


def letters_foot(text: str, moments: Moments) -> Text:
    """The last line below letters: what stands in them was written for their readers, in the readers' zones."""
    return foot(text, moments).append("; within a letter they are the customer's own")


def message(row: Row, moments: Moments) -> Iterator[RenderableType]:
    """One message: when, what became of it, subject and body."""
    status = word(row.get("status")) or "planned"
    moment = parse(row.get("sent_at")) or parse(row.get("planned_at"))
    head = Text("✉ ", style=_STYLES.get(status, ""))
    head.append(moments.both(moment) if moment else "–", style="default")
    head.append(f"  {word(row.get('order_id'))}", style="bold default")
    about = f"  {word(row.get('kind'))}, {word(row.get('channel'))}, {word(row.get('language'))}: "
    head.append(about, style="not bold default").append(status)
    if row.get("reason"):
        head.append(f", {word(row['reason'])}")
    if waits := waits_for(row, moments):
        head.append(f", {waits}")
    yield head
    if row.get("subject") and word(row.get("channel")) in LETTERS:  # a text has none
        yield indented(Text(word(row["subject"]), style="bold"), 2)
    for line in clean(row.get("body") or "", newlines=True).strip().split("\n"):
        yield quoted(Text(line), 2, "green" if status == "sent" else "dim")
    if status == "unknown":
        yield from _to_settle(row)
    news = parse(row.get("next_news_by"))
    if news:
        void = bool(row.get("customer_forgotten"))
        told = f"next news: {FORGOTTEN}" if void else f"next news by {moments.at(news)}"
        yield indented(Text(told, style="yellow" if void else "dim"), 2)


def _to_settle(row: Row) -> Iterator[RenderableType]:
    """How to say whether she got a message of which nobody knows it; only its id tells it from others."""
    command = f"repairchain messages settle {word(row.get('message_id'))} --arrived"
    yield indented(
        Text("Ask her whether she got it, and say so, with --arrived or --never-arrived:", style="yellow"), 2
    )
    yield indented(Text(command), 2)


def specimens(rows: Sequence[Row]) -> Iterator[RenderableType]:
    """Examples of messages: what is the case, subject and body, and the text on a telephone."""
    for number, row in enumerate(rows):
        if number:
            yield Text("")
        head = Text("✉ ", style="cyan").append(f"{row['kind']}, {row['language']}", style="bold default")
        yield head.append(f": {row['case']}", style="not bold default")
        yield indented(Text(word(row["subject"]), style="bold"), 2)
        for line in clean(row["body"], newlines=True).strip().split("\n"):
            yield quoted(Text(line), 2, "cyan")
        yield indented(Text(f"as a text, in {len(row['text'])} characters:", style="dim"), 2)
        for line in clean(row["text"], newlines=True).split("\n"):
            yield quoted(Text(line), 2, "cyan")


def faults(found: Sequence[str]) -> Iterator[RenderableType]:
    """What is wrong with a shop's own templates."""
    if found:
        yield Text("")
        yield Text("These templates cannot be used; our own take their place:", style="bold red")
    for fault in found:
        yield Hanging(Text("  ✗ ", style="red"), Text(clean(fault)), Text("    "))
