"""A calendar compiled for counting: every opening of the horizon in numpy arrays, so millions of due times are quick.

Moments and amounts are int64 microseconds, moments since 1970 UTC, as DuckDB keeps a TIMESTAMP. The functions at the
end of the module do the same for a single ``datetime``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from projections.calendar import FIRST_DAY, HORIZON_END, HORIZON_START, LAST_DAY, Calendar, holidays_of, local_moment

Micros = npt.NDArray[np.int64]
MicrosLike = int | np.int64 | Micros

#: So much sooner than the customer was promised news we owe it to ourselves, to have time to keep the promise.
NEWS_AHEAD: Final = 3_600_000_000

_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1) // _MICROSECOND
_DAY: Final = timedelta(days=1) // _MICROSECOND
_HOUR: Final = timedelta(hours=1)
_END: Final = (HORIZON_END - HORIZON_START) // _MICROSECOND
#: From how many numbers on it pays to look first where they begin and end.
_MANY: Final = 1_000

#: The local days that can reach into the horizon, which is in UTC: one more at either end.
_FIRST: Final = FIRST_DAY - timedelta(days=1)
_DAYS: Final = (LAST_DAY - FIRST_DAY).days + 3


@dataclass(frozen=True, eq=False, slots=True)
class WorkClock:
    """The openings of a calendar within the horizon, less the closures taken out of it; made by ``WorkClock.of``.

    ``opens`` and ``closes`` bound the openings, which are in order, apart and never empty; ``worked`` is the opening
    time before each and ``total`` that of all. The arrays cannot be written to. Methods take arrays or single numbers
    and broadcast like numpy.
    """

    calendar: Calendar
    opens: Micros
    closes: Micros
    worked: Micros
    total: int

    @staticmethod
    def of(calendar: Calendar) -> WorkClock:
        """The clock of that calendar with no closures announced; the same object when asked again soon."""
        return _compiled(calendar)

    def less(self, closures: Sequence[tuple[datetime | int, datetime | int]]) -> WorkClock:
        """This clock standing still during the closures (from, until), which may overlap and be in any order.

        A closure that ends before it begins is none. An int is microseconds since 1970 UTC, a datetime must be aware.
        """
        spans = sorted((_bounded(begin), _bounded(until)) for begin, until in closures)
        spans = [(begin, until) for begin, until in spans if begin < until]
        if not spans:
            return self
        closed = np.array(spans, np.int64)
        # The stretches between closures: from the furthest end so far to the next beginning.
        begins = np.concatenate([[0], np.maximum.accumulate(closed[:, 1])])
        ends = np.concatenate([closed[:, 0], [_END]])
        begins, ends = begins[begins < ends], ends[begins < ends]
        # Each stretch keeps what it has in common with the openings first[i] up to, not including, last[i].
        first = np.searchsorted(self.closes, begins, side="right")
        last = np.searchsorted(self.opens, ends, side="left")
        counts = np.maximum(last - first, 0)
        which = np.arange(counts.sum()) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        opens = np.maximum(self.opens[which], np.repeat(begins, counts))
        closes = np.minimum(self.closes[which], np.repeat(ends, counts))
        return _clock(self.calendar, opens, closes)

    def worked_at(self, moments: MicrosLike) -> Micros:
        """The opening time passed between the beginning of the horizon and the moments."""
        bounded = _within(moments, _END)
        if not self.opens.size:
            return np.zeros_like(bounded)
        index = _searched(self.opens, bounded, "right") - 1
        worked = self.worked[index] + np.minimum(bounded, self.closes[index]) - self.opens[index]
        return np.where(index >= 0, worked, 0)

    def moment_at(self, worked: MicrosLike) -> Micros:
        """The first moments by which that much opening time has passed since the beginning of the horizon.

        What fits exactly into a day is reached at its closing, not at the next opening. More than the horizon holds is
        reached at HORIZON_END, and nothing (or less) at the horizon's beginning.
        """
        wanted = _within(worked, self.total + 1)
        if not self.opens.size:
            return np.where(wanted > 0, np.int64(_END), np.int64(0))
        index = _searched(self.worked, wanted, "left") - 1
        moments = self.opens[index] + (wanted - self.worked[index])
        return np.where(wanted > self.total, _END, np.where(wanted > 0, moments, 0))

    def add(self, since: MicrosLike, amount: MicrosLike) -> Micros:
        """The first moments by which ``amount`` of opening time has passed ``since``.

        No amount (or less) is over at ``since`` itself. What would fall beyond the horizon is HORIZON_END, or ``since``
        when that is even later.
        """
        begin = np.asarray(since, np.int64)
        return self.later(begin, self.worked_at(begin), amount)

    def later(self, begin: Micros, worked: Micros, amount: MicrosLike) -> Micros:
        """``add`` for moments at which the opening time passed is known: ``worked``."""
        more = _within(amount, _END)
        due = self.moment_at(worked + more)
        return np.where(more > 0, np.maximum(due, begin), begin)

    def between(self, begin: MicrosLike, end: MicrosLike) -> Micros:
        """The opening time from ``begin`` to ``end``; none when they are the wrong way round."""
        passed: Micros = np.maximum(self.worked_at(end) - self.worked_at(begin), 0)
        return passed


def micros_of(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 UTC."""
    return (moment - HORIZON_START) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """Microseconds since 1970 UTC as a moment (UTC)."""
    return HORIZON_START + timedelta(microseconds=int(micros))


def add_time(clock: WorkClock, start: datetime, amount: timedelta) -> datetime:
    """The first moment (UTC) by which ``amount`` of opening time has passed since ``start`` (aware).

    Friday 16:30 plus one hour is Monday 9:30 where it opens from 9 to 17; Friday 16:00 plus one hour is Friday 17:00.
    """
    within = min(max(amount, timedelta(0)), HORIZON_END - HORIZON_START)
    return moment_of(int(clock.add(micros_of(start), within // _MICROSECOND)))


def closing_of_working_day(clock: WorkClock, moment: datetime) -> datetime:
    """When the party closes for the day (UTC) on the local day of ``moment``, or on the next day that it is open.

    A day that is over by ``moment`` does not count. Who stays open past midnight closes at midnight in this sense.
    """
    zone = clock.calendar.zone
    day = max(HORIZON_START, moment).astimezone(zone).date() if moment < HORIZON_END else LAST_DAY + timedelta(days=2)
    while day <= LAST_DAY + timedelta(days=1):
        begins, ends = micros_of(local_moment(zone, day, 0)), micros_of(local_moment(zone, day + timedelta(days=1), 0))
        last = int(np.searchsorted(clock.opens, ends, side="left")) - 1
        closes = min(int(clock.closes[last]), ends) if last >= 0 else begins
        if closes > begins and moment_of(closes) >= moment:
            return moment_of(closes)
        # Nothing is left of that day. The next that matters is the one on which the party is open again.
        following = int(np.searchsorted(clock.closes, ends, side="right"))
        if following == clock.opens.size:
            break
        opens = moment_of(max(ends, int(clock.opens[following]))).astimezone(zone).date()
        day = max(day + timedelta(days=1), opens)
    return max(HORIZON_END, moment.astimezone(UTC))


def promise_of_next_news(clock: WorkClock, now: datetime, amount: timedelta) -> datetime:
    """The moment (UTC) that a message written ``now`` names for the next news, which is due after ``amount``.

    The customer is promised the closing of the working day on which the hour after that falls, so there is always an
    hour left to write before she may ask. For a party that never closes it is the end of that hour, or the next half
    hour: nobody promises anything by 19:54.
    """
    hour_after = add_time(clock, add_time(clock, now, amount), _HOUR)
    return _at_half_hour(hour_after) if clock.calendar.never_closes else closing_of_working_day(clock, hour_after)


def _at_half_hour(moment: datetime) -> datetime:
    """The minute of ``moment``, or the next half hour after it."""
    minute = moment.replace(second=0, microsecond=0)
    return minute + timedelta(minutes=-minute.minute % 30)


def _searched(ordered: Micros, wanted: Micros, side: Literal["left", "right"]) -> Micros:
    """np.searchsorted; of many numbers that lie close together it searches only where they can be."""
    if wanted.size < _MANY:
        return np.asarray(ordered.searchsorted(wanted, side), np.int64)
    first, last = ordered.searchsorted([wanted.min(), wanted.max()], side)
    return np.asarray(ordered[first:last].searchsorted(wanted, side) + first, np.int64)


def _within(numbers: MicrosLike, most: int) -> Micros:
    # np.clip does the same and takes five times as long for few numbers.
    bounded: Micros = np.minimum(np.maximum(np.asarray(numbers, np.int64), 0), most)
    return bounded


def _bounded(moment: datetime | int) -> int:
    return min(max(micros_of(moment) if isinstance(moment, datetime) else int(moment), 0), _END)


def _clock(calendar: Calendar, opens: Micros, closes: Micros) -> WorkClock:
    lengths = closes - opens
    worked = np.cumsum(lengths) - lengths
    for array in (opens, closes, worked):
        array.setflags(write=False)
    return WorkClock(calendar, opens, closes, worked, int(lengths.sum()))


@lru_cache(maxsize=64)
def _compiled(calendar: Calendar) -> WorkClock:
    spans = _slots_of_all_days(calendar).reshape(-1, 2).clip(0, _END)
    spans = spans[spans[:, 0] < spans[:, 1]]
    # An opening begins where the one before has ended earlier; around the clock is one opening.
    apart = spans[1:, 0] > spans[:-1, 1]
    opens = spans[np.concatenate([[True], apart]), 0]
    closes = spans[np.concatenate([apart, [True]]), 1]
    return _clock(calendar, opens, closes)


def _slots_of_all_days(calendar: Calendar) -> Micros:
    """(days, most slots of a day, 2): when each slot opens and closes; a slot that a day lacks is empty."""
    slots = np.zeros((7, max(map(len, calendar.week)), 2), np.int64)
    for weekday, day_slots in enumerate(calendar.week):
        slots[weekday, : len(day_slots)] = np.array(day_slots, np.int64).reshape(-1, 2)
    days = np.arange(_DAYS)
    offsets = _midnight_offsets(calendar.zone)
    midnights = (days - 1) * _DAY - offsets[:_DAYS]
    spans: Micros = midnights[:, None, None] + slots[(days + _FIRST.weekday()) % 7] * _MINUTE
    # A day on which clocks change, or at whose end they do, does not run evenly: it is worked out slot by slot.
    changed = np.diff(offsets) != 0
    for number in np.flatnonzero(changed[:_DAYS] | changed[1:]).tolist():
        day = _FIRST + timedelta(days=number)
        for place, (opens, closes) in enumerate(calendar.week[day.weekday()]):
            spans[number, place] = [micros_of(local_moment(calendar.zone, day, end)) for end in (opens, closes)]
    if calendar.holidays is not None:
        ordinals = np.array([day.toordinal() for day in holidays_of(calendar.holidays)], np.int64) - _FIRST.toordinal()
        spans[ordinals[(ordinals >= 0) & (ordinals < _DAYS)]] = 0
    return spans


@lru_cache(maxsize=64)
def _midnight_offsets(zone: ZoneInfo) -> Micros:
    """How far the zone is ahead of UTC at the beginning of each local day, and of the two days after the last."""
    first = datetime.combine(_FIRST, time.min, zone)
    offsets = [(first + timedelta(days=number)).utcoffset() or timedelta(0) for number in range(_DAYS + 2)]
    return np.array([offset // _MICROSECOND for offset in offsets], np.int64)
