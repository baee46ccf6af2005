"""How much of a batch each partner gets. Nothing but numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.sharing import MOST, Pace, even_share
from tests.sampling import examples


@pytest.mark.parametrize(
    ("waiting", "each", "most", "share"),
    [
        ([5_000], 1_000, 1_000, 1_000),
        ([1, 5_000], 64, 256, 64),
        ([1, 5_000, 5_000], 200, 256, 127),
        ([10, 10, 10], 64, 256, 64),
        ([500] * 300, 64, 256, 1),
        ([3, 0], 64, 256, 64),
    ],
)
def test_shares(waiting: list[int], each: int, most: int, share: int) -> None:
    assert even_share(waiting, each, most) == share


@settings(max_examples=examples(30, 100), deadline=None)
@given(
    waiting=st.lists(st.integers(1, 2_000), min_size=1, max_size=40),
    each=st.integers(1, 1_000),
    most=st.integers(40, 1_000),
)
def test_nobody_is_left_out_and_a_batch_is_no_larger_than_it_may_be(waiting: list[int], each: int, most: int) -> None:
    share = even_share(waiting, each, most)
    assert 1 <= share <= each
    assert sum(min(count, share) for count in waiting) <= most


def test_among_others_batches_get_shorter_until_they_are_quick_and_longer_again() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(0.2, pace.share(alone=False), alone=False)
    slow = pace.share(alone=False)
    for _ in range(100):
        pace.took(0.0005, pace.share(alone=False) + 1, alone=False)
    assert slow < 50 < 500 < pace.share(alone=False) <= MOST


def test_a_small_batch_tells_nothing_of_what_a_large_one_would_take() -> None:
    pace = Pace()
    before = pace.share(alone=False)
    for _ in range(50):
        pace.took(0.001, 1, alone=False)
    assert pace.share(alone=False) == before


def test_what_happens_among_others_does_not_slow_down_one_who_is_alone() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(0.2, pace.share(alone=False), alone=False)
    assert (pace.share(alone=True), pace.most(alone=True)) == (MOST, MOST)
