"""Opening hours counted in bulk: known answers, and the same answers as a walk day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from projections.calendar import (
    ALWAYS,
    DEFAULT,
    HORIZON_END,
    HORIZON_START,
    MINUTES_OF_A_DAY,
    Calendar,
    Closures,
    open_spans,
    read_slots,
)
from projections.clock import (
    WorkClock,
    add_time,
    closing_of_working_day,
    micros_of,
    moment_of,
    promise_of_next_news,
)
from tests.projections.walking import add_working_time_slowly
from tests.sampling import examples

FRIDAY: Final = "2026-01-16"
HOUR: Final = timedelta(hours=1)
NEWS: Final = timedelta(hours=40)
END: Final = micros_of(HORIZON_END)

CLOCK: Final = WorkClock.of(DEFAULT)


def local(text: str, zone: str = "Europe/Amsterdam") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def weekdays(hours: str, time_zone: str = "Europe/Amsterdam", holidays: str | None = None) -> Calendar:
    return Calendar(time_zone=time_zone, week=(read_slots(hours),) * 5 + ((),) * 2, holidays=holidays)


def every_day(hours: str, time_zone: str = "Europe/Amsterdam", holidays: str | None = None) -> Calendar:
    return Calendar(time_zone=time_zone, week=(read_slots(hours),) * 7, holidays=holidays)


EIGHT_TO_SIX: Final = weekdays("8-18")
LUNCH: Final = weekdays("9:00-12:30, 13:00-17:30")
DUTCH: Final = weekdays("9-17", holidays="NL")
BAVARIAN: Final = weekdays("9-17", "Europe/Berlin", "DE-BY")
NEW_YORK: Final = weekdays("9-17", "America/New_York", "US")
KOLKATA: Final = Calendar(time_zone="Asia/Kolkata", week=(read_slots("10:00-18:30"),) * 6 + ((),))
NIGHT_SHIFT: Final = every_day("00:00-06:00, 22:00-24:00")
AROUND_THE_CLOCK: Final = every_day("00:00-24:00")
SUNDAYS: Final = Calendar(week=((),) * 6 + (read_slots("00:00-24:00"),))


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        (DEFAULT, f"{FRIDAY} 16:30", 1, "2026-01-19 09:30"),
        (DEFAULT, f"{FRIDAY} 16:30", 16, "2026-01-20 16:30"),
        (DEFAULT, f"{FRIDAY} 16:00", 1, f"{FRIDAY} 17:00"),
        (DEFAULT, f"{FRIDAY} 17:00", 1, "2026-01-19 10:00"),
        (DEFAULT, f"{FRIDAY} 23:00", 8, "2026-01-19 17:00"),
        (DEFAULT, "2026-01-17 12:00", 8, "2026-01-19 17:00"),
        (DEFAULT, "2026-01-19 03:00", 1, "2026-01-19 10:00"),
        # Clocks go forward on Sunday 29 March and back on Sunday 25 October.
        (DEFAULT, "2026-03-27 16:30", 1, "2026-03-30 09:30"),
        (DEFAULT, "2026-03-27 12:00", 16, "2026-03-31 12:00"),
        (DEFAULT, "2026-10-23 16:30", 1, "2026-10-26 09:30"),
        (DEFAULT, "2026-10-23 12:00", 16, "2026-10-27 12:00"),
        (EIGHT_TO_SIX, "2026-01-14 16:00", 4, "2026-01-15 10:00"),
        # A break stops the clock, and what is done by the break is done when it begins.
        (LUNCH, f"{FRIDAY} 12:00", 1, f"{FRIDAY} 13:30"),
        (LUNCH, f"{FRIDAY} 12:00", 0.5, f"{FRIDAY} 12:30"),
        (LUNCH, f"{FRIDAY} 12:45", 0.5, f"{FRIDAY} 13:30"),
        (LUNCH, f"{FRIDAY} 16:30", 5, "2026-01-19 13:30"),
        # The King's birthday is a Monday in 2026, and the Ascension a Thursday.
        (DUTCH, "2026-04-24 16:30", 1, "2026-04-28 09:30"),
        (DEFAULT, "2026-04-24 16:30", 1, "2026-04-27 09:30"),
        (DUTCH, "2026-05-13 16:30", 1, "2026-05-15 09:30"),
        # Epiphany and Corpus Christi are kept in Bavaria.
        (BAVARIAN, "2026-01-05 16:30", 1, "2026-01-07 09:30"),
        (BAVARIAN, "2026-06-03 16:30", 1, "2026-06-05 09:30"),
        # Independence Day is a Saturday in 2026, so the Friday is off; clocks change on other days than in Europe.
        (NEW_YORK, "2026-07-02 16:30", 1, "2026-07-06 09:30"),
        (NEW_YORK, "2026-03-06 16:30", 1, "2026-03-09 09:30"),
        (NEW_YORK, "2026-10-30 16:30", 1, "2026-11-02 09:30"),
        (KOLKATA, "2026-01-16 18:00", 1, "2026-01-17 10:30"),
        (KOLKATA, "2026-01-17 18:00", 1, "2026-01-19 10:30"),
        # A night shift that goes on past midnight is not interrupted by it.
        (NIGHT_SHIFT, "2026-01-16 23:00", 2, "2026-01-17 01:00"),
        (NIGHT_SHIFT, "2026-01-16 23:00", 8, "2026-01-17 23:00"),
        (NIGHT_SHIFT, "2026-03-28 23:00", 6, "2026-03-29 06:00"),
        (NIGHT_SHIFT, "2026-10-24 23:00", 8, "2026-10-25 06:00"),
        (AROUND_THE_CLOCK, "2026-01-17 23:30", 1, "2026-01-18 00:30"),
        (AROUND_THE_CLOCK, "2026-03-28 12:00", 24, "2026-03-29 13:00"),
        (AROUND_THE_CLOCK, "2026-10-24 12:00", 24, "2026-10-25 11:00"),
    ],
)
def test_opening_hours_pass_while_it_is_open(calendar: Calendar, start: str, hours: float, due: str) -> None:
    begin, end, amount = local(start, calendar.time_zone), local(due, calendar.time_zone), timedelta(hours=hours)
    clock = WorkClock.of(calendar)
    assert add_time(clock, begin, amount) == end
    assert add_working_time_slowly(calendar, begin, amount) == end
    assert moment_of(int(clock.between(micros_of(begin), micros_of(end)))) - HORIZON_START == amount
    assert int(clock.between(micros_of(end), micros_of(begin))) == 0


def test_night_and_weekend_count_for_who_never_closes() -> None:
    saturday_night = datetime(2026, 1, 17, 23, 30, tzinfo=UTC)
    assert add_time(WorkClock.of(ALWAYS), saturday_night, NEWS) == saturday_night + NEWS


def test_a_closure_stops_the_clock() -> None:
    two_weeks = CLOCK.less([(local("2026-01-19 00:00"), local("2026-02-02 00:00"))])
    assert add_time(two_weeks, local(f"{FRIDAY} 16:30"), HOUR) == local("2026-02-02 09:30")
    an_afternoon = CLOCK.less([(local(f"{FRIDAY} 12:00"), local(f"{FRIDAY} 17:00"))])
    assert add_time(an_afternoon, local(f"{FRIDAY} 11:00"), HOUR) == local(f"{FRIDAY} 12:00")
    assert add_time(an_afternoon, local(f"{FRIDAY} 11:30"), HOUR) == local("2026-01-19 09:30")


def test_three_hours_of_waiting_for_the_customer_are_three_hours_later() -> None:
    monday = local("2026-01-19 09:00")
    assert add_time(CLOCK, monday, 4 * HOUR) == local("2026-01-19 13:00")
    waiting = CLOCK.less([(local("2026-01-19 10:00"), local("2026-01-19 13:00"))])
    assert add_time(waiting, monday, 4 * HOUR) == local("2026-01-19 16:00")


def test_slots_that_touch_are_one_opening() -> None:
    assert np.array_equal(WorkClock.of(weekdays("9-12, 12-17")).opens, CLOCK.opens)
    assert WorkClock.of(AROUND_THE_CLOCK).opens.size == WorkClock.of(ALWAYS).opens.size == 1


def test_closures_may_come_in_any_shape() -> None:
    monday, tuesday = "2026-01-19", "2026-01-20"
    shapes: list[tuple[datetime | int, datetime | int]] = [
        (local(f"{tuesday} 08:00"), micros_of(local(f"{tuesday} 10:00"))),
        (local(f"{monday} 10:00"), local(f"{monday} 16:00")),
        (local(f"{monday} 12:00"), local(f"{monday} 13:00")),
        (local(f"{monday} 16:00"), local(f"{monday} 16:30")),
        (local(f"{monday} 17:00"), local(f"{monday} 09:00")),
        (local("0001-01-02"), local("1960-01-01")),
        (local("2070-01-01"), local("9999-12-30")),
        (10**30, -(10**30)),
    ]
    clock = CLOCK.less(shapes)
    # Left are the hour from nine and the half hour until five on Monday, and seven hours on Tuesday.
    assert add_time(clock, local(f"{monday} 09:00"), 1.25 * HOUR) == local(f"{monday} 16:45")
    assert add_time(clock, local(f"{monday} 09:00"), 2.5 * HOUR) == local(f"{tuesday} 11:00")
    week = [micros_of(local(f"{monday} 00:00")), micros_of(local("2026-01-24 00:00"))]
    assert int(clock.between(*week)) == 32.5 * 3600 * 10**6
    again = clock.less(shapes)
    assert np.array_equal(again.opens, clock.opens)
    assert np.array_equal(again.worked, clock.worked)


def test_a_clock_without_closures_is_itself() -> None:
    assert CLOCK.less([]) is CLOCK
    assert CLOCK.less([(5, 5), (9, 1), (END, END + 1)]) is CLOCK
    assert WorkClock.of(Calendar()) is CLOCK
    assert not CLOCK.opens.flags.writeable


def test_who_closes_for_ever_owes_nothing_that_comes_due() -> None:
    monday = local("2026-01-19 00:00")
    clock = CLOCK.less([(monday, local("2300-01-01 00:00"))])
    assert add_time(clock, local(f"{FRIDAY} 16:30"), HOUR) == HORIZON_END
    assert add_time(clock, local(f"{FRIDAY} 16:30"), HOUR / 2) == local(f"{FRIDAY} 17:00")
    assert closing_of_working_day(clock, monday) == HORIZON_END
    assert promise_of_next_news(clock, monday, NEWS) == HORIZON_END
    never = CLOCK.less([(0, END)])
    assert never.total == 0
    assert add_time(never, monday, HOUR) == HORIZON_END
    assert add_time(never, monday, timedelta(0)) == monday
    assert never.worked_at(np.array([0, END])).tolist() == [0, 0]
    assert never.moment_at(np.array([0, 1])).tolist() == [0, END]
    assert closing_of_working_day(never, monday) == HORIZON_END


def test_due_times_stay_within_the_horizon() -> None:
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    since = np.array([least, -1, 0, END - 1, END, END + 1, most])
    assert CLOCK.add(since, 0).tolist() == since.tolist()
    assert CLOCK.add(since, -1).tolist() == since.tolist()
    assert CLOCK.add(since, most).tolist() == [END] * 5 + [END + 1, most]
    first = micros_of(local("1970-01-01 09:00")) + 1
    assert CLOCK.add(since, 1).tolist() == [first] * 3 + [END, END, END + 1, most]
    assert CLOCK.between(least, most).tolist() == CLOCK.total
    assert CLOCK.moment_at(np.array([least, 0, most])).tolist() == [0, 0, END]
    assert add_time(CLOCK, HORIZON_START, timedelta.max) == HORIZON_END
    assert closing_of_working_day(CLOCK, datetime(2070, 1, 1, tzinfo=UTC)) == datetime(2070, 1, 1, tzinfo=UTC)
    assert closing_of_working_day(CLOCK, datetime(1950, 1, 1, tzinfo=UTC)) == local("1970-01-01 17:00")


def test_single_numbers_and_arrays_go_together() -> None:
    since, amounts = micros_of(local(f"{FRIDAY} 16:30")), np.array([[0, 1], [2, 3]]) * 3600 * 10**6
    due = CLOCK.add(since, amounts)
    assert due.dtype == np.int64
    assert due.shape == (2, 2)
    assert [moment_of(micros) for micros in due.ravel().tolist()] == [
        local(text) for text in (f"{FRIDAY} 16:30", "2026-01-19 09:30", "2026-01-19 10:30", "2026-01-19 11:30")
    ]
    empty = np.array([], np.int64)
    assert CLOCK.add(empty, 1).shape == (0,)
    assert int(CLOCK.add(since, 1)) == micros_of(local(f"{FRIDAY} 16:30")) + 1


def test_the_working_day_closes_at_five_or_when_a_closure_begins() -> None:
    assert closing_of_working_day(CLOCK, local(f"{FRIDAY} 10:00")) == local(f"{FRIDAY} 17:00")
    assert closing_of_working_day(CLOCK, local(f"{FRIDAY} 17:00")) == local(f"{FRIDAY} 17:00")
    assert closing_of_working_day(CLOCK, local(f"{FRIDAY} 18:00")) == local("2026-01-19 17:00")
    from_three = CLOCK.less([(local(f"{FRIDAY} 15:00"), local("2026-01-19 00:00"))])
    assert closing_of_working_day(from_three, local(f"{FRIDAY} 10:00")) == local(f"{FRIDAY} 15:00")
    assert closing_of_working_day(from_three, local(f"{FRIDAY} 16:00")) == local("2026-01-19 17:00")


@pytest.mark.parametrize(
    ("calendar", "moment", "closing"),
    [
        (LUNCH, f"{FRIDAY} 10:00", f"{FRIDAY} 17:30"),
        (LUNCH, f"{FRIDAY} 12:45", f"{FRIDAY} 17:30"),
        (DUTCH, "2026-04-24 17:30", "2026-04-28 17:00"),
        (NEW_YORK, "2026-07-03 09:00", "2026-07-06 17:00"),
        # In Kolkata it is Saturday already.
        (KOLKATA, "2026-01-17 00:30", "2026-01-17 18:30"),
        (NIGHT_SHIFT, "2026-01-16 05:00", "2026-01-17 00:00"),
        (AROUND_THE_CLOCK, "2026-03-29 12:00", "2026-03-30 00:00"),
    ],
)
def test_the_working_day_is_that_of_the_party(calendar: Calendar, moment: str, closing: str) -> None:
    zone = calendar.time_zone
    assert closing_of_working_day(WorkClock.of(calendar), local(moment, zone)) == local(closing, zone)


def test_the_next_news_is_promised_for_the_end_of_the_day_after_it_is_due() -> None:
    # Monday 10:00 and forty hours make Monday 10:00 a week later; the hour after that is on the same day.
    assert promise_of_next_news(CLOCK, local("2026-01-12 10:00"), NEWS) == local("2026-01-19 17:00")
    # At the end of a day the hour after falls on the next.
    assert promise_of_next_news(CLOCK, local("2026-01-12 16:30"), NEWS) == local("2026-01-20 17:00")
    two_weeks = CLOCK.less([(local("2026-01-19 00:00"), local("2026-02-02 00:00"))])
    assert promise_of_next_news(two_weeks, local("2026-01-12 10:00"), NEWS) == local("2026-02-02 17:00")


def test_who_never_closes_promises_news_an_hour_after_it_is_due_at_the_next_half_hour() -> None:
    saturday = datetime(2026, 1, 17, 22, 30, tzinfo=UTC)
    assert promise_of_next_news(WorkClock.of(ALWAYS), saturday, NEWS) == saturday + 41 * HOUR
    for odd in (timedelta(minutes=-16), timedelta(seconds=1), timedelta(minutes=-29, seconds=1)):
        assert promise_of_next_news(WorkClock.of(ALWAYS), saturday + odd, NEWS) == saturday + 41 * HOUR
    closed = WorkClock.of(ALWAYS).less([(saturday, saturday + 2 * HOUR)])
    assert promise_of_next_news(closed, saturday, NEWS) == saturday + 43 * HOUR


# Zones with half hours, whose clocks change at midnight or around it, in another season, or for a month a year.
ZONES: Final = (
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kolkata",
    "UTC",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
)
HOLIDAYS: Final = (None, None, "NL", "DE-BY", "US")
#: Days on which clocks change in one of the zones, holidays, and the ends of the horizon.
ODD_DAYS: Final = (
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 11, 1),
    date(2026, 4, 5),
    date(2018, 11, 4),
    date(2018, 2, 17),
    date(2010, 3, 14),
    date(2010, 11, 6),
    date(2011, 12, 30),
    date(2024, 4, 14),
    date(2026, 5, 14),
    date(2025, 12, 25),
    date(1970, 1, 1),
    date(2060, 12, 31),
)
EXAMPLES: Final = 400
#: Each example asks this many due times of one clock: 10,000 in all.
QUESTIONS: Final = 25

SLOTS: Final = st.lists(st.integers(0, MINUTES_OF_A_DAY), max_size=6, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
COMMON_SLOTS: Final[Any] = st.sampled_from(
    [(), ((0, 1440),), ((540, 1020),), ((540, 750), (780, 1050)), ((0, 360), (1320, 1440)), ((90, 135), (150, 200))]
)
WEEKS: Final = st.lists(COMMON_SLOTS | SLOTS, min_size=7, max_size=7).map(tuple).filter(any)
DAYS: Final = st.sampled_from(ODD_DAYS) | st.dates(date(1969, 12, 20), date(2061, 1, 10))
MINUTES: Final = st.integers(-5 * MINUTES_OF_A_DAY, 40 * MINUTES_OF_A_DAY)
#: Closures in minutes from the day in question: (from, how long), some of them ending before they begin.
CLOSURES: Final = st.lists(st.tuples(MINUTES, st.integers(-MINUTES_OF_A_DAY, 20 * MINUTES_OF_A_DAY)), max_size=5)


def calendars() -> st.SearchStrategy[Calendar]:
    return st.builds(Calendar, time_zone=st.sampled_from(ZONES), week=WEEKS, holidays=st.sampled_from(HOLIDAYS))


def around(day: date, closures: list[tuple[int, int]]) -> tuple[datetime, Closures]:
    """Midnight (UTC) of the day, and the closures around it as moments."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    begins = [(midnight + timedelta(minutes=begin), timedelta(minutes=length)) for begin, length in closures]
    return midnight, [(begin, begin + length) for begin, length in begins]


@settings(max_examples=examples(40, EXAMPLES), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    calendar=calendars(),
    day=DAYS,
    closures=CLOSURES,
    first=st.integers(-3 * MINUTES_OF_A_DAY, 3 * MINUTES_OF_A_DAY),
    step=st.sampled_from([1, 7, 15, 30, 60, 173, 600]),
    odd=st.sampled_from([0, 0, 1, -1, 12_345_678]),
    days=st.floats(0.01, 15),
)
def test_the_clock_counts_like_a_walk_day_by_day(
    calendar: Calendar, day: date, closures: list[tuple[int, int]], first: int, step: int, odd: int, days: float
) -> None:
    midnight, closed = around(day, closures)
    clock = WorkClock.of(calendar).less(closed)
    starts = [midnight + timedelta(minutes=first + step * number, microseconds=odd) for number in range(QUESTIONS)]
    # From nothing at all to so many working days.
    amounts = [calendar.day_length * days * number / (QUESTIONS - 1) for number in range(QUESTIONS)]
    expected = [
        add_working_time_slowly(calendar, start, amount, closed) for start, amount in zip(starts, amounts, strict=True)
    ]
    since = np.array([micros_of(start) for start in starts])
    more = np.array([amount // timedelta(microseconds=1) for amount in amounts])
    due = clock.add(since, more)
    assert [moment_of(micros) for micros in due.tolist()] == expected
    inside = (due < END) & (more > 0)
    assert np.array_equal(clock.between(since, due)[inside], more[inside])
    assert np.array_equal(clock.between(since, due - 1)[inside], more[inside] - 1), "not the first such moment"


@settings(max_examples=examples(30, 200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calendar=calendars(), day=DAYS, closures=CLOSURES)
@example(calendar=every_day("00:00-24:00", "America/St_Johns"), day=date(2010, 11, 6), closures=[])
@example(calendar=every_day("00:00-24:00", "Pacific/Apia"), day=date(2011, 12, 30), closures=[])
# The first local day of the horizon begins before it, and is not one on which this party opens.
@example(calendar=SUNDAYS, day=date(1970, 1, 1), closures=[])
def test_a_clock_agrees_with_itself_and_with_its_days(
    calendar: Calendar, day: date, closures: list[tuple[int, int]]
) -> None:
    midnight, closed = around(day, closures)
    clock = WorkClock.of(calendar).less(closed)
    assert (clock.opens < clock.closes).all()
    assert (clock.closes[:-1] < clock.opens[1:]).all()
    assert clock.total == (clock.closes - clock.opens).sum()
    moments = micros_of(midnight) + np.arange(-40, 120) * (37 * 60 * 10**6)
    worked = clock.worked_at(moments)
    passed = np.diff(worked)
    assert (passed >= 0).all()
    assert (passed <= np.diff(moments)).all()
    reached = clock.moment_at(worked)
    assert np.array_equal(clock.worked_at(reached), worked)
    assert (reached <= np.maximum(moments, 0)).all()
    assert np.array_equal(clock.between(moments[:-1], moments[1:]), passed)
    for moment in [moment_of(micros) for micros in moments[::8].tolist()]:
        assert closing_of_working_day(clock, moment) == closing_by_hand(calendar, closed, moment)


@pytest.mark.parametrize("days", [3, 40_000])
def test_many_moments_come_to_what_each_alone_comes_to(days: int) -> None:
    begin = micros_of(datetime(2026, 1, 16, tzinfo=UTC))
    moments = begin + np.random.default_rng(days).integers(-days, days, 2_000) * 86_400_000_000 // 7
    worked = CLOCK.worked_at(moments)
    assert worked.tolist() == [int(CLOCK.worked_at(moment)) for moment in moments]
    assert CLOCK.moment_at(worked).tolist() == [int(CLOCK.moment_at(amount)) for amount in worked]


def closing_by_hand(calendar: Calendar, closures: Closures, moment: datetime) -> datetime:
    """The end of the last opening of the first local day, from that of the moment on, that is not over yet."""
    day = max(moment, HORIZON_START).astimezone(calendar.zone).date()
    while day < date(2061, 1, 2):
        spans = [
            (max(opens, HORIZON_START), min(closes, HORIZON_END))
            for opens, closes in open_spans(calendar, day, closures)
        ]
        spans = [(opens, closes) for opens, closes in spans if opens < closes]
        if spans and spans[-1][1] >= moment:
            return spans[-1][1]
        day += timedelta(days=1)
    return max(HORIZON_END, moment)
