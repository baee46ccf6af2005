"""Whose move it is, and who was waited for how long: lines of the panel and of the lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from rich.text import Text

from cli.render.look import with_parties
from cli.render.moments import Moments, parse, span
from cli.render.owed import is_customer, is_to, to_do, who
from cli.render.plain import many

Row = dict[str, Any]

#: From so many working days on, a tenth of one is of no interest.
_MANY: Final = 10
#: Whoever was waited for less than this has kept nobody waiting (seconds).
_WORTH_TELLING: Final = 3_600
#: What less than a working day is told in.
_UNITS: Final = (("hour", 3600), ("minute", 60))


def move(ball: Row, moments: Moments) -> Text:
    """Whose move it is: ``importer:noord is to send it on by Thu 12 Nov 10:00 (in 2 days), since Tue 10 Nov 10:00``."""
    owner, kind, since = ball.get("owner"), ball.get("kind"), parse(ball.get("opened_at"))
    if ball.get("state") == "paused":
        text = Text("").append("waits for the customer", style="yellow")
        return text.append_text(with_parties(f"; then {is_to(owner, kind)}"))
    if is_customer(owner):
        text = Text("").append("waits for the customer", style="yellow").append(f", who is to {to_do(kind)}")
    else:
        text = with_parties(is_to(owner, kind))
    text.append_text(by(parse(ball.get("due_at")), moments))
    return text.append(f", since {moments.at(since)}") if since else text


def by(due: datetime | None, moments: Moments) -> Text:
    """`` by Thu 12 Nov 10:00 (in 2 days)``, red once it has passed."""
    if due is None:
        return Text("")
    return Text(f" by {moments.at(due)} ").append(f"({moments.left(due)})", style="red" if due < moments.now else "")


def waited_for(rows: list[Row]) -> Text:
    """Whose move it was for how long, and how much of that was working time of theirs.

    Not who had the thing in hand: of a parcel on its way it is the receiver who is waited for. Empty where it was
    nobody's for long.
    """
    text = Text("")
    for row in rows:
        if (row.get("seconds") or 0) < _WORTH_TELLING:
            continue
        text.append(" · " if text else "")
        text.append_text(with_parties(f"{who(row.get('party'))} {span(row.get('seconds') or 0)}"))
        if worked := _worked(row):
            text.append(f" ({worked})", style="dim")
    return text


def _worked(row: Row) -> str:
    """``15 working days``, ``5 working hours``, ``none of it in opening hours``; nothing where all of it was."""
    worked, day = row.get("working_seconds"), row.get("working_day_seconds")
    if worked is None or worked >= (row.get("seconds") or 0):
        return ""
    if worked < 1:
        return "none of it in opening hours"
    if day and worked >= day:
        days = worked / day
        told = f"{days:.0f}" if days >= _MANY else f"{days:.1f}".removesuffix(".0")
        return f"{told} working day{'' if told == '1' else 's'}"
    unit, seconds = next((each for each in _UNITS if worked >= 1.5 * each[1]), ("second", 1))
    return many(round(worked / seconds), f"working {unit}")
