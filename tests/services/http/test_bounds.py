"""What the service remembers and lets through is bounded, party by party."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from services.http.jobs import KEPT as JOBS_KEPT
from services.http.jobs import KEPT_EVENTS, Entry, Job, Jobs
from services.http.limits import AT_A_TIME, MAX_BATCH, Limits
from services.http.problems import Refused
from services.http.receipts import KEPT_IN_ALL, Receipts
from services.http.remembered import KEPT

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP, OTHER = "retailer:acme", "importer:noord"


def receipt(number: int, party: str = SHOP) -> dict[str, Any]:
    return {"id": f"e{number}", "source": party, "sequence": number, "outcome": "accepted"}


def test_of_each_party_the_latest_receipts_are_remembered() -> None:
    receipts = Receipts()
    receipts.hear([receipt(1, OTHER)])
    receipts.hear(receipt(number) for number in range(KEPT + 5))
    assert [each.id for each in receipts.of(SHOP)[:2]] == [f"e{KEPT + 4}", f"e{KEPT + 3}"]
    assert len(receipts.of(SHOP)) == KEPT
    assert [each.id for each in receipts.of(OTHER)] == ["e1"], "one party does not drive out another's"
    assert [each.sequence for each in receipts.of(SHOP, f"e{KEPT}")] == [KEPT]


def test_of_many_parties_those_who_have_heard_most_recently_are_remembered() -> None:
    receipts = Receipts()
    parties = [f"retailer:{number}" for number in range(KEPT_IN_ALL // KEPT + 1)]
    for party in parties:
        receipts.hear(receipt(number, party) for number in range(KEPT))
    assert [len(receipts.of(party)) for party in parties] == [0] + [KEPT] * (len(parties) - 1)


async def test_an_ear_hears_what_comes_after_it_and_of_its_party() -> None:
    receipts = Receipts()
    receipts.hear([receipt(1)])
    now = asyncio.get_running_loop().time()
    with receipts.listening(SHOP) as ear:
        receipts.hear([receipt(1, OTHER), receipt(2)])
        assert set(await ear.wait([1, 2], now)) == {2}, "a receipt of before is of another submission"
        receipts.hear([receipt(1)])
        assert set(await ear.wait([1, 2], now)) == {1, 2}
    receipts.hear([receipt(3)])
    assert await ear.wait([3], now) == {}


def job(number: int, party: str = SHOP, events: int = 1) -> Job:
    return Job(f"{number}", party, "proceed", NOW, [Entry("", None) for _ in range(events)])


def test_of_each_party_the_latest_jobs_are_remembered() -> None:
    jobs = Jobs()
    jobs.add(job(0, OTHER))
    for number in range(JOBS_KEPT + 2):
        jobs.add(job(number))
    assert [jobs.find(SHOP, f"{number}") is not None for number in (0, 1, 2, JOBS_KEPT + 1)] == [False] * 2 + [True] * 2
    assert jobs.find(OTHER, "0") is not None
    assert jobs.find(OTHER, "5") is None


def test_jobs_of_many_events_are_forgotten_sooner() -> None:
    jobs = Jobs()
    for number in range(3):
        jobs.add(job(number, f"retailer:{number}", KEPT_EVENTS // 2))
    assert [jobs.find(f"retailer:{number}", f"{number}") is not None for number in range(3)] == [False, True, True]


def test_a_bucket_fills_with_time_and_is_the_partys_own() -> None:
    seconds = [0.0]
    limits = Limits(10.0, lambda: seconds[0])
    limits.spend(SHOP, MAX_BATCH)
    with pytest.raises(Refused) as refused:
        limits.spend(SHOP, 25)
    assert refused.value.headers == {"Retry-After": "3"}
    limits.spend(OTHER, MAX_BATCH)
    seconds[0] = 2.4
    with pytest.raises(Refused):
        limits.spend(SHOP, 25)
    seconds[0] = 2.5
    limits.spend(SHOP, 25)
    seconds[0] = 10_000.0
    limits.spend(SHOP, MAX_BATCH)
    with pytest.raises(Refused):
        limits.spend(SHOP, 1)


def test_so_many_requests_of_one_party_are_answered_at_a_time() -> None:
    limits = Limits(10.0, lambda: 0.0)
    with ExitStack() as open_ones:
        for _ in range(AT_A_TIME):
            open_ones.enter_context(limits.under_way(SHOP))
        with pytest.raises(Refused) as refused, limits.under_way(SHOP):
            pass
        assert refused.value.status == 429
        with limits.under_way(OTHER):
            pass
    with limits.under_way(SHOP):
        pass
