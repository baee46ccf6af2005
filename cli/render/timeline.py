"""An order's timeline as a story: what happened, which promises were kept, what the customer was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging, indented, quoted
from cli.render.look import with_parties
from cli.render.moments import Moments, parse, span
from cli.render.order import Row, order_panel
from cli.render.plain import clean, many, word
from cli.render.sentences import sentence, unknown

#: A fact that became known this much later than it happened says so (seconds).
LATE_NEWS = 3600.0

#: Shown only with --raw: the sent message tells the same again.
_PLANNING = frozenset({"message.planned"})

#: Where the text begins: time, mark and the space around them.
_INDENT = 10


def timeline(result: Row, moments: Moments, *, raw: bool = False) -> Iterator[RenderableType]:
    """What to print for the query ``timeline``, top to bottom."""
    order: Row = result.get("order") or {}
    commitments: list[Row] = result.get("commitments") or []
    yield order_panel(order, moments, commitments)
    settled = {
        word(entry.get("data", {}).get("message"))
        for entry in result.get("entries") or []
        if entry.get("type") in ("message.sent", "message.failed", "message.suppressed")
    }
    entries = [entry for entry in result.get("entries") or [] if raw or _belongs(entry, settled)]
    previous: datetime | None = None
    for entry in entries:
        moment = parse(entry.get("occurred_at")) or moments.now
        if previous is None or moments.local(previous).date() != moments.local(moment).date():
            yield from _new_day(previous, moment, moments)
            previous_clock = ""
        clock = moments.clock(moment)
        yield from _entry(entry, "" if clock == previous_clock else clock, moments, commitments, raw)
        previous, previous_clock = moment, clock
    if not entries:
        yield Text("Nothing has happened yet.", style="dim")


def _belongs(entry: Row, settled: set[str]) -> bool:
    if entry.get("voided"):
        return False
    return not (entry.get("type") in _PLANNING and word(entry.get("data", {}).get("message")) in settled)


def _new_day(previous: datetime | None, moment: datetime, moments: Moments) -> Iterator[RenderableType]:
    if previous:
        yield Text(f"     ⋮ {many(moments.days_between(previous, moment), 'day')}", style="dim")
    yield Text(f" {moments.day(moment)}", style="bold")


def _entry(entry: Row, clock: str, moments: Moments, commitments: Iterable[Row], raw: bool) -> Iterator[RenderableType]:
    name, data = clean(entry.get("type", "")), entry.get("data") or {}
    front = Text(f"{clock:>7} ", style="dim").append_text(_mark(name, data)).append(" ")
    yield Hanging(front, _headline(entry, name, data, moments, raw), Text(" " * _INDENT))
    if entry.get("voided"):
        return
    if name == "message.sent":
        for line in clean(data.get("body") or "", newlines=True).strip().split("\n"):
            yield quoted(Text(line), _INDENT, "green")
    for promise in _promises(entry, name, data, commitments, moments):
        yield indented(promise, _INDENT)


def _speaker(source: str, raw: bool) -> str:
    return "the chain" if source.startswith("chain:") and not raw else source


def _headline(entry: Row, name: str, data: Row, moments: Moments, raw: bool) -> Text:
    if entry.get("known", True):
        told = sentence(name, data, moments)
    else:
        told = unknown(f"{name} (version {word(entry.get('version'))})", data)
    said = f"{_speaker(clean(entry.get('source', '?')), raw)} {told}"
    text = with_parties(said, "strike dim" if entry.get("voided") else "")
    occurred, recorded = parse(entry.get("occurred_at")), parse(entry.get("recorded_at"))
    if occurred and recorded and (recorded - occurred).total_seconds() >= LATE_NEWS:
        text.append(f" (known since {moments.at(recorded)})", style="dim")
    if entry.get("voided"):
        text.append(" (taken back)", style="dim")
    if raw:
        text.append(f" #{word(entry.get('position'))} {name} {word(entry.get('id'))}", style="dim")
    return text


def _mark(name: str, data: Row) -> Text:
    if name == "customer.contacted" and data.get("direction") == "inbound":
        return Text("☎", style="bold yellow")
    if name.startswith("message."):
        return Text("✉", style="green" if name == "message.sent" else "red")
    if name == "commitment.overdue":
        return Text("!", style="bold red")
    return Text("·", style="dim")


def _promises(entry: Row, name: str, data: Row, commitments: Iterable[Row], moments: Moments) -> Iterator[Text]:
    """The expectations that this fact opened, and how each ended."""
    for each in commitments:
        kind, debtor = each.get("kind"), each.get("owed_by")
        if each.get("since") != entry.get("occurred_at"):
            continue
        if kind == "receipt" and name == "item.handed_over" and debtor == data.get("to"):
            yield _outcome(f"receipt by {clean(debtor)}", each, each.get("due"), moments)
        elif kind == "news" and name == "message.sent" and data.get("next_news_by"):
            yield _outcome("next news", each, data["next_news_by"], moments)


def _outcome(what: str, commitment: Row, due_text: Any, moments: Moments) -> Text:
    due, met = parse(due_text), parse(commitment.get("settled_at"))
    text = with_parties(f"{what} due {moments.at(due) if due else '?'}: ", "dim")
    state = commitment.get("state")
    if state == "met" and due and met:
        late = (met - due).total_seconds()
        if late > 0:
            return text.append(f"✗ came {span(late)} late, {moments.at(met)}", style="red")
        return text.append("✓ kept", style="green").append(f", {moments.at(met)}", style="dim")
    if state == "open" and due:
        late = (moments.now - due).total_seconds()
        if late > 0:
            return text.append(f"✗ overdue by {span(late)}", style="bold red")
        return text.append(f"open, {moments.relative(due)}", style="yellow")
    ended = {"superseded": "no longer needed, it moved on", "ended": "no longer needed"}
    return text.append(ended.get(str(state), word(state)), style="dim")
