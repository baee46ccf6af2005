"""Which allowance a person would write, and the shortest that will do, checked by trying every one."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.policies.amount import Amount
from services.backtest.ladder import MOST_IDLE, MOST_LATE, ladder, shares_at, suggest
from services.backtest.owed import GRACE
from tests.sampling import examples

HOUR = 3_600_000_000
EIGHT = timedelta(hours=8)


def days(count: int, hours: float = 8) -> np.ndarray:
    return np.full(count, int(hours * HOUR), np.int64)


def hours(*lengths: float) -> np.ndarray:
    return np.array([int(length * HOUR) for length in lengths], np.int64)


def test_the_steps_are_those_that_people_write() -> None:
    first = [str(amount) for _, amount in zip(range(8), ladder(False, EIGHT), strict=False)]
    assert first == [
        "1 working hour",
        "2 working hours",
        "3 working hours",
        "4 working hours",
        "1 working day",
        "12 working hours",
        "2 working days",
        "20 working hours",
    ]
    around = [str(amount) for amount in ladder(True, EIGHT)][10:16]
    assert around == ["11 hours", "12 hours", "24 hours", "36 hours", "2 days", "60 hours"]


@pytest.mark.parametrize("around_the_clock", [True, False])
@pytest.mark.parametrize("day_length", [timedelta(hours=2), timedelta(hours=7, minutes=30), EIGHT, timedelta(hours=24)])
def test_the_steps_rise_and_a_policy_takes_each(around_the_clock: bool, day_length: timedelta) -> None:
    steps = list(ladder(around_the_clock, day_length))
    lengths = [amount.microseconds(day_length) for amount in steps]
    assert lengths == sorted(set(lengths))
    assert all(Amount.parse(str(amount)) == amount for amount in steps)
    assert all(amount.around_the_clock is around_the_clock for amount in steps)


def test_late_and_needless_are_shares_of_all_steps() -> None:
    found = shares_at(hours(1, 8, 8.5, 12, 12.5, 100), 8 * HOUR)
    assert (found.late, found.idle) == (4 / 6, 2 / 6)  # 8.5 and 12: done within four hours of the notice


def test_what_takes_a_day_gets_the_day() -> None:
    took = hours(*([7] * 99), 200)
    found = suggest(took, days(100), around_the_clock=False)
    assert found is not None
    assert str(found.amount) == "1 working day"
    assert found.shares.late == 0.01


def test_a_time_that_nearly_all_exceed_is_no_time_limit() -> None:
    """Below four hours nobody would be told in vain either, for nobody is done soon after; it would be a bad rule."""
    found = suggest(hours(*([30] * 100)), days(100), around_the_clock=False)
    assert found is not None
    assert str(found.amount) == "4 working days"


def test_nothing_will_do_for_what_takes_for_ever() -> None:
    assert suggest(hours(*([1e6] * 40)), days(40), around_the_clock=False) is None


@settings(max_examples=examples(25, 150), deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 150), st.sampled_from([4.0, 7.5, 8.0])), min_size=1, max_size=60),
    st.booleans(),
)
def test_the_suggestion_will_do_and_the_next_shorter_one_will_not(
    cases: list[tuple[float, float]], around_the_clock: bool
) -> None:
    took = hours(*(length for length, _ in cases))
    day_lengths = hours(*(day for _, day in cases))
    found = suggest(took, day_lengths, around_the_clock)
    assert found is not None
    steps = list(ladder(around_the_clock, timedelta(microseconds=int(np.median(day_lengths)))))
    place = steps.index(found.amount)

    def will_do(amount: Amount) -> bool:
        late = idle = 0
        for length, day in zip(took.tolist(), day_lengths.tolist(), strict=True):
            over = length - amount.microseconds(timedelta(microseconds=day))
            late += over > 0
            idle += 0 < over <= GRACE
        return idle / len(cases) < MOST_IDLE and late / len(cases) <= MOST_LATE

    assert all(will_do(amount) for amount in steps[place:])
    assert place == 0 or not will_do(steps[place - 1])
