"""An order's timeline as a story: what happened, what that asked of whom and whether it came, what she was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.render.lines import Hanging, indented, quoted
from cli.render.look import with_parties
from cli.render.messages import waits_for
from cli.render.moments import Moments, parse
from cli.render.order import order_panel
from cli.render.outcomes import by_opener, outcomes
from cli.render.owed import at_home
from cli.render.plain import clean, many, word
from cli.render.sentences import sentence, unknown

Row = dict[str, Any]

#: A fact that became known this much later than it happened says so (seconds).
_LATE: Final = 3600.0
#: So many that became known late on one day, as after an import, say so together.
_TOGETHER: Final = 3

#: Where the text begins: time, mark and the space around them.
_INDENT: Final = 10

_FATES: Final = ("message.sent", "message.failed", "message.unknown", "message.suppressed")


def timeline(result: Row, moments: Moments, *, raw: bool = False, brief: bool = False) -> Iterator[RenderableType]:
    """What to print for the query ``timeline``, top to bottom; ``brief`` leaves out what is in the letters."""
    everything: list[Row] = result.get("entries") or []
    order: Row = result.get("order") or {}
    commitments: list[Row] = result.get("commitments") or []
    yield order_panel(order, moments, commitments)
    entries = everything if raw else list(_told(everything))
    waits = {word(row.get("message_id")): waits_for(row, moments) for row in result.get("messages") or []}
    owed = by_opener(at_home(each, order) for each in commitments)
    yield from _Story(moments, word(order.get("order_id")), owed, raw, brief, waits).tell(entries)


def _told(entries: list[Row]) -> Iterator[Row]:
    """Without what was taken back, and without plans of messages whose fate is told."""
    settled = {_message(entry) for entry in entries if entry.get("type") in _FATES}
    for entry in entries:
        planned = entry.get("type") in ("message.planned", "message.attempted")
        if not entry.get("voided") and not (planned and _message(entry) in settled) and not _is_our_cue(entry):
            yield entry


def _is_our_cue(entry: Row) -> bool:
    """That a letter of ours fell due is told by the letter."""
    data = entry.get("data") or {}
    first = entry.get("type") == "commitment.nudged" or (
        entry.get("type") == "commitment.overdue" and data.get("level") == 1
    )
    return first and data.get("kind") in ("update", "check")


def _message(entry: Row) -> str:
    return word((entry.get("data") or {}).get("message"))


@dataclass
class _Story:
    moments: Moments
    order: str
    opened: dict[str, list[Row]]
    raw: bool
    brief: bool
    #: By message, why one that is planned has not left.
    waits: dict[str, str]
    late_together: set[str] = field(default_factory=set)

    def tell(self, entries: list[Row]) -> Iterator[RenderableType]:
        if not entries:
            yield Text("Nothing has happened yet.", style="dim")
        late = Counter(day for entry in entries if (day := self._late_day(entry)))
        for day, count in late.items():
            if count >= _TOGETHER:
                self.late_together.add(day)
                told = f"{many(count, 'fact')} became known only on {day}."
                yield indented(Text(told, style="dim"), 1)
        previous: datetime | None = None
        shown_clock = ""
        for entry in entries:
            moment = parse(entry.get("occurred_at")) or self.moments.now
            clock = self.moments.clock(moment)
            if previous is None or self.moments.days_between(previous, moment):
                yield from self._new_day(previous, moment)
                shown_clock = ""
            yield from self._entry(entry, "" if clock == shown_clock else clock)
            previous, shown_clock = moment, clock

    def _new_day(self, previous: datetime | None, moment: datetime) -> Iterator[RenderableType]:
        days = self.moments.days_between(previous, moment) if previous else 0
        if days > 1:  # of the very next day the headings say it
            yield Text(f"     ⋮ {many(days, 'day')} later", style="dim")
        yield Text(f" {self.moments.day(moment)}", style="bold")

    def _entry(self, entry: Row, clock: str) -> Iterator[RenderableType]:
        name, data = clean(entry.get("type", "")), entry.get("data") or {}
        front = Text(f"{clock:>7} ", style="dim").append_text(_mark(name, data)).append(" ")
        yield Hanging(front, self._headline(entry, name, data), Text(" " * _INDENT))
        if entry.get("voided"):
            return
        if name == "message.sent" and not self.brief:
            for line in clean(data.get("body") or "", newlines=True).strip().split("\n"):
                yield quoted(Text(line), _INDENT, "green")
        opener = (word(entry.get("said_of")) or self.order, word(entry.get("source")), word(entry.get("id")))
        opened = self.opened.get("/".join(opener), ())
        for outcome in outcomes(opened, self.moments, raw=self.raw):
            yield indented(outcome, _INDENT)

    def _headline(self, entry: Row, name: str, data: Row) -> Text:
        source = clean(entry.get("source", "?"))
        if entry.get("known", True):
            said = sentence(name, data, self.moments, by_customer=source.startswith("customer:"))
        else:
            said = unknown(f"{name} (version {word(entry.get('version'))})", data)
        speaker = "the chain" if source.startswith("chain:") and not self.raw else source
        voided = bool(entry.get("voided"))
        text = with_parties(f"{speaker} {said}", "strike dim" if voided else "")
        if name == "message.planned" and (waits := self.waits.get(_message(entry))):
            text.append(f"; it {waits}", style="yellow")
        if entry.get("said_of"):
            text.append(f" (of {word(entry['said_of'])})", style="dim")
        recorded, day = parse(entry.get("recorded_at")), self._late_day(entry)
        if recorded and day and day not in self.late_together:
            text.append(f" (known since {self.moments.at(recorded)})", style="dim")
        if voided:
            text.append(" (taken back)", style="dim")
        if self.raw:
            text.append(f" #{word(entry.get('position'))} {name} {word(entry.get('id'))}", style="dim")
        return text

    def _late_day(self, entry: Row) -> str:
        """The day on which a fact became known, if that was late; else nothing."""
        occurred, recorded = parse(entry.get("occurred_at")), parse(entry.get("recorded_at"))
        if not occurred or not recorded or (recorded - occurred).total_seconds() < _LATE:
            return ""
        return self.moments.day(recorded)


def _mark(name: str, data: Row) -> Text:
    if name == "customer.contacted" and data.get("direction") == "inbound":
        return Text("☎", style="bold yellow")
    if name.startswith("message."):
        return Text("✉", style="green" if name == "message.sent" else "red")
    if name == "commitment.overdue":
        return Text("!", style="bold red")
    if name == "commitment.nudged":
        return Text("!", style="yellow")
    return Text("·", style="dim")
