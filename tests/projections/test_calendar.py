"""Opening hours: known answers, and the same answers from SQL as from Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.calendar import (
    HORIZON_END,
    Closures,
    add_working_time,
    closing_of_working_day,
    promise_of_next_news,
)
from projections.database import Database
from projections.models import CLOSED_SPANS

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FRIDAY = "2026-01-16"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (f"{FRIDAY} 16:30", 1, "2026-01-19 09:30"),
        (f"{FRIDAY} 16:30", 16, "2026-01-20 16:30"),
        (f"{FRIDAY} 16:00", 1, f"{FRIDAY} 17:00"),
        (f"{FRIDAY} 17:00", 1, "2026-01-19 10:00"),
        (f"{FRIDAY} 23:00", 8, "2026-01-19 17:00"),
        ("2026-01-17 12:00", 8, "2026-01-19 17:00"),
        ("2026-01-19 03:00", 1, "2026-01-19 10:00"),
        # Clocks go forward on Sunday 29 March and back on Sunday 25 October.
        ("2026-03-27 16:30", 1, "2026-03-30 09:30"),
        ("2026-03-27 12:00", 16, "2026-03-31 12:00"),
        ("2026-10-23 16:30", 1, "2026-10-26 09:30"),
        ("2026-10-23 12:00", 16, "2026-10-27 12:00"),
    ],
)
def test_opening_hours_pass_while_it_is_open(start: str, hours: float, due: str) -> None:
    assert add_working_time(local(start), hours) == local(due)


def test_a_closure_stops_the_clock() -> None:
    two_weeks = [(local("2026-01-19 00:00"), local("2026-02-02 00:00"))]
    assert add_working_time(local(f"{FRIDAY} 16:30"), 1, two_weeks) == local("2026-02-02 09:30")
    an_afternoon = [(local(f"{FRIDAY} 12:00"), local(f"{FRIDAY} 17:00"))]
    assert add_working_time(local(f"{FRIDAY} 11:00"), 1, an_afternoon) == local(f"{FRIDAY} 12:00")
    assert add_working_time(local(f"{FRIDAY} 11:30"), 1, an_afternoon) == local("2026-01-19 09:30")


def test_who_closes_for_ever_owes_nothing_that_comes_due() -> None:
    for_ever = [(local("2026-01-19 00:00"), local("2300-01-01 00:00"))]
    assert add_working_time(local(f"{FRIDAY} 16:30"), 1, for_ever) == HORIZON_END


def test_the_working_day_closes_at_five_or_when_a_closure_begins() -> None:
    assert closing_of_working_day(local(f"{FRIDAY} 10:00")) == local(f"{FRIDAY} 17:00")
    assert closing_of_working_day(local(f"{FRIDAY} 18:00")) == local("2026-01-19 17:00")
    from_three = [(local(f"{FRIDAY} 15:00"), local("2026-01-19 00:00"))]
    assert closing_of_working_day(local(f"{FRIDAY} 10:00"), from_three) == local(f"{FRIDAY} 15:00")
    assert closing_of_working_day(local(f"{FRIDAY} 16:00"), from_three) == local("2026-01-19 17:00")


def test_the_next_news_is_promised_for_the_end_of_the_day_after_it_is_due() -> None:
    # Monday 10:00 and forty hours make Monday 10:00 a week later; the hour after that is on the same day.
    assert promise_of_next_news(local("2026-01-12 10:00")) == local("2026-01-19 17:00")
    # At the end of a day the hour after falls on the next.
    assert promise_of_next_news(local("2026-01-12 16:30")) == local("2026-01-20 17:00")
    two_weeks = [(local("2026-01-19 00:00"), local("2026-02-02 00:00"))]
    assert promise_of_next_news(local("2026-01-12 10:00"), two_weeks) == local("2026-02-02 17:00")


MOMENTS = st.datetimes(datetime(2025, 12, 1), datetime(2026, 4, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
CLOSURES = st.lists(
    st.tuples(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=30))).map(lambda c: (c[0], c[0] + c[1])),
    max_size=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(starts=st.lists(MOMENTS, min_size=1, max_size=20), hours=st.integers(1, 60), closures=CLOSURES)
def test_sql_counts_like_python(database: Database, starts: list[datetime], hours: int, closures: Closures) -> None:
    expected = [add_working_time(start, hours, closures) for start in starts]
    assert due_in_sql(database, starts, hours, closures) == expected


@pytest.mark.parametrize("start", ["0001-01-05", "1969-12-31", "1970-01-01", "2060-12-31", "2061-01-02", "9999-12-30"])
def test_sql_counts_like_python_at_the_ends_of_time(database: Database, start: str) -> None:
    moments = [datetime.fromisoformat(f"{start}T{hour:02}:30:00").replace(tzinfo=UTC) for hour in (0, 8, 15, 16, 23)]
    assert due_in_sql(database, moments, 16, []) == [add_working_time(moment, 16) for moment in moments]


def due_in_sql(database: Database, starts: list[datetime], hours: int, closures: Closures) -> list[datetime]:
    cursor = database.cursor()
    try:
        cursor.execute("CREATE TEMP TABLE closures (party VARCHAR, closed_from TIMESTAMP, closed_until TIMESTAMP)")
        for begin, until in closures:
            cursor.execute("INSERT INTO temp.closures VALUES ('us', ?, ?)", [naive(begin), naive(until)])
        cursor.execute(f"CREATE TEMP TABLE closed_spans AS {CLOSED_SPANS.select}")
        cursor.execute("CREATE TEMP TABLE waits (number INTEGER, party VARCHAR, since TIMESTAMP, hours INTEGER)")
        for number, start in enumerate(starts):
            cursor.execute("INSERT INTO temp.waits VALUES (?, 'us', ?, ?)", [number, naive(start), hours])
        rows = cursor.execute("SELECT due FROM due_times('waits') ORDER BY number").fetchall()
        return [due.replace(tzinfo=UTC) for (due,) in rows]
    finally:
        cursor.close()


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
