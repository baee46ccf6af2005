"""Of one order alone it is said what is said of it among all: whatever the log holds, and of whatever moment.

Single orders are worked out beside SQL (projections/queries/single.py), all of them within it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.envelope import Event
from projections.queries import run
from tests.projections.made_up import START, logs
from tests.projections.story import (
    BENCH,
    IMPORTER,
    SHOP,
    Row,
    at,
    corrected,
    fact,
    handed,
    messages_of,
    opened,
    received,
)
from tests.ready import lent_database

#: Asks a question by its name.
Ask = Callable[..., Any]

_hours = st.integers(0, 220).map(lambda hours: START + timedelta(hours=hours))


MISTAKE = handed(SHOP, IMPORTER, "2026-03-03 10:00", order="W-2")

#: One waits for her, with questions that she answers or does not; one was never sent where it was said; one is two.
HELD_UP = [
    opened("2026-03-02 08:00", order="W-1"),
    opened("2026-03-02 09:30", order="W-2", customer="C-2"),
    handed(SHOP, BENCH, "2026-03-02 10:00"),
    received(BENCH, "2026-03-03 09:00"),
    fact("question.asked", BENCH, "2026-03-03 10:00", {"question": "q1", "text": "how?", "to": "customer"}),
    fact("work.paused", BENCH, "2026-03-03 11:00", {"waiting_for": "customer"}),
    MISTAKE,
    corrected(MISTAKE, "2026-03-04 10:00", source=SHOP),
    handed(SHOP, BENCH, "2026-03-04 12:00", order="W-2"),
    opened("2026-03-04 15:00", order="W-3", customer="C-2"),
    fact("order.merged", SHOP, "2026-03-05 09:00", {"into": "W-2"}, order="W-3"),
    fact("question.answered", SHOP, "2026-03-09 11:00", {"question": "q1", "text": "so"}),
    fact("item.returned", SHOP, "2026-03-10 10:00", order="W-2"),
]


@pytest.mark.parametrize("now", [at("2026-03-06 12:00"), at("2026-03-11 12:00")], ids=["while it waits", "after that"])
def test_of_one_order_it_is_said_what_is_said_among_all(now: datetime) -> None:
    one_is_as_among_all([each for each in HELD_UP if each.time <= now], now, None, None)


def test_so_it_is_of_another_moment() -> None:
    with lent_database() as database:
        database.apply(messages_of(HELD_UP))
        then = at("2026-03-04 09:00")  # the mistake is believed, and two are two
        ask = partial(_ask, database, then, known_at=then)
        listed = {row["order_id"]: row for row in ask("orders")["orders"]}
        assert listed["W-2"]["heading_to"] == IMPORTER
        for order, row in listed.items():
            status = ask("status", order=order)
            assert {name: status[name] for name in row} == row


def test_so_it_is_before_it_was_known_to_be_part_of_one_of_which_nothing_is_said() -> None:
    facts = [
        opened("2026-03-02 09:00"),
        received(BENCH, "2026-03-02 10:00"),
        fact("order.merged", SHOP, "2026-03-02 12:00", {"into": "W-2"}),
    ]
    one_is_as_among_all(facts, at("2026-03-03 12:00"), None, at("2026-03-02 11:00"))


@pytest.mark.heavy
@pytest.mark.timeout(600)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(facts=logs(), now=_hours, as_of=st.none() | _hours, known_at=st.none() | _hours)
def test_so_it_is_of_many_logs_and_of_any_moment(
    facts: list[Event], now: datetime, as_of: datetime | None, known_at: datetime | None
) -> None:
    one_is_as_among_all(facts, now, as_of, known_at)


def one_is_as_among_all(facts: list[Event], now: datetime, as_of: datetime | None, known_at: datetime | None) -> None:
    with lent_database() as database:
        database.apply(messages_of(facts))
        ids = each_is_as_in_the_lists(partial(_ask, database, now))
        time_adds_up(partial(_ask, database, now), ids)
        if as_of or known_at:
            each_is_as_in_the_lists(partial(_ask, database, now, as_of=as_of, known_at=known_at))


def each_is_as_in_the_lists(ask: Ask) -> list[str]:
    """The ids of the orders, each of which was found to be what the lists say."""
    page = ask("orders", limit=1_000)
    ids = [row["order_id"] for row in page["orders"]]
    assert (len(ids), len(set(ids))) == (page["total"], page["total"])
    balls = {row["order"]: row for row in ask("ball", limit=1_000)["ball"]}
    assert balls.keys() <= set(ids)
    owed: dict[str, list[Row]] = defaultdict(list)
    for row in ask("commitments", limit=1_000)["commitments"]:
        owed[row["order"]].append(row)
    for listed in page["orders"]:
        order = listed["order_id"]
        status, timeline = ask("status", order=order), ask("timeline", order=order, raw=True)
        assert {name: status[name] for name in listed} == listed
        assert status["ball"] == balls.get(order)
        assert timeline["order"] == status
        answer = ask("commitments", order=order, limit=1_000)
        assert answer["commitments"] == owed[order]
        assert (answer["ball"], answer["time_spent"]) == (status["ball"], status["time_spent"])
        assert _dues(timeline["commitments"]) == _dues(owed[order])
    return ids


def time_adds_up(ask: Ask, ids: list[str]) -> None:
    """Who had each order for how long is together who had all of them."""
    seconds, working = Counter[str](), Counter[str]()
    for order in ids:
        for row in ask("status", order=order)["time_spent"]:
            seconds[row["party"]] += row["seconds"]
            working[row["party"]] += row["working_seconds"] or 0
    every = ask("time_spent")["time_spent"]
    assert {row["party"]: row["seconds"] for row in every} == dict(seconds)
    assert {row["party"]: row["working_seconds"] or 0 for row in every} == dict(working)


def _dues(rows: list[Row]) -> set[tuple[Any, ...]]:
    names = ("commitment_id", "kind", "owner", "opened_at", "due_at", "ended_at", "level", "rule", "promised_at")
    return {tuple(row[name] for name in names) for row in rows}


def _ask(
    database: Any,
    now: datetime,
    name: str,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    **args: Any,
) -> Any:
    return run(database, name, args, as_of=as_of, known_at=known_at, now=now)
