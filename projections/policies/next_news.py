"""By when she hears more while a visit is missed, by what the policy allows: the one place that knows."""

from __future__ import annotations

from datetime import datetime, timedelta

from projections.calendar import ALWAYS
from projections.clock import Clock, add_time, closing_of_working_day, promise_of_next_news
from projections.policies.amount import Amount


def after_missed_visit(allowed: Amount, own: Clock, day_length: timedelta, now: datetime) -> datetime:
    """The moment (UTC) that a letter written ``now`` names for the next news, by a party that is open as ``own`` says.

    Working time ends with the working day in which it is over: whoever was missed late in the afternoon, at night or in
    a weekend hears on the next working day. There is no hour more for writing, as other news has: a day is enough.
    """
    amount = timedelta(microseconds=allowed.microseconds(day_length))
    if allowed.around_the_clock or own.calendar.never_closes:
        return promise_of_next_news(Clock.of(ALWAYS), now, amount)
    return closing_of_working_day(own, add_time(own, now, amount))
