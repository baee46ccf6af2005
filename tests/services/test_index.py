"""Intake's index: what it has read, and what it looks up for a batch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.envelope import Event, make_event
from services.intake.index import Index

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP = "retailer:acme"


def opened(number: int) -> Event:
    return make_event("order.opened", source=SHOP, id=f"e{number}", subject=f"W-{number}", time=NOW, data={})


def referenced(id: str, reference: str, order: str) -> Event:
    return make_event("order.referenced", source=SHOP, id=id, subject=order, time=NOW, data={"reference": reference})


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    index.close()


@pytest.mark.parametrize(
    ("positions", "reached"),
    [([1, 2, 3], 3), ([2, 3, 4], 0), ([1, 2, 7], 2), ([5, 1, 2], 2)],
    ids=["all of the log", "another's fact before them", "another's between them", "a duplicate of long ago"],
)
def test_what_it_appended_itself_counts_as_read_up_to_what_others_said(
    index: Index, positions: list[int], reached: int
) -> None:
    index.appended([opened(number) for number in positions], positions)
    assert index.position == reached
    assert all(index.find(SHOP, f"e{number}") is not None for number in positions)


def test_looking_up_a_batch_at_once_finds_what_looking_up_one_by_one_finds(index: Index) -> None:
    known = [opened(1), opened(2), referenced("r1", "OURS-1", "W-1")]
    index.appended(known, [1, 2, 3])
    asked = [opened(1), opened(3), referenced("r2", "X", "OURS-1"), referenced("r1", "OURS-1", "W-1")]

    def answers() -> list[object]:
        return [
            answer
            for event in asked
            for answer in (
                index.find(event.source, event.id),
                index.opened_by(event.subject),
                index.order_of(SHOP, event.subject),
            )
        ]

    one_by_one = answers()
    index.forget()
    index.prepare(asked)
    assert answers() == one_by_one
    assert index.order_of(SHOP, "OURS-1") == "W-1"
    assert index.opened_by("W-1") == SHOP


def test_what_it_looked_up_does_not_outlive_what_it_learns(index: Index) -> None:
    index.prepare([opened(1)])
    assert index.find(SHOP, "e1") is None
    index.follow([(1, opened(1).to_json())])
    assert index.find(SHOP, "e1") is not None
    assert index.opened_by("W-1") == SHOP
    index.clear()
    assert index.find(SHOP, "e1") is None


def test_it_knows_of_which_order_another_is_a_part_until_that_is_taken_back(index: Index) -> None:
    def said(name: str, id: str, hours: int, data: dict[str, str]) -> Event:
        time = NOW - timedelta(hours=hours)
        return make_event(name, source=SHOP, id=id, subject="W-1", time=time, recordedtime=NOW, data=data)

    merged, again = said("order.merged", "m1", 3, {"into": "W-2"}), said("order.merged", "m2", 1, {"into": "W-3"})
    index.expect(merged)
    assert index.merged_into("W-1") == "W-2"
    index.forget()
    assert index.merged_into("W-1") is None
    # By when it happened, not by when it came.
    index.follow([(1, again.to_json()), (2, merged.to_json()), (3, said("order.unmerged", "u", 2, {}).to_json())])
    assert index.merged_into("W-1") == "W-3"
    index.follow([(4, said("fact.corrected", "c", 0, {"fact_id": "m2", "reason": "did_not_occur"}).to_json())])
    assert index.merged_into("W-1") is None
    index.clear()
    assert index.merged_into("W-1") is None
