"""Carriers' webhooks over HTTP, on a real server: from the request to the fact, and where the parcel is then."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from starlette.requests import Request

from events.clock import SimulatedClock
from services.answering import ask
from services.carriers.secrets import secret_file
from services.home import write_private
from services.http.carriers import AT_A_TIME, take_webhook
from services.http.limits import Limits
from services.http.problems import Refused
from tests.logged import read_order
from tests.services.carriers import samples
from tests.services.http.counter import IMPORTER, NOW, Caller, Counter, kind
from tests.services.submissions import SHOP, event
from tests.waiting import eventually

HANDED = {"to": IMPORTER, "carrier": "parcel post", "tracking_number": "3S 123"}
JSON = "application/json"
TRACKED = "item.tracked"


@dataclass(frozen=True)
class Door:
    """The counter with the secrets of both services, and connections to look at what came of it."""

    counter: Counter
    keeper: Client
    operator: Client

    async def tracked(self, order: str = "W-1") -> list[dict[str, Any]]:
        """What the log has of it, as it came."""
        events = [stored.event for stored in await read_order(self.keeper.jetstream(), order)]
        return [{"time": each.time, "source": each.source, **each.data} for each in events if each.name == TRACKED]

    async def four(self) -> list[dict[str, Any]] | None:
        facts = await self.tracked()
        return facts if len(facts) >= 4 else None

    async def delivered(self) -> dict[str, Any] | None:
        standing = await ask(self.operator, "status", {"order": "W-1"})
        parcel = standing["parcel"]
        return standing if parcel and parcel["carrier_status"] == "delivered" else None

    async def settled(self) -> bool:
        return await self.counter.http.check() == f"answers on {self.counter.http.url}"


@pytest.fixture
async def door(counter: Counter) -> AsyncIterator[Door]:
    """With the intakes of a shop and an importer at work, some days after the story of the parcel."""
    secret_file(counter.server.home, "aftership").parent.mkdir(mode=0o700, exist_ok=True)
    write_private(secret_file(counter.server.home, "aftership"), f"{samples.AFTERSHIP_SECRET}\n")
    write_private(secret_file(counter.server.home, "easypost"), f"older\n{samples.EASYPOST_SECRET}\n")
    counter.clock.set(datetime(2026, 3, 5, 12, 0, tzinfo=UTC))
    async with counter.running("projector", "retailer", "importer"):
        server = counter.server
        yield Door(counter, await server.connect("keeper"), await server.connect("operator"))


async def told(counter: Counter, body: bytes, name: str = "aftership", headers: Any = None) -> Any:
    """The answer to one webhook."""
    if headers is None:
        headers = (samples.signed_by_aftership if name == "aftership" else samples.signed_by_easypost)(body)
    return await Caller(counter.http.url, None).post(f"/carriers/{name}", body, JSON, headers)


async def opened(counter: Counter, order: str = "W-1") -> Caller:
    shop = await counter.caller(SHOP)
    await shop.post("/events", event(f"{order}-1", subject=order))
    return shop


async def test_scans_of_a_parcel_become_facts_once_and_the_latest_holds(door: Door) -> None:
    shop = await opened(door.counter)
    await shop.post("/events", event("h1", "item.handed_over", data=HANDED))
    story = list(samples.STORY)
    random.Random(3).shuffle(story)
    parts = [samples.aftership("3S123", *story), samples.aftership("3s-123", *story[:2]), samples.aftership()]
    for body in [*parts, *parts]:
        answer = await told(door.counter, body)
        assert answer.status_code == 202, answer.text
    facts = await eventually(door.four, "four facts")
    assert {fact["source"] for fact in facts} == {"chain:carriers"}
    standing = await eventually(door.delivered, "the carrier delivered it")
    assert standing["parcel"] == {
        "to_party": IMPORTER,
        "carrier": "parcel post",
        "tracking_number": "3S 123",
        "carrier_status": "delivered",
        "carrier_at": "2026-03-04T10:45:00Z",
        "arrived": False,
    }
    # It is evidence and no receipt: the importer still owes its word.
    assert (standing["status"], standing["next_step"], standing["next_owner"]) == (
        "in_transit",
        "confirm receipt",
        IMPORTER,
    )
    assert len(await door.tracked()) == 4, "what is told again adds nothing"
    timeline = (await shop.get("/orders/W-1/timeline")).json()
    assert [each["carrier_status"] for each in timeline["handoffs"]] == ["delivered"]
    assert [each["data"]["status"] for each in timeline["entries"] if each["type"] == TRACKED] == [
        "announced",
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    log = orjson.dumps([{**fact, "time": None} for fact in facts]).decode()
    for hers in ("Unlikely", "Halden", "HALDEN", "1234", "example.org", "Harbour"):
        assert hers not in log


async def test_a_parcel_that_nobody_handed_over_yet_waits_for_it(door: Door) -> None:
    # Before anything is asked: when accounts change, the server forgets who may answer what is under way.
    shop = await door.counter.caller(SHOP)
    for headers in (samples.signed_by_easypost, samples.signed_by_easypost_2):
        body = samples.easypost("3S123", ("in_transit", "arrived_at_facility", "03T10:00:00Z"))
        answer = await told(door.counter, body, "easypost", headers(body))
        assert (answer.status_code, answer.json()) == (202, {"scans": 1})
    assert (
        await door.counter.http.check()
        == f"answers on {door.counter.http.url}; scans of parcels that nobody handed over yet: 1"
    )
    await shop.post("/events", event("W-1-1", subject="W-1"))
    await shop.post("/events", event("h1", "item.handed_over", data=HANDED))
    facts = await eventually(door.tracked, "it is told once the handover is stated")
    assert [(fact["status"], fact["code"], fact["via"]) for fact in facts] == [
        ("in_transit", "arrived_at_facility", "easypost")
    ]
    assert await eventually(door.settled, "nothing waits any more")


async def test_without_a_signature_that_fits_nothing_is_taken(door: Door) -> None:
    body = samples.aftership()
    for headers in ({}, samples.signed_by_aftership(body, "another"), samples.signed_by_aftership(body + b" ")):
        answer = await told(door.counter, body, headers=headers)
        assert (answer.status_code, kind(answer)) == (401, "unsigned")
    answer = await told(door.counter, body, "easypost", samples.signed_by_aftership(body))
    assert answer.status_code == 401
    assert await door.settled()


async def test_whoever_has_shown_no_signature_yet_fills_no_memory(tmp_path: Path) -> None:
    secret_file(tmp_path, "aftership").parent.mkdir(mode=0o700)
    write_private(secret_file(tmp_path, "aftership"), f"{samples.AFTERSHIP_SECRET}\n")
    limits = Limits(100.0, time.monotonic)
    scope = {"type": "http", "method": "POST", "path": "/carriers/aftership", "headers": [], "query_string": b""}
    never = asyncio.Event()

    async def nothing_comes() -> Any:
        await never.wait()

    async def handed_in() -> tuple[int, str]:
        try:
            taking: Any = None  # nothing is signed
            request = Request(scope, nothing_comes)
            await take_webhook(request, "aftership", tmp_path, taking, limits, SimulatedClock(NOW))
        except Refused as refused:
            return refused.status, refused.detail
        raise AssertionError("was taken")

    waiting = [asyncio.create_task(handed_in()) for _ in range(AT_A_TIME)]
    await asyncio.sleep(0)  # all of them are read by now
    assert await handed_in() == (429, f"at most {AT_A_TIME} webhooks of one service are answered at a time")
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)
    with limits.under_way("carriers:aftership", 1):
        pass  # there is room again


async def test_what_is_signed_and_tells_of_no_scan_is_not_asked_for_again(door: Door) -> None:
    for body in (b"", b"{", b"[]", b'{"event": "edd_revise", "msg": {}}'):
        answer = await told(door.counter, body)
        assert (answer.status_code, answer.json()) == (202, {"scans": 0})


async def test_without_a_secret_there_is_no_such_door(counter: Counter) -> None:
    body = samples.aftership()
    for name in ("aftership", "easypost", "nobody"):
        answer = await told(counter, body, name, samples.signed_by_aftership(body, ""))
        assert (answer.status_code, kind(answer)) == (404, "not-found")
    path: Path = secret_file(counter.server.home, "aftership")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(path, "\n")
    assert (await told(counter, body, headers=samples.signed_by_aftership(body, ""))).status_code == 404
