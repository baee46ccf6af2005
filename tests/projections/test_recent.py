"""The orders that began last are remembered: never more than the mirror holds of them, nor anything else."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest

from events.envelope import Event
from projections import database as databases
from projections import live
from projections import recent as recent_orders
from projections.database import Database, open_database
from projections.merging import until
from projections.recent import Keys, Known, Recent
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    fact,
    handed,
    messages_of,
    model_rows,
    new_database,
    opened,
    received,
    rows_of_a_rebuild,
)

#: One after the other, as a quiet chain hears of them.
FACTS = [
    opened(),
    opened(order="W-2"),
    handed(SHOP, BENCH, "2026-03-02 10:00"),
    received(BENCH, "2026-03-03 10:00"),
    handed(SHOP, IMPORTER, "2026-03-05 10:00", order="W-2"),
    handed(BENCH, SHOP, "2026-03-06 10:00"),
]


def apply_singly(database: Database, facts: list[Event], first: int = 1) -> None:
    for message in messages_of(facts, first=first):
        database.apply([message])


def touched(*orders: str) -> pa.Table:
    firsts = [int(order.partition("-")[2]) for order in orders]
    columns = {"until": [int(until(first, first)) for first in firsts], "announces": [False] * len(orders)}
    return pa.table({"order_id": list(orders), "first_position": firsts, **columns})


def raw(**rows: list[int]) -> pa.Table:
    """Rows of orders: W_7=[7, 9] are those at 7 and 9 of the order that begins at 7."""
    said = sorted((position, int(order[2:])) for order, positions in rows.items() for position in positions)
    return pa.table(
        {
            "position": pa.array([position for position, _ in said], pa.int64()),
            "first_position": pa.array([first for _, first in said], pa.int64()),
        }
    )


def positions_of(recent: Recent, *firsts: int) -> list[int]:
    return sorted(int(row["position"]) for rows in recent.rows_of(firsts) for row in rows.to_pylist())


def test_the_next_fact_of_an_order_finds_what_the_mirror_holds_of_it(database: Database) -> None:
    apply_singly(database, FACTS)
    assert database._desk is not None
    recent = database._desk.recent
    ends = [int(until(first, first)) for first in (1, 2)]
    assert recent.find(["W-1", "W-2", "W-3"]) == {"W-1": Known(1, ends[0], False), "W-2": Known(2, ends[1], False)}
    assert positions_of(recent, 1) == [1, 3, 4, 6]
    assert positions_of(recent, 1, 2) == [1, 2, 3, 4, 5, 6]
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


def test_an_order_that_is_no_longer_remembered_is_looked_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_orders, "_MOST_ROWS", 2)
    database._clear_desk()  # another test's was set up before
    apply_singly(database, FACTS)
    assert database._desk is not None
    assert database._desk.recent.begin > 1
    assert not database._desk.recent.find(["W-1"])
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


def test_one_batch_about_orders_that_are_remembered_and_orders_that_are_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = [opened(), opened(order="W-2"), opened(order="W-3"), handed(SHOP, BENCH, "2026-03-02 10:00", order="W-3")]
    both = [handed(SHOP, BENCH, "2026-03-03 10:00", order=order) for order in ("W-1", "W-2", "W-3", "W-4")]
    monkeypatch.setattr(recent_orders, "_MOST_ROWS", 3)
    database._clear_desk()  # another test's was set up before
    apply_singly(database, facts)
    assert database._desk is not None
    assert list(database._desk.recent.find(["W-1", "W-2", "W-3"])) == ["W-3"]
    database.apply(messages_of(both, first=5))
    assert model_rows(database) == rows_of_a_rebuild([*facts, *both])


def test_what_was_rolled_back_is_not_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_singly(database, FACTS[:3])
    with monkeypatch.context() as patch:
        patch.setattr(databases, "_move", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            database.apply(messages_of(FACTS[4:5], first=4))  # not what the log has there in the end
    apply_singly(database, FACTS[3:], first=4)
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


@pytest.mark.parametrize("what", [ZeroDivisionError, KeyboardInterrupt])
def test_what_cannot_be_remembered_is_committed_all_the_same_and_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, what: type[BaseException]
) -> None:
    def fail(_: object) -> None:
        raise what

    database.apply(messages_of(FACTS[:2]))
    with monkeypatch.context() as patch:
        patch.setattr(live, "_remember", fail)
        with nullcontext() if what is ZeroDivisionError else pytest.raises(what):
            database.apply(messages_of(FACTS[:4]))
    database.apply(messages_of(FACTS))
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


def test_what_was_mirrored_meanwhile_is_not_missed(database: Database) -> None:
    apply_singly(database, FACTS[:3])
    database.mirror_only(messages_of(FACTS[3:5], first=4))
    database.rebuild()
    apply_singly(database, FACTS[5:], first=6)
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


def test_a_second_start_knows_the_orders_of_the_first(tmp_path: Path) -> None:
    with new_database(tmp_path) as first:
        apply_singly(first, FACTS[:4])
    with open_database(first.path) as second:
        apply_singly(second, FACTS[4:], first=5)
        assert model_rows(second) == rows_of_a_rebuild(FACTS)


def test_orders_that_became_one_are_not_remembered_where_they_lay(database: Database) -> None:
    facts = [*FACTS, fact("order.merged", SHOP, "2026-03-07 10:00", {"into": "W-1"}, order="W-2")]
    more = [received(SHOP, "2026-03-08 10:00", order="W-2"), received(SHOP, "2026-03-08 11:00")]
    apply_singly(database, [*facts, *more])
    assert database._desk is not None
    assert positions_of(database._desk.recent, 1) == list(range(1, 10))
    assert model_rows(database) == rows_of_a_rebuild([*facts, *more])


def test_rows_come_together_however_they_came() -> None:
    recent = Recent(begin=1)
    recent.remember(touched("W-1", "W-2"), raw(W_1=[1, 3], W_2=[2, 4]))
    for position in range(5, 25):
        recent.remember(touched("W-1"), raw(W_1=[position]))
    recent.remember(touched("W-2", "W-25"), raw(W_2=[26], W_25=[25, 27]))
    assert positions_of(recent, 1) == [1, 3, *range(5, 25)]
    assert positions_of(recent, 2, 25) == [2, 4, 25, 26, 27]
    assert not recent.rows_of([3])


def test_the_orders_that_began_first_are_forgotten_first() -> None:
    recent = Recent(begin=1, most_rows=4)
    recent.remember(touched("W-1", "W-2"), raw(W_1=[1, 3], W_2=[2, 4]))
    assert set(recent.find(["W-1", "W-2"])) == {"W-1", "W-2"}
    recent.remember(touched("W-5"), raw(W_5=[5]))
    assert set(recent.find(["W-1", "W-2", "W-5"])) == {"W-2", "W-5"}
    assert recent.begin == 2
    assert positions_of(recent, 2, 5) == [2, 4, 5]
    # What is said of it from now on is not all there is.
    recent.remember(touched("W-1"), raw(W_1=[6]))
    assert not recent.find(["W-1"])
    assert not recent.rows_of([1])


def test_an_order_too_long_to_keep_is_not_kept_in_its_old_state() -> None:
    recent = Recent(begin=1, most_rows=2)
    recent.remember(touched("W-1"), raw(W_1=[1]))
    recent.remember(touched("W-1"), raw(W_1=[2, 3]))
    assert not recent.find(["W-1"])
    assert recent.begin > 1


@pytest.mark.parametrize(("key", "known"), [(0, False), (3, True), (4, False), (9, True), (2**64 - 1, False)])
def test_keys_tell_what_is_new(key: int, known: bool) -> None:
    keys = Keys([7, 3])
    keys.add([9])
    assert keys.may_have([key]) is known
    assert not Keys([]).may_have([key])
    assert not keys.may_have([])
