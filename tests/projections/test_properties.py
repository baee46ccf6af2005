"""Whatever the log holds and however it was cut into batches: live rows are those of a rebuild."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from events.chain import commitment_id
from events.envelope import Event, make_event
from events.party import POLICY
from projections import rebuild, recent
from projections.database import Database
from projections.policy import Policy
from tests.projections.story import BENCH, IMPORTER, NOTIFIER, SHOP, messages_of, model_rows
from tests.ready import lent_database

PARTIES = [SHOP, IMPORTER, BENCH]
ORDERS = ["W-1", "W-2", "W-3"]
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SOON = "2026-03-05T16:00:00Z"
DIRECTIONS = ["inbound", "outbound"]

LATER = "2026-03-07T16:00:00Z"
POLICIES = [
    Policy.parse('[allow]\nreceive = "3 hours"'),
    Policy.parse('[[override]]\nrole = "importer"\nkind = "all"\nallow = "1 day"'),
]


def _noted(data: st.DataObject) -> dict[str, Any]:
    kind, order = data.draw(st.sampled_from(["receive", "repair", "forward"])), data.draw(st.sampled_from(ORDERS))
    source, id = data.draw(st.sampled_from(PARTIES)), f"f{data.draw(st.integers(0, 29))}"
    return {"commitment": commitment_id(kind, order, source, id), "kind": kind, "owed_by": IMPORTER, "due": SOON}


#: What may be said, with data that fits.
SAYINGS: list[tuple[str, Callable[[st.DataObject], dict[str, Any]]]] = [
    ("order.opened", lambda d: {"product": {"serial": d.draw(st.sampled_from(["S-1", "S-2"]))}, "customer": "C-1"}),
    ("order.opened", lambda d: {"product": {}, "accountable": d.draw(st.sampled_from(PARTIES))}),
    ("order.referenced", lambda d: {"reference": d.draw(st.sampled_from(["R-1", "R-2"]))}),
    ("item.handed_over", lambda d: {"to": d.draw(st.sampled_from(PARTIES))}),
    ("item.handed_over", lambda d: {"to": d.draw(st.sampled_from(PARTIES))}),
    ("item.received", lambda d: {}),
    ("item.received", lambda d: {}),
    ("item.returned", lambda d: {}),
    ("order.closed", lambda d: {"outcome": "repaired"}),
    ("order.reopened", lambda d: {}),
    ("order.merged", lambda d: {"into": d.draw(st.sampled_from(ORDERS))}),
    ("order.merged", lambda d: {"into": d.draw(st.sampled_from(ORDERS))}),
    ("order.unmerged", lambda d: {}),
    ("repair.completed", lambda d: {}),
    ("work.paused", lambda d: {"waiting_for": d.draw(st.sampled_from(["customer", "part", "retailer", "importer"]))}),
    ("work.resumed", lambda d: {}),
    ("customer.contacted", lambda d: {"channel": "phone", "direction": d.draw(st.sampled_from(DIRECTIONS))}),
    ("message.sent", lambda d: {"message": d.draw(st.sampled_from("mn")), "kind": "received", "next_news_by": SOON}),
    ("message.failed", lambda d: {"message": d.draw(st.sampled_from("mn")), "kind": "received", "reason": "full"}),
    ("fact.corrected", lambda d: {"fact_id": f"f{d.draw(st.integers(0, 29))}", "reason": "did_not_occur"}),
    ("future.thing", lambda d: {"to": IMPORTER}),
    ("diagnosis.made", lambda d: {"summary": "worn"}),
    ("quote.offered", lambda d: {"quote": "q", "amount": "9.00", "currency": "EUR", "valid_until": SOON}),
    ("quote.accepted", lambda d: {}),
    ("quote.declined", lambda d: {}),
    ("part.ordered", lambda d: {"part": d.draw(st.sampled_from("ab")), "expected_by": SOON}),
    ("part.arrived", lambda d: {"part": d.draw(st.sampled_from("ab"))}),
    ("repair.started", lambda d: {"expected_by": SOON}),
    ("repair.failed", lambda d: {"why": "gone"}),
    ("question.asked", lambda d: {"question": "q", "text": "?", "to": d.draw(st.sampled_from([*PARTIES, "customer"]))}),
    ("question.answered", lambda d: {"question": "q", "text": "!"}),
    ("visit.scheduled", lambda d: {"visit": "v", "from": SOON, "until": LATER}),
    ("visit.done", lambda d: {"visit": "v"}),
    ("promise.made", lambda d: {"promise": "p", "what": "done", "by_when": d.draw(st.sampled_from([SOON, LATER]))}),
    ("promise.moved", lambda d: {"promise": "p", "reason": "late", "by_when": LATER}),
    ("cover.claimed", lambda d: {"decider": d.draw(st.sampled_from(PARTIES))}),
    ("feedback.given", lambda d: {"holds": True}),
    ("commitment.overdue", lambda d: _noted(d) | {"level": d.draw(st.integers(1, 3))}),
    ("commitment.nudged", lambda d: _noted(d)),
    ("policy.adopted", lambda d: {}),
    ("party.closed", lambda d: {}),
]  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Facts of three orders, some of them twice, some taken back, with closures and unknown ones in between."""
    data = draw(st.data())
    facts = []
    for number in range(draw(st.integers(1, 30))):
        name, make = draw(st.sampled_from(SAYINGS))
        source = NOTIFIER if name.startswith("message.") else draw(st.sampled_from([*PARTIES, "chain:desk"]))
        order = draw(st.sampled_from(ORDERS))
        moment = START + timedelta(hours=draw(st.integers(0, 200)))
        said = make(data)
        if name == "party.closed" or (name == "fact.corrected" and draw(st.booleans())):
            order = source = draw(st.sampled_from(PARTIES))
        if name == "party.closed":
            said = {"from": moment.isoformat(), "until": (moment + timedelta(days=draw(st.integers(1, 9)))).isoformat()}
        if name == "policy.adopted":
            order, policy = POLICY, draw(st.sampled_from(POLICIES))
            said = {"digest": policy.digest, "policy": policy.canonical()}
        if name == "fact.corrected" and source == "chain:desk":
            said["fact_source"] = draw(st.sampled_from(PARTIES))
        facts.append(
            make_event(
                name,
                source=source,
                id=f"f{draw(st.integers(0, number))}",
                subject=order,
                time=moment,
                recordedtime=START + timedelta(hours=draw(st.integers(0, 200))),
                data=said,
            )
        )
    return facts


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


def cut(facts: list[Event], cuts: set[int]) -> list[list[tuple[int, bytes]]]:
    messages = messages_of(facts)
    edges = [0, *sorted(at for at in cuts if at < len(messages)), len(messages)]
    return [messages[begin:end] for begin, end in itertools.pairwise(edges) if end > begin]


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
