"""When parties are open, and how a due time comes about, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from cli.counting import CLOSURE, HOLIDAY, OVER, WEEKLY, Count, Day
from cli.render.lines import indented
from cli.render.look import with_parties
from cli.render.moments import Moments, parse
from cli.render.plain import many, word
from cli.render.policy import hours
from cli.render.tables import plain_table
from projections.calendar import Calendar

Row = dict[str, Any]
Holidays = Sequence[tuple[date, str | None]]

_DAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def opening(
    calendars: Sequence[tuple[str | None, Calendar, Holidays]], closures: Sequence[Row], now: datetime
) -> Iterator[RenderableType]:
    """Each calendar with the public holidays to come, and the closures that were announced."""
    for number, (whose, calendar, holidays) in enumerate(calendars):
        moments = Moments(now, calendar.zone)
        if number:
            yield Text("")
        everybody = "everybody else" if len(calendars) > 1 else "everybody"
        yield with_parties(everybody if whose is None else word(whose), "bold")
        yield indented(Text(hours(calendar)), 2)
        for day, name in holidays:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=calendar.zone)
            yield indented(Text(f"closed {moments.day(noon)}").append(f" {word(name)}", style="dim"), 2)
    if not closures:
        return
    yield Text("\nAnnounced closures", style="bold")
    zones = {whose: calendar.zone for whose, calendar, _ in calendars}
    table = plain_table("Party", "From", "Until", "Why", whole=("From", "Until"))
    for row in closures:
        party = word(row.get("party"))
        zone = zones.get(party) or zones.get(party.partition(":")[0]) or calendars[0][1].zone
        moments = Moments(now, zone)
        begin, end = parse(row.get("from")), parse(row.get("until"))
        table.add_row(
            with_parties(party),
            Text(moments.at(begin) if begin else "–"),
            Text(moments.at(end) if end else "–"),
            Text(word(row.get("reason")) or "–"),
        )
    yield table


def counting(party: str, calendar: Calendar, counted: Count) -> Iterator[RenderableType]:
    """What counts of each day, from the beginning to the due time; days in a row that are alike are one line."""
    moments = Moments(counted.start, calendar.zone)
    yield with_parties(f"{word(party)}: {counted.amount} from {moments.at(counted.start)}", "bold")
    if counted.amount.around_the_clock:
        yield indented(Text("runs around the clock: nights, weekends, holidays and closures count", style="dim"), 2)
    else:
        total = sum(day.counted.total_seconds() for day in counted.days)
        yield indented(Text(f"{_length(total)} of its opening hours; {hours(calendar)}", style="dim"), 2)
        yield Text("")
        table = plain_table("Day", "Counts", "What of it", right=("Counts",))
        for alike in _in_a_row(counted.days, moments):
            table.add_row(_named(alike, moments), *_told(alike, moments))
        yield table
    yield Text(f"\ndue {moments.at(counted.due)}", style="bold green").append(
        f"; times are {calendar.time_zone}", style="dim not bold"
    )


def not_counted(days: Sequence[Day], moments: Moments) -> str:
    """``4 days on which it does not open, Good Friday (Fri 2 Apr), closed Mon 12 Jul to Fri 23 Jul (summer)``."""
    weekly = sum(day.why == WEEKLY for day in days)
    parts = [f"{many(weekly, 'day')} on which it does not open"] if weekly else []
    parts += [f"{word(day.name) or 'holiday'} ({_short(day.day, moments)})" for day in days if day.why == HOLIDAY]
    closed = [day for day in days if day.why == CLOSURE]
    for reason in dict.fromkeys(day.name for day in closed):
        those = [_short(day.day, moments) for day in closed if day.name == reason]
        until = f" to {those[-1]}" if len(those) > 1 else ""
        parts.append(f"closed {those[0]}{until}{f' ({word(reason)})' if reason else ''}")
    return ", ".join(parts)


def _short(day: date, moments: Moments) -> str:
    return moments.day(datetime(day.year, day.month, day.day, 12, tzinfo=moments.zone))


def _in_a_row(days: Sequence[Day], moments: Moments) -> Iterator[list[Day]]:
    """Days one after the other of which the same counts, for the same reason."""

    def alike(day: Day) -> tuple[object, ...]:
        return day.why, day.name, [(moments.clock(begin), moments.clock(until)) for begin, until in day.spans]

    for _, those in groupby(days, key=alike):
        yield list(those)


def _named(days: list[Day], moments: Moments) -> Text:
    first, last = _short(days[0].day, moments), _short(days[-1].day, moments)
    return Text(first if len(days) == 1 else f"{first} – {last}")


def _told(days: list[Day], moments: Moments) -> tuple[Text, Text]:
    day = days[0]
    spans = ", ".join(f"{moments.clock(begin)}–{moments.clock(until)}" for begin, until in day.spans)
    counts = _length(day.counted.total_seconds()) + (" each" if len(days) > 1 else "") if day.spans else "–"
    why = {
        WEEKLY: "does not open on " + _listed([_DAYS[each.day.weekday()] for each in days]),
        HOLIDAY: f"public holiday{f': {word(day.name)}' if day.name else ''}",
        CLOSURE: f"announced closure{f': {word(day.name)}' if day.name else ''}",
        OVER: "is over for that day",
    }.get(day.why or "", "")
    told = Text(spans).append(f"{'; ' if spans and why else ''}{why}", style="dim")
    return Text(counts), told


def _length(seconds: float) -> str:
    """In hours and minutes: what a day is differs from party to party."""
    whole, minutes = divmod(round(seconds / 60), 60)
    parts = [f"{whole:,} h" if whole else "", f"{minutes} min" if minutes else ""]
    return " ".join(part for part in parts if part) or "0 h"


def _listed(names: list[str]) -> str:
    known = list(dict.fromkeys(names))
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}"
