"""Working time counted day by day: easy to follow, slow, and what the counting in bulk is held to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from projections.calendar import HORIZON_END, HORIZON_START, LAST_DAY, Calendar, Closures, open_spans


def add_working_time_slowly(
    calendar: Calendar, start: datetime, amount: timedelta, closures: Closures = ()
) -> datetime:
    """The first moment (UTC) by which ``amount`` of opening time has passed since ``start`` (aware).

    No amount, or less, is over at ``start`` itself.
    """
    if amount <= timedelta(0) or start >= HORIZON_END:
        return start.astimezone(UTC)
    begin, left = max(start, HORIZON_START).astimezone(UTC), amount
    # Where clocks go back over midnight a day's last slot ends after the next day has begun, so begin a day earlier.
    day = begin.astimezone(calendar.zone).date() - timedelta(days=1)
    while day <= LAST_DAY + timedelta(days=1):
        for opens, closes in open_spans(calendar, day, closures):
            worked = min(closes, HORIZON_END) - max(opens, begin)
            if worked >= left:
                return max(opens, begin) + left
            left -= max(worked, timedelta(0))
        day += timedelta(days=1)
    return HORIZON_END
