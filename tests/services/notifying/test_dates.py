"""Dates, times and money as people of each language write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.notifying.dates import DUTCH, ENGLISH, spoken

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("asked", "ours"), [("nl-BE", "nl"), ("NL", "nl"), ("nl_NL", "nl"), ("en-GB", "en"), ("fr", "en"), (None, "en")]
)
def test_a_language_that_we_do_not_speak_is_english(asked: str | None, ours: str) -> None:
    assert spoken(asked) == ours


def test_dates_are_those_of_amsterdam_summer_and_winter() -> None:
    assert ENGLISH.when(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), NOW) == "Thursday 2 July at 00:30"
    assert DUTCH.when(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), NOW) == "donderdag 31 december om 17.00 uur"
    assert ENGLISH.day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), NOW) == "Friday 1 January 2027"
    assert DUTCH.day(datetime(2027, 1, 6, 9, 0, tzinfo=UTC), NOW) == "woensdag 6 januari 2027"


def test_or_of_the_zone_in_which_she_is() -> None:
    zone = ZoneInfo("America/New_York")
    assert ENGLISH.when(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), NOW, zone) == "Wednesday 1 July at 18:30"
    assert ENGLISH.day(datetime(2027, 1, 1, 1, 0, tzinfo=UTC), NOW, zone) == "Thursday 31 December"


def test_the_last_day_and_the_first_that_there_are_can_be_told_in_any_zone() -> None:
    last, first = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    assert ENGLISH.deadline(last, NOW) == "up to and including Friday 31 December 9999"
    assert ENGLISH.by(last, NOW) == "Friday 31 December 9999"
    assert DUTCH.window(NOW, last, NOW).endswith("vrijdag 31 december 9999 om 23.59 uur")
    assert ENGLISH.when(first, NOW, ZoneInfo("America/New_York")) == "Monday 1 January 1 at 00:00"


def test_deadlines_at_midnight_are_whole_days() -> None:
    assert ENGLISH.deadline(datetime(2026, 12, 11, 11, 0, tzinfo=UTC), NOW) == "until Friday 11 December at 12:00"
    assert DUTCH.deadline(datetime(2026, 12, 11, 22, 59, tzinfo=UTC), NOW) == "tot en met vrijdag 11 december"
    assert DUTCH.deadline(datetime(2026, 12, 11, 23, 0, tzinfo=UTC), NOW) == "tot en met vrijdag 11 december"


def test_windows() -> None:
    begin = NOW + 48 * HOUR
    assert ENGLISH.window(begin, begin + 2 * HOUR, NOW) == "Wednesday 25 November between 11:00 and 13:00"
    assert DUTCH.window(begin, begin + 2 * HOUR, NOW) == "woensdag 25 november tussen 11.00 en 13.00 uur"
    assert (
        DUTCH.window(begin, begin + 24 * HOUR, NOW)
        == "tussen woensdag 25 november om 11.00 uur en donderdag 26 november om 11.00 uur"
    )


@pytest.mark.parametrize(
    ("hours", "precise", "said"),
    [
        (-2, False, "Monday 23 November at 09:00"),
        (24, False, "Tuesday 24 November at 11:00"),
        (48, False, "Wednesday 25 November"),
        (48, True, "Wednesday 25 November at 11:00"),
        (-24, False, "Sunday 22 November"),
    ],
)
def test_the_hour_is_said_of_today_and_tomorrow_and_where_it_matters(hours: int, precise: bool, said: str) -> None:
    assert ENGLISH.by(NOW + hours * HOUR, NOW, precise=precise) == said


@pytest.mark.parametrize(
    ("amount", "currency", "english", "dutch"),
    [
        ("85", "EUR", "€85.00", "€\N{NO-BREAK SPACE}85,00"),
        ("1234567.5", "CHF", "CHF\N{NO-BREAK SPACE}1,234,567.50", "CHF\N{NO-BREAK SPACE}1.234.567,50"),
        ("0", "GBP", "£0.00", "£\N{NO-BREAK SPACE}0,00"),
        ("8500", "JPY", "JP¥8,500", "JP¥\N{NO-BREAK SPACE}8.500"),
        ("8500.55", "JPY", "JP¥8,500.55", "JP¥\N{NO-BREAK SPACE}8.500,55"),  # never rounded
        ("5", "XYZ", "XYZ\N{NO-BREAK SPACE}5.00", "XYZ\N{NO-BREAK SPACE}5,00"),
    ],
)
def test_amounts(amount: str, currency: str, english: str, dutch: str) -> None:
    assert ENGLISH.money(Decimal(amount), currency) == english
    assert DUTCH.money(Decimal(amount), currency) == dutch
