"""Whatever the log holds and however it was cut into batches: live rows are those of a rebuild."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from events.envelope import Event, make_event
from projections import rebuild, recent
from projections.database import Database
from tests.projections.made_up import START, cut, logs
from tests.projections.story import IMPORTER, SHOP, messages_of, model_rows
from tests.ready import lent_database

#: Once lost by a batch that had both.
DOUBLED_BESIDE_A_CLOSURE = [
    make_event("item.received", source=SHOP, id="f0", subject="W-1", time=START, recordedtime=START, data={}),
    make_event("item.received", source=SHOP, id="f0", subject="W-1", time=START, recordedtime=START, data={}),
    make_event(
        "party.closed",
        source=SHOP,
        id="f1",
        subject=SHOP,
        time=START,
        recordedtime=START,
        data={"from": START.isoformat(), "until": (START + timedelta(days=1)).isoformat()},
    ),
]


def _said(name: str, hour: int, order: str, **data: Any) -> Event:
    time = START + timedelta(hours=hour)
    return make_event(name, source=SHOP, id=f"f{hour}", subject=order, time=time, recordedtime=time, data=data)


#: Three orders that are one after the other, and then not, with a word that was doubled and one that was taken back.
MERGED_AND_TAKEN_BACK = [
    _said("order.opened", 0, "W-2", product={"serial": "S-1"}, customer="C-1"),
    _said("order.merged", 1, "W-1", into="W-2"),
    _said("order.opened", 2, "W-1", product={"serial": "S-2"}, customer="C-2"),
    _said("item.handed_over", 3, "W-1", to=IMPORTER),
    _said("order.merged", 4, "W-2", into="W-3"),
    _said("order.merged", 4, "W-2", into="W-3"),
    _said("item.received", 5, "W-3"),
    _said("order.unmerged", 6, "W-1"),
    _said("order.merged", 7, "W-3", into="W-1"),
    _said("fact.corrected", 8, "W-2", fact_id="f4", reason="did_not_occur"),
    _said("order.closed", 9, "W-3", outcome="repaired"),
    _said("order.merged", 10, "W-1", into="W-3"),
]


def mirrored(database: Database) -> list[str]:
    cursor = database.cursor()
    try:
        return [
            row
            for table in ("events", "subjects", "merged")
            for (row,) in cursor.execute(f"SELECT t::VARCHAR FROM chain.{table} AS t ORDER BY ALL").fetchall()
        ]
    finally:
        cursor.close()


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), cuts=st.sets(st.integers(1, 29), max_size=5))
@example(facts=[], cuts=set())
@example(facts=DOUBLED_BESIDE_A_CLOSURE, cuts=set())
@example(facts=MERGED_AND_TAKEN_BACK, cuts={2, 4, 7, 8, 10})
@example(facts=MERGED_AND_TAKEN_BACK, cuts=set(range(1, 12)))
def test_live_rows_are_those_of_a_rebuild(facts: list[Event], cuts: set[int]) -> None:
    live_rows_are_those_of_a_rebuild(facts, cuts)


@pytest.mark.heavy
@pytest.mark.timeout(600)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), cuts=st.sets(st.integers(1, 29), max_size=5))
def test_live_rows_of_many_logs_are_those_of_a_rebuild(facts: list[Event], cuts: set[int]) -> None:
    live_rows_are_those_of_a_rebuild(facts, cuts)


def live_rows_are_those_of_a_rebuild(facts: list[Event], cuts: set[int]) -> None:
    with lent_database() as live, lent_database() as fresh, pytest.MonkeyPatch.context() as patch:
        # Of every other log only some orders are remembered from one batch to the next.
        patch.setattr(recent, "_MOST_ROWS", 3 if len(facts) % 2 else 1_000)
        live._clear_desk()  # another test's may have been set up before
        for batch in cut(facts, cuts):
            live.apply(batch)
        fresh.mirror_only(messages_of(facts))
        fresh.rebuild()
        assert mirrored(live) == mirrored(fresh)
        assert model_rows(live) == model_rows(fresh)
        patch.setattr(rebuild, "_STRETCH", 12)  # so that there are several
        live.rebuild()
        assert model_rows(live) == model_rows(fresh)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), order=st.randoms(use_true_random=False), cuts=st.sets(st.integers(1, 59), max_size=3))
@example(facts=MERGED_AND_TAKEN_BACK, order=random.Random(1), cuts={5, 11, 12, 17})
def test_doubled_and_shuffled_facts_give_the_same_rows(facts: list[Event], order: Any, cuts: set[int]) -> None:
    doubled_and_shuffled_they_give_the_same_rows(facts, order, cuts)


@pytest.mark.heavy
@pytest.mark.timeout(600)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), order=st.randoms(use_true_random=False), cuts=st.sets(st.integers(1, 59), max_size=3))
def test_many_logs_doubled_and_shuffled_give_the_same_rows(facts: list[Event], order: Any, cuts: set[int]) -> None:
    doubled_and_shuffled_they_give_the_same_rows(facts, order, cuts)


def doubled_and_shuffled_they_give_the_same_rows(facts: list[Event], order: Any, cuts: set[int]) -> None:
    # A fact has one meaning and one moment in an order: ids and times are made distinct, so that the order of arrival
    # is all that changes.
    unique = [
        fact.model_copy(
            update={
                "id": f"f{number}",
                "time": fact.time + timedelta(seconds=number),
                "recordedtime": fact.time + timedelta(days=30),
            }
        )
        for number, fact in enumerate(facts)
    ]
    shuffled = [*unique, *unique]
    order.shuffle(shuffled)
    with lent_database() as plain, lent_database() as doubled:
        plain.mirror_only(messages_of(unique))
        plain.rebuild()
        for batch in cut(shuffled, cuts):
            doubled.apply(batch)
        rows = [model_rows(each, positions=False, leave_out=["voids"]) for each in (plain, doubled)]
        assert rows[0] == rows[1]
