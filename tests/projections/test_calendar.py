"""Calendars: what they accept, how their hours are written, and when a party opens on a given day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from projections.calendar import (
    ALWAYS,
    DEFAULT,
    HORIZON_END,
    MINUTES_OF_A_DAY,
    Calendar,
    Slots,
    local_moment,
    read_slots,
    write_slots,
)
from tests.projections.walking import add_working_time_slowly

AROUND_THE_CLOCK: Slots = ((0, MINUTES_OF_A_DAY),)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def every_day(hours: str, time_zone: str = "Europe/Amsterdam", holidays: str | None = None) -> Calendar:
    return Calendar(time_zone=time_zone, week=(read_slots(hours),) * 7, holidays=holidays)


def local(text: str, zone: str = "Europe/Amsterdam") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "slots", "written"),
    [
        ("9:00-12:30, 13:00-17:30", ((540, 750), (780, 1050)), "09:00-12:30, 13:00-17:30"),
        ("09-17", ((540, 1020),), "09:00-17:00"),
        (" 8:15 – 9 ,22:00-24:00", ((495, 540), (1320, 1440)), "08:15-09:00, 22:00-24:00"),
        ("00:00-24:00", AROUND_THE_CLOCK, "00:00-24:00"),
        ("9-12,12-17", ((540, 1020),), "09:00-17:00"),
        ("Closed", (), "closed"),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, slots: Slots, written: str) -> None:
    assert read_slots(text) == slots
    assert write_slots(slots) == written


@pytest.mark.parametrize("text", ["", "9", "9-", "nine to five", "9:60-17", "9-25", "9-24:01", "9-12;13-17", "٩-17"])
def test_what_is_not_hours_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is not opening hours, such as [^\n]*$"):
        read_slots(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("17-9", "a slot closes after it opens, and 17:00-09:00 does not"),
        ("9-9", "a slot closes after it opens, and 09:00-09:00 does not"),
        ("13-17, 9-12", "slots follow one another, and 09:00-12:00 does not follow 13:00-17:00"),
        ("9-13, 12-17", "slots follow one another, and 12:00-17:00 does not follow 09:00-13:00"),
    ],
)
def test_hours_that_make_no_sense_are_told_apart(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        read_slots(text)


@given(st.lists(st.integers(0, MINUTES_OF_A_DAY), max_size=10, unique=True).map(sorted))
def test_written_hours_read_the_same(ends: list[int]) -> None:
    slots = tuple(zip(ends[::2], ends[1::2], strict=False))
    assert read_slots(write_slots(slots)) == slots


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"time_zone": "Mars/Olympus"}, "'Mars/Olympus' is not a time zone's name"),
        ({"time_zone": "Europe"}, "'Europe' is not a time zone's name"),
        ({"time_zone": "../secrets"}, "'../secrets' is not a time zone's name"),
        ({"time_zone": "localtime"}, "'localtime' is not a time zone's name"),
        ({"time_zone": ""}, "'' is not a time zone's name"),
        ({"holidays": "XX"}, "no public holidays are known for 'XX'"),
        ({"holidays": "DE-XX"}, "no public holidays are known for 'DE-XX'"),
        ({"holidays": "germany"}, "no public holidays are known for 'germany'"),
        ({"week": [[[540, 1020]]] * 5}, "a week has seven days, Monday first, not 5"),
        ({"week": [[]] * 7}, "a party must open on at least one day of the week"),
        ({"week": [[[540, 1441]]] * 7}, "less than or equal to 1440"),
        ({"week": [[[-1, 60]]] * 7}, "greater than or equal to 0"),
        ({"week": [[[60, 0]]] * 7}, "a slot closes after it opens"),
        ({"week": [[[0, 60], [30, 90]]] * 7}, "slots follow one another"),
        ({"opens": 9}, "Extra inputs are not permitted"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Calendar.model_validate(given)


def test_a_calendar_is_a_value_that_survives_json() -> None:
    calendar = Calendar(time_zone="America/New_York", week=(read_slots("9-12, 13-17"),) * 7, holidays="US")
    again = Calendar.model_validate_json(calendar.model_dump_json())
    assert again == calendar
    assert hash(again) == hash(calendar)
    assert every_day("9-12, 12-17") == every_day("9-17")
    assert Calendar() == DEFAULT


def test_a_working_day_is_as_long_as_most_days_are() -> None:
    assert DEFAULT.day_length == timedelta(hours=8)
    assert ALWAYS.day_length == timedelta(hours=24)
    assert every_day("9:00-12:30, 13:00-17:30").day_length == timedelta(hours=8)
    short_friday = Calendar(week=(read_slots("8-18"),) * 4 + (read_slots("8-12"),) + ((),) * 2)
    assert short_friday.day_length == timedelta(hours=10)
    only_two = Calendar(week=(read_slots("9-12"), read_slots("9-12:15")) + ((),) * 5)
    assert only_two.day_length == timedelta(hours=3, minutes=7, seconds=30)


def test_only_who_opens_around_the_clock_never_closes() -> None:
    assert ALWAYS.never_closes
    assert every_day("00:00-24:00").never_closes
    assert not every_day("00:00-24:00", holidays="NL").never_closes
    assert not every_day("00:00-23:59").never_closes
    assert not DEFAULT.never_closes


@pytest.mark.parametrize(
    ("code", "holiday", "not_one"),
    [
        ("NL", "2026-04-27", "2026-04-28"),
        # The 27th is a Sunday, so it is kept on the day before.
        ("NL", "2025-04-26", "2025-04-27"),
        ("DE-BY", "2026-06-04", "2026-06-05"),
        ("DE-BY", "2026-01-06", "2026-01-07"),
        ("DE", "2026-10-03", "2026-06-04"),
        # The fourth is a Saturday: observed on the Friday.
        ("US", "2026-07-03", "2026-07-06"),
    ],
)
def test_a_party_does_not_open_on_a_public_holiday(code: str, holiday: str, not_one: str) -> None:
    calendar = every_day("9-17", holidays=code)
    assert calendar.is_holiday(date.fromisoformat(holiday))
    assert calendar.opening_spans(date.fromisoformat(holiday)) == []
    assert not calendar.is_holiday(date.fromisoformat(not_one))
    assert calendar.opening_spans(date.fromisoformat(not_one)) != []
    assert not DEFAULT.is_holiday(date.fromisoformat(holiday))


@pytest.mark.parametrize(
    ("day", "hours", "spans"),
    [
        (date(2026, 1, 16), "9:00-12:30, 13:00-17:30", ["08:00-11:30", "12:00-16:30"]),
        (date(2026, 7, 16), "9:00-12:30, 13:00-17:30", ["07:00-10:30", "11:00-15:30"]),
        # From two to three there is no time in spring.
        (SPRING, "01:30-02:30, 04-05", ["00:30-01:00", "02:00-03:00"]),
        (SPRING, "02:15-02:45", []),
        (SPRING, "01-02:10, 02:50-04", ["00:00-01:00", "01:00-02:00"]),
        # From two to three occurs twice in autumn, and a time in it means the first.
        (AUTUMN, "02:15-02:45", ["00:15-00:45"]),
        (AUTUMN, "01:30-02:30, 02:45-04", ["23:30-00:30", "00:45-03:00"]),
    ],
)
def test_opening_hours_are_those_of_the_local_clock(day: date, hours: str, spans: list[str]) -> None:
    opening = every_day(hours).opening_spans(day)
    assert [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in opening] == spans


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_a_whole_day_is_as_long_as_clocks_make_it(day: date, hours: int) -> None:
    ((opens, closes),) = every_day("00:00-24:00").opening_spans(day)
    assert closes - opens == timedelta(hours=hours)
    ((opens, closes),) = ALWAYS.opening_spans(day)
    assert closes - opens == timedelta(hours=24)


def test_a_day_that_a_zone_left_out_has_no_hours() -> None:
    # Samoa went from the 29th to the 31st of December 2011.
    samoa = every_day("9-17", "Pacific/Apia")
    assert len(samoa.opening_spans(date(2011, 12, 29))) == 1
    assert samoa.opening_spans(date(2011, 12, 30)) == []
    assert len(samoa.opening_spans(date(2011, 12, 31))) == 1


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Amsterdam", SPRING),
        ("Europe/Amsterdam", AUTUMN),
        ("America/Sao_Paulo", date(2018, 11, 4)),
        ("America/Sao_Paulo", date(2018, 2, 17)),
        ("America/St_Johns", date(2010, 11, 6)),
        ("America/St_Johns", date(2010, 3, 14)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Pacific/Apia", date(2011, 12, 30)),
    ],
)
def test_a_later_time_of_day_is_never_an_earlier_moment(zone: str, day: date) -> None:
    days = [day - timedelta(days=1), day, day + timedelta(days=1)]
    moments = [local_moment(ZoneInfo(zone), day, minute) for day in days for minute in range(MINUTES_OF_A_DAY + 1)]
    assert moments == sorted(moments)
    assert moments[MINUTES_OF_A_DAY] == moments[MINUTES_OF_A_DAY + 1], "24:00 is 0:00 of the next day"


def test_the_slow_walk_is_right_by_hand() -> None:
    friday = "2026-01-16 16:30"
    assert add_working_time_slowly(DEFAULT, local(friday), timedelta(hours=1)) == local("2026-01-19 09:30")
    assert add_working_time_slowly(DEFAULT, local(friday), timedelta(minutes=30)) == local("2026-01-16 17:00")
    assert add_working_time_slowly(DEFAULT, local(friday), timedelta(0)) == local(friday)
    lunch = every_day("9:00-12:30, 13:00-17:30")
    assert add_working_time_slowly(lunch, local("2026-01-16 12:00"), timedelta(hours=1)) == local("2026-01-16 13:30")
    overlapping = [
        (local("2026-01-19 09:00"), local("2026-01-19 12:00")),
        (local("2026-01-19 11:00"), local("2026-01-19 13:00")),
        (local("2026-01-19 16:00"), local("2026-01-19 14:00")),
    ]
    due = add_working_time_slowly(DEFAULT, local(friday), timedelta(hours=1), overlapping)
    assert due == local("2026-01-19 13:30")


def test_the_slow_walk_ends_with_the_horizon() -> None:
    last = datetime(2060, 12, 31, 15, 30, tzinfo=UTC)
    assert add_working_time_slowly(DEFAULT, last, timedelta(hours=1)) == HORIZON_END
    later = datetime(2070, 1, 1, tzinfo=UTC)
    assert add_working_time_slowly(DEFAULT, later, timedelta(hours=1)) == later
    long_ago = datetime(1, 1, 5, tzinfo=UTC)
    assert add_working_time_slowly(DEFAULT, long_ago, timedelta(hours=1)) == datetime(1970, 1, 1, 9, tzinfo=UTC)
