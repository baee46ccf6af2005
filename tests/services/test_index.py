"""Intake's index: what it has read, and what it looks up for a batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
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


def test_a_file_of_another_version_gives_way_and_a_damaged_one_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "state" / "index.sqlite"
    before = Index(path)
    before.follow([(1, opened(1).to_json())])
    before.close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("pragma user_version = 1")
    anew = Index(path)
    assert (anew.position, anew.find(SHOP, "e1")) == (0, None)
    anew.close()
    assert not list(path.parent.glob("*outdated*"))
    path.write_bytes(b"torn" * 1_000)
    Index(path).close()
    assert path.with_name("index.sqlite.unreadable").read_bytes().startswith(b"torn")


def test_it_knows_what_a_fact_was_whether_it_is_of_this_batch_or_was_appended_or_read(index: Index) -> None:
    def says() -> tuple[bool, bool]:
        found = index.find(SHOP, "e1")
        assert found is not None
        return found.says("order.opened"), found.says("order.referenced")

    index.expect(opened(1))
    assert says() == (True, False)
    index.appended([opened(1)], [1])
    index.forget()
    assert says() == (True, False)
    index.clear()
    index.follow([(1, opened(1).to_json())])
    assert says() == (True, False)


def test_it_knows_of_which_order_another_is_a_part_until_that_is_taken_back(index: Index) -> None:
    def said(name: str, id: str, hours: int, data: dict[str, str]) -> Event:
        time = NOW - timedelta(hours=hours)
        return make_event(name, source=SHOP, id=id, subject="W-1", time=time, recordedtime=NOW, data=data)

    merged, again = said("order.merged", "m1", 3, {"into": "W-2"}), said("order.merged", "m2", 1, {"into": "W-3"})
    index.expect(merged)
    assert index.merged_into("W-1") == "W-2"
    index.expect(said("fact.corrected", "c1", 0, {"fact_id": "m1", "reason": "incorrect_data"}))
    assert index.merged_into("W-1") is None, "taken back in the same batch"
    index.expect(again)
    assert index.merged_into("W-1") == "W-3"
    index.forget()
    assert index.merged_into("W-1") is None
    # By when it happened, not by when it came.
    index.follow([(1, again.to_json()), (2, merged.to_json()), (3, said("order.unmerged", "u", 2, {}).to_json())])
    assert index.merged_into("W-1") == "W-3"
    index.expect(said("fact.corrected", "c", 0, {"fact_id": "m2", "reason": "did_not_occur"}))
    assert index.merged_into("W-1") is None
    index.forget()
    index.follow([(4, said("fact.corrected", "c", 0, {"fact_id": "m2", "reason": "did_not_occur"}).to_json())])
    assert index.merged_into("W-1") is None
    index.clear()
    assert index.merged_into("W-1") is None


def test_a_number_is_known_to_whoever_takes_part_in_its_order_and_to_nobody_else(index: Index) -> None:
    def said(name: str, id: str, data: dict[str, object], order: str = "W-1", source: str = SHOP) -> Event:
        return make_event(name, source=source, id=id, subject=order, time=NOW, data=data)

    maker, bench = "importer:north", "repairer:bench"
    product = {"brand": "Tide", "serial": "SN-1"}
    log = [
        said("order.opened", "o", {"product": product, "customer": "C-1", "items": [{"item": "a", "serial": "SN-2"}]}),
        referenced("r", "RMA-7", "W-1"),
        said("item.handed_over", "h", {"to": maker}),
        said("unit.replaced", "u", {"new_serial": "SN-3"}),
        said("order.opened", "o2", {"product": product}, order="W-2", source="retailer:other"),
    ]

    def found() -> list[list[str]]:
        asked = [("serial", "SN-1", "tide"), ("serial", "SN-2", None), ("serial", "SN-3", "Tide")]
        asked += [("reference", "RMA-7", SHOP), ("customer", "C-1", None), ("reference", "RMA-7", None)]
        return [index.numbered(maker, *each) for each in asked]  # type: ignore[arg-type]

    for event in log:
        index.expect(event)
    assert found() == [["W-1"]] * 6
    index.forget()
    assert found() == [[]] * 6
    index.follow([(number, event.to_json()) for number, event in enumerate(log, 1)])
    assert found() == [["W-1"]] * 6
    assert index.numbered(bench, "serial", "SN-1", None) == []
    assert index.numbered(SHOP, "serial", "SN-1", None) == ["W-1"]
    assert index.numbered(maker, "serial", "SN-1", "Other") == []
    assert index.numbered(maker, "reference", "RMA-7", "retailer:other") == []
    # What this batch hands over counts as well.
    index.expect(said("item.handed_over", "h2", {"to": bench}))
    assert index.numbered(bench, "serial", "SN-1", None) == ["W-1"]
    index.forget()
    index.follow([(9, said("fact.corrected", "c", {"fact_id": "h", "reason": "did_not_occur"}).to_json())])
    assert found() == [[]] * 6
    assert sorted(index.numbers_of("W-1")) == ["C-1", "RMA-7", "SN-1", "SN-2", "SN-3"]
