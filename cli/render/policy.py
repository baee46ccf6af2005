"""A policy for people: what it allows, its exceptions, what happens when time runs out, and who is open when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.lines import Hanging, indented
from cli.render.look import with_parties
from cli.render.plain import clean, many
from cli.render.tables import plain_table
from projections.calendar import Calendar, write_slots
from projections.policies.messages import quiet_span
from projections.policy import KINDS, Kind, Levels, Policy

#: What a kind asks of the one who owes it.
MEANINGS: Final[dict[Kind, str]] = {
    "receive": "say that an item came in",
    "forward": "send on what cannot be repaired here",
    "diagnose": "say what is wrong",
    "decide": "choose, as the customer",
    "cover": "say whether the guarantee pays",
    "part": "have the part",
    "repair": "repair it",
    "return": "bring it back",
    "answer": "answer a question",
    "update": "give the customer news",
    "visit": "come within the agreed window",
    "check": "ask whether all is well",
    "call": "reach the customer in person where no message did",
    "promise": "keep what was promised by a date",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def summary(policy: Policy, name: str, standing: str | None = None) -> Iterator[RenderableType]:
    """The whole of it, section by section; ``standing`` says whether a chain goes by it."""
    yield Text(clean(name), style="bold").append(f" can be used (digest {policy.digest})", style="not bold")
    if standing:
        yield Text(standing)
    yield Text("\nHow long everything may take", style="bold")
    yield _allowed(policy)
    if policy.overrides:
        yield Text("\nExceptions, the most precise first", style="bold")
        yield _exceptions(policy)
    yield Text("\nWhen time runs out", style="bold")
    for kinds, levels in _levels(policy):
        yield from _named(kinds, _in_words(levels))
    yield Text("\nMessages to customers", style="bold")
    yield indented(Text(_messages(policy)), 2)
    yield Text("\nWho is open when", style="bold")
    for whose, calendar in _calendars(policy):
        yield from _named(whose, hours(calendar))
    yield Text("\nUrgent and safety orders run around the clock, whoever is open.", style="dim")
    for note in policy.notes():
        yield Text("")
        yield Hanging(Text("note: ", style="yellow"), with_parties(clean(note)), Text("      "))


def _allowed(policy: Policy) -> Table:
    table = plain_table("Kind", "Time", "To", whole=("Kind",))
    for kind in KINDS:
        table.add_row(Text(kind, style="bold"), Text(str(policy.allow[kind])), Text(MEANINGS[kind]))
    return table


def _exceptions(policy: Policy) -> Table:
    table = plain_table("For", "Time", "Kinds")
    for override in policy.overrides:
        kinds_of: dict[str, list[Kind]] = {}
        for kind in KINDS:
            if kind in override.allow:
                kinds_of.setdefault(str(override.allow[kind]), []).append(kind)
        for number, (amount, kinds) in enumerate(kinds_of.items()):
            scope = "" if number else clean(override.scope)
            table.add_row(with_parties(scope), Text(amount), Text(", ".join(kinds), style="bold"))
    return table


def _levels(policy: Policy) -> Iterator[tuple[str, Levels]]:
    """Each set of levels with the kinds that have it; what most kinds have comes first."""
    groups: list[tuple[Levels, list[Kind]]] = []
    for kind in KINDS:
        levels = policy.levels[kind]
        kinds = next((kinds for known, kinds in groups if known == levels), None)
        if kinds is None:
            groups.append((levels, [kind]))
        else:
            kinds.append(kind)
    groups.sort(key=lambda group: -len(group[1]))
    others = ", ".join(kind for _, kinds in groups[1:] for kind in kinds)
    yield f"every kind but {others}" if others else "every kind", groups[0][0]
    yield from ((", ".join(kinds), levels) for levels, kinds in groups[1:])


def _in_words(levels: Levels) -> str:
    nudge = "no nudge" if levels.nudge is None else f"a nudge at {levels.nudge}% of the time"
    spoken = [nudge, f"when late tell {_whom(levels.due)}"]
    for told, steps in groupby(levels.later, key=lambda each: each.tell):
        spoken.append(f"{', '.join(str(each.after) for each in steps)} later {_whom(told)}")
    return "; ".join(spoken)


def _messages(policy: Policy) -> str:
    rules = policy.messages
    quiet = "at any hour" if quiet_span(rules.quiet) is None else f"none that is routine from {rules.quiet}"
    most = "any number a day" if rules.most_a_day == 0 else f"at most {many(rules.most_a_day, 'letter')} a day"
    silent = f"after {many(rules.most_silent, 'letter')} without news a person" if rules.most_silent else "no person"
    wait = f"progress waits {rules.wait_for_more} for more" if rules.patience else "nothing waits for more"
    missed = f"after a missed visit within {rules.after_missed_visit}"
    return f"{quiet}; {most}; {silent}; {wait}; {missed}"


def _whom(told: tuple[str, ...]) -> str:
    return ", ".join(told) or "nobody"


def _calendars(policy: Policy) -> Iterator[tuple[str, Calendar]]:
    yield "everybody else" if policy.calendars else "everybody", policy.calendar
    yield from sorted(policy.calendars.items())


def hours(calendar: Calendar) -> str:
    """``Mon–Fri 09:00-17:00, Sat–Sun closed; Europe/Amsterdam; no holidays``."""
    week = []
    for slots, days in groupby(zip(_DAYS, calendar.week, strict=True), key=lambda day: day[1]):
        names = [name for name, _ in days]
        week.append(f"{names[0]}{f'–{names[-1]}' if len(names) > 1 else ''} {write_slots(slots)}")
    holidays = "no holidays" if calendar.holidays is None else f"holidays of {calendar.holidays}"
    return f"{', '.join(week)}; {calendar.time_zone}; {holidays}"


def _named(name: str, text: str) -> Iterator[RenderableType]:
    yield indented(with_parties(clean(name)), 2)
    yield indented(Text(clean(text)), 4)
