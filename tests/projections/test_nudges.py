"""A nudge comes before the due time, to the minute where it falls on one, however few hours a party is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.book import Book, Terms
from projections.clock import micros_of, moment_of
from projections.policy import Policy
from projections.terms import nudge_at
from tests.sampling import examples

MONDAY = micros_of(datetime(2026, 11, 2, 13, 30, tzinfo=UTC))
DAY = 86_400_000_000

OPEN = {
    "as usual": "",
    "an hour a week": "\n".join(
        [*(f'{day} = "closed"' for day in ("monday", "tuesday", "thursday", "friday")), 'wednesday = "9:00-10:00"']
    ),
    "a minute a day": "\n".join(
        f'{day} = "12:00-12:01"' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    ),
}


def terms(hours: str, urgency: str = "routine", allow: str = "5 working days") -> Terms:
    policy = Policy.parse(f'[allow]\nupdate = "{allow}"\n[calendar]\n{OPEN[hours]}')
    return Book([(0, policy)], {}).terms(-1, "update", "retailer:juno", None, None, urgency)


def test_of_five_working_days_two_hours_are_left() -> None:
    found = terms("as usual")
    due = found.clock.add(MONDAY, found.allowed)
    assert moment_of(int(nudge_at(found, np.array([MONDAY]), np.array([due]))[0])) == datetime(
        2026, 11, 9, 11, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(("urgency", "left"), [("urgent", timedelta(minutes=36)), ("safety", timedelta(minutes=18))])
def test_of_an_urgent_order_half_an_hour_is_left(urgency: str, left: timedelta) -> None:
    found = terms("as usual", urgency)
    due = found.clock.add(MONDAY, found.allowed)
    assert moment_of(int(due)) - moment_of(int(nudge_at(found, np.array([MONDAY]), np.array([due]))[0])) == left


@settings(max_examples=examples(40, 300), deadline=None)
@given(
    st.sampled_from(sorted(OPEN)),
    st.sampled_from(["routine", "urgent"]),
    st.sampled_from(["5 working days", "1 working minute", "90 working minutes", "3 days", "1 minute"]),
    st.integers(0, 60 * DAY),
    st.integers(1, 40 * DAY),
)
def test_it_always_comes_before_the_due_time(
    hours: str, urgency: str, allow: str, since: int, promised_after: int
) -> None:
    found = terms(hours, urgency, allow)
    opened = np.array([MONDAY + since])
    # By the rule, or sooner where a date was promised.
    for due in (found.clock.add(opened, found.allowed), opened + promised_after):
        left = found.clock.between(opened, due)
        nudge = nudge_at(found, opened, due)
        assert (nudge >= opened).all()
        assert (nudge < due).all() or (left == 0).all()
