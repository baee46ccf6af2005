"""Moments in words, and moments on the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cli.errors import Problem
from cli.options import read_moment
from cli.render.moments import exact, parse, span
from tests.cli.drawing import MOMENTS


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (1, "1 s"),
        (-89, "89 s"),
        (90, "2 min"),
        (5399, "90 min"),
        (3 * 3600, "3 h"),
        (149_141, "41 h"),
        (47.4 * 3600, "47 h"),
        (47.6 * 3600, "2 days"),
        (48 * 3600, "2 days"),
        (68 * 3600, "3 days"),
        (4 * 86400, "4 days"),
        (70 * 86400, "10 weeks"),
        (4 * 365 * 86400, "4.0 years"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3 * 3600, "in 3 h"), (10, "now"), (0, "now"), (-10, "10 s late"), (-6 * 86400, "6 days late")],
)
def test_what_is_left(seconds: float, words: str) -> None:
    assert MOMENTS.left(MOMENTS.now + timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 s"),
        (1974, "32 min 54 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (149_141, "1 day 17 h"),
        (2 * 86400 + 59, "2 days"),
    ],
)
def test_measured_waits(seconds: float | None, words: str) -> None:
    assert exact(seconds) == words


def test_years_are_named_when_they_are_not_this_one() -> None:
    assert MOMENTS.at(datetime(2026, 3, 29, 1, 30, tzinfo=UTC)) == "Sun 29 Mar 03:30"
    assert MOMENTS.at(datetime(2012, 12, 31, 23, 30, tzinfo=UTC)) == "Tue 1 Jan 2013 00:30"


def test_relative_moments() -> None:
    assert MOMENTS.relative(MOMENTS.now) == "now"
    assert MOMENTS.relative(MOMENTS.now + timedelta(hours=3)) == "in 3 h"
    assert MOMENTS.relative(MOMENTS.now - timedelta(days=12)) == "12 days ago"


def test_what_is_no_moment_is_none() -> None:
    assert parse("soon") is None
    assert parse(None) is None
    assert parse("2026-11-21T10:00:00") == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_bare_date_means_the_end_of_that_day() -> None:
    moment = read_moment("2026-11-21", "--as-of")
    assert moment is not None
    local = moment.astimezone()
    assert (local.date().isoformat(), local.hour, local.minute) == ("2026-11-21", 23, 59)


def test_zones_are_kept_and_their_absence_means_here() -> None:
    assert read_moment("2026-11-21T14:30+02:00", "--as-of") == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert read_moment("2026-11-21 14:30", "--as-of") == datetime(2026, 11, 21, 14, 30).astimezone()
    assert read_moment(None, "--as-of") is None


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "14:30", "2026-11-21T25:00", "0001-01-01T00:00+14:00"])
def test_what_cannot_be_read_is_a_sentence(text: str) -> None:
    with pytest.raises(Problem, match="is not a moment for --as-of: write an ISO date"):
        read_moment(text, "--as-of")


def test_the_last_moment_that_there_is_can_be_shown_in_any_zone() -> None:
    east = replace(MOMENTS, zone=ZoneInfo("Asia/Tokyo"))
    assert east.text("9999-12-31T23:59:59Z").startswith("Fri 31 Dec 9999")
