"""When news that was promised is written: at the same decent hour from week to week. Pure.

The cue comes a while before the news is due (of five working days, two working hours), and the next is due so long
after this letter: one that left at each cue would leave two hours earlier each week, and wander through the day. So it
is written right before it is due, where that is while people are at work; a person can still be called then.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from projections.policies.words import is_hurried
from services.notifying.decency import Manners, not_before

#: Written so long before it is due, it is there in time, and comes five minutes earlier each week.
_BEFORE: Final = timedelta(minutes=5)

#: When there is somebody at the shop and an hour or so left to call, by its clock.
_DECENT: Final = (time(10), time(16))

#: Nothing waits for longer: over a weekend, and not over a holiday.
_LONGEST: Final = timedelta(days=4)


def to_be_written(
    now: datetime,
    due: datetime,
    shop: tzinfo,
    manners: Manners | None = None,
    urgency: str | None = None,
    *,
    ready: bool = False,
) -> datetime:
    """The moment at which news that is ``due`` is written, if its cue has come by ``now``: ``now`` or later.

    ``shop`` is the zone in which the shop opens, ``manners`` are those that the customer is to be met with.
    ``ready``: what was urgent lies ready for her, so only that counts by when she was promised it.
    """
    then = (due - _BEFORE).astimezone(now.tzinfo)
    if is_hurried(urgency):
        # Its clock runs day and night; of what is known in the morning it is written in the morning.
        then = max(now, then) if ready else now
        return not_before(manners or Manners(), then, kind="update", happened=now, urgency=urgency, letters=0)
    if not now < then <= now + _LONGEST or not _is_decent(then, shop):
        return now
    if _is_decent(now, shop) and now.astimezone(shop).date() != then.astimezone(shop).date():
        return now
    # What would fall into her quiet hours goes out before them.
    heard = not_before(manners or Manners(), then, kind="update", happened=now, urgency=urgency, letters=0)
    return then if heard == then else now


def _is_decent(moment: datetime, shop: tzinfo) -> bool:
    return _DECENT[0] <= moment.astimezone(shop).time() <= _DECENT[1]
