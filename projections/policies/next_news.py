"""By when she hears more where another rule than that for news holds: the one place that knows.

While a visit is missed that is sooner, and while what was urgent lies ready for her it is later: the shop is closed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from projections.calendar import ALWAYS
from projections.clock import WorkClock, add_time, closing_of_working_day, promise_of_next_news
from projections.policies.amount import Amount


def after_missed_visit(allowed: Amount, own: WorkClock, day_length: timedelta, now: datetime) -> datetime:
    """The moment (UTC) that a letter written ``now`` names for the next news, by a party that is open as ``own`` says.

    Working time ends with the working day in which it is over: whoever was missed late in the afternoon, at night or in
    a weekend hears on the next working day. There is no hour more for writing, as other news has: a day is enough.
    """
    amount = timedelta(microseconds=allowed.microseconds(day_length))
    if allowed.around_the_clock or own.calendar.never_closes:
        return promise_of_next_news(WorkClock.of(ALWAYS), now, amount)
    return closing_of_working_day(own, add_time(own, now, amount))


def while_it_lies_ready(shop: WorkClock, now: datetime) -> datetime | None:
    """The moment (UTC) that a letter about an urgent order written ``now`` names, where all that is left to do is hers:
    to collect it from a ``shop`` with these opening hours. It is the end of the working day on which one has passed.

    None for a shop that never closes, to which she can come at any time.
    """
    if shop.calendar.never_closes:
        return None
    return closing_of_working_day(shop, add_time(shop, now, shop.calendar.day_length))
