"""The lengths of time that a person would write into a policy, and the shortest of them that does for what happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from projections.policies.amount import Amount
from services.backtest.owed import GRACE, Micros

#: Of a hundred steps so many may cause a notice that was not needed; from there on it is too many.
MOST_IDLE: Final = 0.05
#: A time that most steps exceed is no time limit.
MOST_LATE: Final = 0.5

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
#: Half days up to this many days, whole days up to that many, weeks of five (or seven) days from there on.
_HALVES_UNTIL: Final = 10
_DAYS_UNTIL: Final = 30
_MOST_DAYS: Final = 1_000


class Shares(NamedTuple):
    """Which part of the steps is late, and which part causes a notice that was not needed."""

    late: float
    idle: float

    @property
    def will_do(self) -> bool:
        """Whether an allowance with these can be lived with."""
        return self.idle < MOST_IDLE and self.late <= MOST_LATE


class Suggestion(NamedTuple):
    """An allowance and what it would have meant."""

    amount: Amount
    shares: Shares


def ladder(around_the_clock: bool, day_length: timedelta) -> Iterator[Amount]:
    """From an hour to some years, the shortest first; ``day_length`` is that of a usual working day."""
    day = _DAY if around_the_clock else day_length
    hours = 1
    while hours * _HOUR < day / 2:
        yield _amount(hours * _HOUR, around_the_clock, day)
        hours += 1
    for halves in range(1, 2 * _HALVES_UNTIL):
        yield _amount(halves * day / 2, around_the_clock, day)
    for days in range(_HALVES_UNTIL, _DAYS_UNTIL):
        yield _amount(days * day, around_the_clock, day)
    week = 7 if around_the_clock else 5
    for days in range(-(-_DAYS_UNTIL // week) * week, _MOST_DAYS, week):
        yield _amount(days * day, around_the_clock, day)


def shares_at(took: Micros, allowed: Micros | int) -> Shares:
    """What an allowance means for steps that ``took`` so long, both in microseconds of the time that the rule counts.

    A step is late if it took longer, and its notice was not needed if it was finished within GRACE of it.
    """
    late = took > allowed
    idle = late & (took - allowed <= GRACE)
    return Shares(int(late.sum()) / len(took), int(idle.sum()) / len(took))


def suggest(took: Micros, day_lengths: npt.NDArray[np.int64], around_the_clock: bool) -> Suggestion | None:
    """The shortest allowance that will do, as all longer ones do; None if none would.

    ``day_lengths`` has, for each step, how long a working day of its owner is (microseconds).
    """
    usual = timedelta(microseconds=int(np.median(day_lengths)))
    by_day = [(timedelta(microseconds=int(day)), np.sort(took[day_lengths == day])) for day in np.unique(day_lengths)]
    best: Suggestion | None = None
    for amount in reversed(list(ladder(around_the_clock, usual))):
        late = idle = 0
        for day, lengths in by_day:
            allowed = amount.microseconds(day)
            in_time, soon_after = np.searchsorted(lengths, [allowed, allowed + GRACE], side="right").tolist()
            late += len(lengths) - in_time
            idle += soon_after - in_time
        shares = Shares(late / len(took), idle / len(took))
        if not shares.will_do:
            break
        best = Suggestion(amount, shares)
    return best


def _amount(length: timedelta, around_the_clock: bool, day: timedelta) -> Amount:
    if around_the_clock:
        return Amount(count=length // _MINUTE, unit="minute").plain()
    if length % day == timedelta(0):
        return Amount(count=length // day, unit="working day")
    return Amount(count=length // _MINUTE, unit="working minute").plain()
