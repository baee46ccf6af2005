"""A live batch writes only what differs, and what is stored is what a rebuild makes, also after a start."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.envelope import Event
from projections.database import Database
from tests.projections.made_up import cut, logs
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    closed_party,
    corrected,
    fact,
    handed,
    messages_of,
    model_rows,
    opened,
    received,
    rows_of_a_rebuild,
)
from tests.ready import lent_database

FACTS = [
    opened(),
    opened(order="W-2"),
    handed(SHOP, IMPORTER, "2026-03-02 10:00"),
    received(IMPORTER, "2026-03-03 10:00"),
    handed(IMPORTER, BENCH, "2026-03-04 10:00"),
    received(BENCH, "2026-03-05 10:00"),
    fact("diagnosis.made", BENCH, "2026-03-06 10:00", {"summary": "worn"}),
]
NEXT = fact("repair.completed", BENCH, "2026-03-09 10:00", {})


def stored(database: Database, of: str) -> dict[str, int]:
    """The commitments of W-1, where ``of`` is true, and its place: a row that is written anew lies elsewhere."""
    cursor = database.cursor()
    try:
        rows = cursor.execute(
            f"SELECT t::VARCHAR, rowid FROM commitments t WHERE first_position = 1 AND {of}"
        ).fetchall()
        return dict(rows)
    finally:
        cursor.close()


SETTLED = "state NOT IN ('open', 'paused')"


@pytest.mark.parametrize("starts_anew", [False, True])
def test_what_is_settled_and_stays_so_is_not_written_again(database: Database, starts_anew: bool) -> None:
    database.apply(messages_of(FACTS))
    before = stored(database, SETTLED)
    assert before
    if starts_anew:
        database._clear_desk()
    database.apply(messages_of([NEXT], first=8))
    assert before.items() < stored(database, SETTLED).items()
    assert model_rows(database) == rows_of_a_rebuild([*FACTS, NEXT])


def test_what_is_open_and_stays_so_is_not_written_again(database: Database) -> None:
    facts, later = FACTS[:4], handed(IMPORTER, BENCH, "2026-03-04 10:00")
    database.apply(messages_of(facts))
    before = stored(database, "state = 'open'")
    database.apply(messages_of([later], first=5))
    after = stored(database, "true")
    assert 0 < len(before.keys() & after.keys()) < len(before)
    assert {row: after[row] for row in before.keys() & after.keys()}.items() <= before.items()
    assert model_rows(database) == rows_of_a_rebuild([*facts, later])


def test_a_fact_that_comes_late_changes_what_was_settled(database: Database) -> None:
    late = handed(SHOP, BENCH, "2026-03-02 12:00")
    database.apply(messages_of(FACTS))
    before = stored(database, SETTLED)
    database.apply(messages_of([late], first=8))
    assert not before.items() <= stored(database, SETTLED).items()
    assert model_rows(database) == rows_of_a_rebuild([*FACTS, late])


@pytest.mark.parametrize("starts_anew", [False, True])
@pytest.mark.parametrize(
    "later",
    [
        corrected(FACTS[3], "2026-03-10 10:00"),
        closed_party(IMPORTER, "2026-03-02 00:00", "2026-03-04 00:00"),
        fact("order.reopened", SHOP, "2026-03-10 10:00", {}),
        fact("order.merged", SHOP, "2026-03-10 10:00", {"into": "W-2"}),
    ],
    ids=["taken back", "closed", "reopened", "merged"],
)
def test_whatever_changes_what_was_settled_is_seen(database: Database, later: Event, starts_anew: bool) -> None:
    facts = [*FACTS, fact("order.closed", SHOP, "2026-03-09 10:00", {"outcome": "repaired"})]
    database.apply(messages_of(facts))
    if starts_anew:
        database._clear_desk()
    database.apply(messages_of([later], first=9))
    database.apply(messages_of([NEXT], first=10))
    assert model_rows(database) == rows_of_a_rebuild([*facts, later, NEXT])


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), cuts=st.sets(st.integers(1, 29), max_size=5))
def test_started_anew_before_each_batch_the_rows_are_those_of_a_rebuild(facts: list[Event], cuts: set[int]) -> None:
    started_anew_the_rows_are_those_of_a_rebuild(facts, cuts)


@pytest.mark.heavy
@pytest.mark.timeout(600)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), cuts=st.sets(st.integers(1, 29), max_size=5))
def test_started_anew_before_batches_of_many_logs_too(facts: list[Event], cuts: set[int]) -> None:
    started_anew_the_rows_are_those_of_a_rebuild(facts, cuts)


def started_anew_the_rows_are_those_of_a_rebuild(facts: list[Event], cuts: set[int]) -> None:
    with lent_database() as live:
        for batch in cut(facts, cuts):
            live._clear_desk()
            live.apply(batch)
        assert model_rows(live) == rows_of_a_rebuild(facts)
