"""The date of the next news that a letter names. Pure; what the policy allows is worked out elsewhere.

It falls into hours in which she is awake: a letter without news is not written at night, and nobody wants to wait up
for it. Without quiet hours, hers or the policy's, any hour will do. After a visit that did not take place it is sooner
than else: she is waiting for a new time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from projections.calendar import Calendar
from projections.clock import NEWS_AHEAD
from services.notifying.decency import AFTER_QUIET, Manners, next_clock, quiet_at
from services.notifying.history import Happened, History, Owed, moment
from services.notifying.newsworthy import ending_of
from services.notifying.since import person_announced

#: Right after her quiet hours nothing can have been written yet.
_AT_LEAST: Final = timedelta(minutes=30)

#: These say nothing of how it stands; the question whether all is well is asked of one of several things.
PUT_OFF_NOTHING: Final = frozenset({"asked", "gesture", "check"})

#: News that is to be there so soon is about to be written.
_STILL_TO_COME: Final = timedelta(minutes=90)

#: News is due so long before the moment that was named for it.
_AHEAD: Final = timedelta(microseconds=NEWS_AHEAD)

#: Of the time that the policy gives so much must be left where an earlier moment is named, or it is the morning: who
#: names the evening again and again right before it writes a letter every few minutes.
_SHARE: Final = 3


def by_day(promise: datetime, now: datetime, manners: Manners) -> datetime:
    """``promise``, made ``now``, or the moment before or after her quiet hours that is named instead.

    In doubt it is the evening before: the time that the policy allows is the longest that she may wait.
    """
    if manners.quiet is None:
        return promise
    local = promise.astimezone(manners.zone)
    begin, end = manners.quiet
    # Right after their end is too soon to have written by then; right at their beginning is the evening itself.
    early = local - _AT_LEAST
    if not (quiet_at(local, manners) or quiet_at(early, manners)):
        return promise
    asleep = local if quiet_at(local, manners) else early
    evening = next_clock(asleep - timedelta(days=1), begin).astimezone(promise.tzinfo)
    if evening - now - _AHEAD >= (promise - now - _AHEAD) / _SHARE:
        return evening
    return (next_clock(asleep, end) + AFTER_QUIET).astimezone(promise.tzinfo)


def keeps_the_date(kind: str, named: datetime | None, promise: datetime, now: datetime) -> datetime:
    """``promise``, or the date ``named`` in her last letter if that is sooner and none of ``kind`` may put it off.

    That she asks something, or is offered something, is no reason to hear later how it stands.
    """
    if kind not in PUT_OFF_NOTHING or named is None or named - now < _STILL_TO_COME:
        return promise
    return min(promise, named)


@lru_cache(maxsize=64)
def is_always_by_day(calendar: Calendar, manners: Manners) -> bool:
    """Whether whatever a party with that calendar promises is by day anyway: a closing time of its own, that is."""
    if manners.quiet is None:
        return True
    if calendar.never_closes or calendar.zone.key != manners.zone.key:
        return False
    someday = datetime(2026, 1, 1, tzinfo=manners.zone)
    open_at = {
        minute for slots in calendar.week for opens, closes in slots for minute in (*range(opens, closes, 15), closes)
    }
    moments = {someday + timedelta(minutes=minute) for minute in open_at}
    return not any(quiet_at(each, manners) or quiet_at(each - _AT_LEAST, manners) for each in moments)


def missed_visit(history: History, now: datetime) -> Owed | None:
    """The visit that did not take place and for which there is no new time; None if none is missed, or if a person is
    to be in touch with her, or the work has ended without it."""
    visits = [owed for owed in history.owed if (owed.kind, owed.state) == ("visit", "open") and owed.due_at is not None]
    if not visits or person_announced(history) or ending_of(history, None) is not None:
        return None
    last = max(visits, key=lambda owed: owed.due_at or now)
    return last if last.due_at is not None and last.due_at <= now else None


def visit_ahead(history: History, now: datetime) -> Happened | None:
    """The visit that is agreed on and still to come, of several the next."""
    ends = [
        owed.due_at
        for owed in history.owed
        if (owed.kind, owed.state) == ("visit", "open") and owed.due_at is not None and owed.due_at > now
    ]
    if not ends:
        return None
    planned = (fact for fact in reversed(history.facts) if fact.name == "visit.scheduled")
    return next((fact for fact in planned if moment(fact.data["until"]) == min(ends)), None)
