"""Facts are put in order by ways that are quicker than the obvious ones, and the same comes of both."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projections.doubts import may_not_count
from projections.story import Story, together
from tests.sampling import examples

_TEXTS = ("source", "party", "word", "topic")

#: Rows of facts: where the order begins and when it happened; what is far apart is told otherwise than what is near.
ROWS = st.lists(st.tuples(st.sampled_from([1, 2, 3, 70_000, 9_000_000_000]), st.integers(-2, 2)), max_size=12)


def facts_of(rows: list[tuple[int, int]], positions: list[int]) -> pa.Table:
    count = len(rows)
    columns = {
        "position": pa.array(positions, pa.int64()),
        "first_position": pa.array([first for first, _ in rows], pa.int64()),
        "occurred_at": pa.array([moment for _, moment in rows], pa.timestamp("us")),
        "fact": pa.array(["order.opened"] * count, pa.string()),
        "by_when": pa.nulls(count, pa.timestamp("us")),
        "aside": pa.array([False] * count, pa.bool_()),
    }
    return pa.table(columns | {name: pa.nulls(count, pa.string()) for name in _TEXTS})


@settings(max_examples=examples(30, 100), deadline=None)
@given(rows=ROWS, shuffled=st.randoms(use_true_random=False), in_order=st.booleans())
def test_a_story_goes_order_by_order_as_things_happened(
    rows: list[tuple[int, int]], shuffled: random.Random, in_order: bool
) -> None:
    positions = list(range(10, 10 + len(rows)))
    if not in_order:
        shuffled.shuffle(positions)
    story = Story(facts_of(rows, positions))
    expected = sorted((first, moment, position) for (first, moment), position in zip(rows, positions, strict=True))
    assert story.position.tolist() == [position for _, _, position in expected]
    assert story.occurred.tolist() == [moment for _, moment, _ in expected]
    assert story.first_position[story.order].tolist() == [first for first, _, _ in expected]


@settings(max_examples=examples(20, 50), deadline=None)
@given(values=st.lists(st.sampled_from([-5, 0, 1, 2, 90_000, 2**60])))
@example(values=[*range(70_000, 0, -1), 5, 3])
@example(values=[2**60, *range(70_000, 0, -1), 5, 3])
def test_those_of_an_order_stay_as_they_are(values: list[int]) -> None:
    rows = together(np.array(values, np.int64))
    assert rows.tolist() == sorted(range(len(values)), key=values.__getitem__)


def test_what_is_said_twice_or_taken_back_is_in_doubt() -> None:
    def told(keys: list[int], *facts: str) -> pa.Table:
        return pa.table({"fact_key": pa.array(keys, pa.uint64()), "fact": pa.array(facts, pa.string())})

    assert not may_not_count(told([]))
    assert not may_not_count(told([2**64 - 1, 1, 2], "order.opened", "item.received", "item.returned"))
    assert may_not_count(told([3, 1, 3], "order.opened", "item.received", "item.returned"))
    assert may_not_count(told([1, 2], "order.opened", "fact.corrected"))
