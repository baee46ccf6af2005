"""Opening hours: Monday to Friday, 9 to 17, Europe/Amsterdam, less the closures that a party has announced.

The read models count opening hours in SQL (sql/closed_spans.sql, and due_times in sql/macros.sql) over the table that
``opening_days`` fills; this module walks the same days one by one, for who needs a single answer without a database.
Public holidays are not known yet. Moments outside the horizon (1970 to 2060) count as its nearer end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/Amsterdam")
OPENS_AT: Final = time(9)
DAY_LENGTH: Final = timedelta(hours=8)
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2060, 12, 31)
#: A due time that would fall later is this moment: far enough to mean "never".
HORIZON_END: Final = datetime(2061, 1, 1, tzinfo=UTC)

#: How long a handed-over item may stay unconfirmed, and a customer without news, in opening hours.
RECEIPT_HOURS: Final = 16
NEWS_HOURS: Final = 40

Closures = Sequence[tuple[datetime, datetime]]
Span = tuple[datetime, datetime]


def is_working_day(day: date) -> bool:
    """Whether a party is open on that day when it has announced nothing."""
    return day.weekday() < 5


@lru_cache(maxsize=4_096)
def _opening(day: date) -> Span:
    opens = datetime.combine(day, OPENS_AT, ZONE).astimezone(UTC)
    return opens, opens + DAY_LENGTH


def opening_days() -> Iterator[tuple[date, datetime | None]]:
    """Every day of the horizon with the moment (UTC) at which it opens, or None for a day that does not."""
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=number)
        yield day, _opening(day)[0] if is_working_day(day) else None


def _open_spans(day: date, closures: Closures) -> list[Span]:
    """What is left of the day's opening hours once the closures are taken out, in order."""
    spans = [_opening(day)] if is_working_day(day) else []
    for closed_from, closed_until in closures:
        if closed_from >= closed_until:
            continue
        left = []
        for opens, closes in spans:
            if opens < min(closes, closed_from):
                left.append((opens, min(closes, closed_from)))
            if max(opens, closed_until) < closes:
                left.append((max(opens, closed_until), closes))
        spans = left
    return spans


def add_working_time(start: datetime, hours: float, closures: Closures = ()) -> datetime:
    """The first moment (UTC) by which ``hours`` opening hours have passed since ``start`` (aware).

    Friday 16:30 plus one hour is Monday 9:30; Friday 16:00 plus one hour is Friday 17:00.
    """
    left = timedelta(hours=hours)
    start = start.astimezone(UTC)
    day = max(FIRST_DAY, start.date())
    while day <= LAST_DAY:
        for opens, closes in _open_spans(day, closures):
            worked = closes - max(opens, start)
            if worked >= left:
                return max(opens, start) + left
            left -= max(worked, timedelta(0))
        day += timedelta(days=1)
    return max(HORIZON_END, start)


def closing_of_working_day(moment: datetime, closures: Closures = ()) -> datetime:
    """When the party closes (UTC) on the working day that ``moment`` falls on, or on the next one it is open."""
    moment = moment.astimezone(UTC)
    day = max(FIRST_DAY, moment.astimezone(ZONE).date())
    while day <= LAST_DAY:
        spans = _open_spans(day, closures)
        if spans and spans[-1][1] >= moment:
            return spans[-1][1]
        day += timedelta(days=1)
    return max(HORIZON_END, moment)


def promise_of_next_news(now: datetime, closures: Closures = ()) -> datetime:
    """The moment (UTC) that a message written ``now`` names for the next news.

    News is due within ``NEWS_HOURS``; the customer is promised the closing of the working day on which the hour after
    that falls, so there is always an hour left to write before she may ask.
    """
    due = add_working_time(now, NEWS_HOURS, closures)
    return closing_of_working_day(add_working_time(due, 1, closures), closures)
