"""How a due time comes about, day by day: which opening hours count, which days do not, and why."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cli.inforce import Closure

if TYPE_CHECKING:
    from projections.calendar import Calendar, Span
    from projections.policy import Amount

#: Why nothing (or not all) of a day counts: it opens on no such day of the week, it is a public holiday, a closure was
#: announced, or it was over already.
WEEKLY: Final = "weekly"
HOLIDAY: Final = "holiday"
CLOSURE: Final = "closure"
OVER: Final = "over"


@dataclass(frozen=True)
class Day:
    """One local day: the ``spans`` (UTC) that count, and why others do not; ``name`` is the holiday's or the reason."""

    day: date
    spans: tuple[Span, ...]
    why: str | None = None
    name: str | None = None

    @property
    def counted(self) -> timedelta:
        return sum((until - begin for begin, until in self.spans), timedelta(0))


@dataclass(frozen=True)
class Count:
    """``amount`` since ``start`` is over at ``due``; ``days`` are empty for an amount that runs around the clock."""

    start: datetime
    amount: Amount
    due: datetime
    days: tuple[Day, ...]


def count(calendar: Calendar, start: datetime, amount: Amount, closures: Sequence[Closure]) -> Count:
    """When ``amount`` since ``start`` (aware) is over for a party of that calendar, and how that comes."""
    from projections.calendar import ALWAYS
    from projections.clock import WorkClock, add_time

    spans = [(closure.begins, closure.ends) for closure in closures]
    clock = WorkClock.of(ALWAYS) if amount.around_the_clock else WorkClock.of(calendar).less(spans)
    length = timedelta(microseconds=amount.microseconds(calendar.day_length))
    due = add_time(clock, start, length)
    days = () if amount.around_the_clock else tuple(_days(calendar, start, due, closures))
    return Count(start, amount, due, days)


def _days(calendar: Calendar, start: datetime, due: datetime, closures: Sequence[Closure]) -> Iterator[Day]:
    day, last = start.astimezone(calendar.zone).date(), due.astimezone(calendar.zone).date()
    while day <= last:
        yield _day(calendar, day, start, due, closures)
        day += timedelta(days=1)


def _day(calendar: Calendar, day: date, start: datetime, due: datetime, closures: Sequence[Closure]) -> Day:
    from projections.calendar import open_spans

    if not calendar.week[day.weekday()]:
        return Day(day, (), WEEKLY)
    if calendar.is_holiday(day):
        return Day(day, (), HOLIDAY, holiday_name(calendar, day))
    usual = calendar.opening_spans(day)
    left = open_spans(calendar, day, [(closure.begins, closure.ends) for closure in closures])
    clipped = tuple((max(opens, start), min(closes, due)) for opens, closes in left if closes > start and opens < due)
    if left != usual:
        reason = next((each.reason for each in closures if _touches(each, usual)), None)
        return Day(day, clipped, CLOSURE, reason)
    return Day(day, clipped, None if clipped else OVER)


def _touches(closure: Closure, spans: Sequence[Span]) -> bool:
    return any(closure.begins < closes and closure.ends > opens for opens, closes in spans)


def coming_holidays(calendar: Calendar, first: date, days: int) -> list[tuple[date, str | None]]:
    """Of the ``days`` from ``first`` on, the public holidays on which it would open otherwise, with their names."""
    coming = (first + timedelta(days=number) for number in range(days))
    return [
        (day, holiday_name(calendar, day))
        for day in coming
        if calendar.week[day.weekday()] and calendar.is_holiday(day)
    ]


def holiday_name(calendar: Calendar, day: date) -> str | None:
    """What the people there call it."""
    import holidays

    country, _, subdivision = (calendar.holidays or "").partition("-")
    # Of some countries not every year is known, which the package warns about.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            known = holidays.country_holidays(country, subdiv=subdivision or None, years=day.year)
        except NotImplementedError:
            return None
    name = known.get(day)
    return None if name is None else str(name)
