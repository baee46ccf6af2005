"""Orders that were spoken of lately are remembered: never more than the mirror holds, nor anything else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from events.envelope import Event
from projections import database as databases
from projections.database import Database, open_database
from projections.recent import SMALL, Keys, Recent
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    handed,
    messages_of,
    model_rows,
    new_database,
    opened,
    received,
)
from tests.ready import lent_database

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


def rows_of_a_rebuild(facts: list[Event]) -> object:
    with lent_database() as fresh:
        fresh.mirror_only(messages_of(facts))
        fresh.rebuild()
        return model_rows(fresh)


def touched(*orders: str) -> pa.Table:
    firsts = [int(order.partition("-")[2]) for order in orders]
    return pa.table({"order_id": list(orders), "first_position": firsts, "announces": [False] * len(orders)})


def raw(*firsts: int) -> pa.Table:
    return pa.table({"first_position": pa.array(firsts, pa.int64())})


def test_the_next_fact_of_an_order_finds_what_the_mirror_holds_of_it(database: Database) -> None:
    apply_singly(database, FACTS)
    assert database._desk is not None
    found = database._desk.recent.find(["W-1", "W-2", "W-3"])
    assert {order: rows.rows["position"].to_pylist() for order, rows in found.items()} == {
        "W-1": [1, 3, 4, 6],
        "W-2": [2, 5],
    }
    assert model_rows(database) == rows_of_a_rebuild(FACTS)


def test_what_was_rolled_back_is_not_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_singly(database, FACTS[:3])
    with monkeypatch.context() as patch:
        patch.setattr(databases, "_move", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            database.apply(messages_of(FACTS[4:5], first=4))  # not what the log has there in the end
    apply_singly(database, FACTS[3:], first=4)
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


def test_the_order_that_was_not_spoken_of_for_longest_is_forgotten_first() -> None:
    recent = Recent(most_rows=5)
    recent.remember(touched("W-1"), raw(1, 1))
    recent.remember(touched("W-2"), raw(2, 2))
    recent.remember(touched("W-1"), raw(1, 1, 1))
    assert set(recent.find(["W-1", "W-2"])) == {"W-1", "W-2"}
    recent.remember(touched("W-3"), raw(3))
    assert set(recent.find(["W-1", "W-2", "W-3"])) == {"W-1", "W-3"}


def test_an_order_too_long_to_keep_is_not_kept_in_its_old_state() -> None:
    recent = Recent(most_rows=2)
    recent.remember(touched("W-1"), raw(1))
    recent.remember(touched("W-1"), raw(1, 1, 1))
    assert not recent.find(["W-1"])


def test_a_large_batch_forgets_the_orders_that_it_speaks_of() -> None:
    recent = Recent()
    recent.remember(touched("W-1"), raw(1))
    recent.remember(touched("W-2"), raw(2))
    orders = [f"W-{number}" for number in range(2, SMALL + 3)]
    recent.remember(touched(*orders), raw(*range(2, SMALL + 3)))
    assert set(recent.find(["W-1", "W-2"])) == {"W-1"}


@pytest.mark.parametrize(("key", "known"), [(0, False), (3, True), (4, False), (9, True), (2**64 - 1, False)])
def test_keys_tell_what_is_new(key: int, known: bool) -> None:
    keys = Keys([7, 3])
    keys.add([9])
    assert keys.may_have([key]) is known
    assert not Keys([]).may_have([key])
    assert not keys.may_have([])
