"""How long a working day is, by the policy that held: the number by which time in opening hours is told in days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from events.envelope import Event
from projections.database import Database
from projections.policy import Policy
from projections.queries import QueryError
from services.workday import working_days
from tests.cli.story import BENCH, IMPORTER, SHOP, at, fact
from tests.projections.story import tell
from tests.ready import give_back

HOUR = 3_600
PARTIES = {"parties": [SHOP, IMPORTER, BENCH]}

#: Four hours on most days, and seven on one: what is usual counts.
MORNINGS = """
[calendars.noord]
parties = ["importer:noord"]
monday = "9:00-13:00"
tuesday = "9:00-13:00"
wednesday = "9:00-12:00, 13:00-17:00"
thursday = "9:00-13:00"
friday = "9:00-13:00"
"""
SHIFTS = '[calendars.benches]\nroles = ["repairer"]\nmonday = "6:00-18:00"' + "".join(
    f'\n{day} = "6:00-18:00"' for day in ("tuesday", "wednesday", "thursday", "friday")
)


def adopted(policy: str, day: int) -> Event:
    """That a policy holds from 8:00 on that day of November on, in the place of the one before."""
    read = Policy.parse(policy)
    data = {"digest": read.digest, "policy": read.canonical()}
    return fact("policy.adopted", "chain:watchdog", at(day, 8), data, id=f"p{day}", order="chain:policy")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    story = tell((adopted(MORNINGS, 3), adopted(MORNINGS + SHIFTS, 5)))
    yield story.database
    give_back(story.database)


def hours(found: dict[str, dict[str, int]]) -> list[int]:
    return [found["seconds"][party] // HOUR for party in (SHOP, IMPORTER, BENCH)]


def test_it_is_that_of_each_partys_calendar_in_the_policy_in_force(database: Database) -> None:
    assert hours(working_days(database, PARTIES)) == [8, 4, 12]


def test_it_is_that_of_the_policy_that_held_then(database: Database) -> None:
    assert hours(working_days(database, PARTIES, at(4, 12), None)) == [8, 4, 8]
    assert hours(working_days(database, PARTIES, None, "2026-11-02T12:00:00Z")) == [8, 8, 8]
    assert hours(working_days(database, PARTIES, at(6, 12), at(4, 12).isoformat())) == [8, 4, 8]


@pytest.mark.parametrize("args", [{}, {"parties": SHOP}, {"parties": [1]}, {"parties": ["a:b"] * 1_001}])
def test_what_is_no_list_of_parties_is_refused(database: Database, args: dict[str, object]) -> None:
    with pytest.raises(QueryError, match="a list of at most 1,000"):
        working_days(database, args)
