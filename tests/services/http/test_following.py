"""Who sees which order, and how much of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from events.clock import SimulatedClock
from projections.queries.parts import taking_part
from services.home import HomeFolder
from services.http.remembered import KEPT, Remembered
from services.http.told import Told
from services.notices import Notice, send_notice
from services.partner_view import last_handover, seen_by
from tests.chainserver import ChainServer
from tests.services.http.counter import IMPORTER, NOW, REPAIRER, Caller, Counter, kind, open_counter
from tests.services.submissions import SHOP, event
from tests.waiting import eventually

ORDER = {"order_id": "W-1", "opened_by": SHOP, "accountable": SHOP, "customer": "C-1"}


def handoff(giver: str, taker: str, at: int, state: str = "received") -> dict[str, Any]:
    return {
        "from_party": giver,
        "to_party": taker,
        "handed_at": f"2026-03-0{at}T09:00:00Z",
        "position": at,
        "state": state,
    }


def story(*handoffs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "order": ORDER,
        "handoffs": list(handoffs),
        "entries": [],
        "commitments": [],
        "messages": [1],
        "contacts": [2],
    } | more


@pytest.mark.parametrize(
    ("handoffs", "parties"),
    [
        ([], {SHOP}),
        ([handoff(SHOP, IMPORTER, 1)], {SHOP, IMPORTER}),
        ([handoff(IMPORTER, REPAIRER, 2), handoff(SHOP, IMPORTER, 1)], {SHOP, IMPORTER, REPAIRER}),
        # Whoever was handed nothing hands on nothing: to say so is no way in, for itself or for others.
        ([handoff("importer:evil", "importer:evil", 1), handoff("importer:evil", REPAIRER, 2)], {SHOP}),
        ([handoff(IMPORTER, REPAIRER, 1), handoff(SHOP, IMPORTER, 2)], {SHOP, IMPORTER}),
    ],
)
def test_a_part_is_given_from_hand_to_hand(handoffs: list[dict[str, Any]], parties: set[str]) -> None:
    assert taking_part(ORDER, handoffs) == parties


def entry(type: str, source: str = SHOP, **data: Any) -> dict[str, Any]:
    return {"type": type, "source": source, "id": type, "data": data, "position": 1}


def test_what_is_said_with_the_customer_is_for_those_who_face_her() -> None:
    entries = [
        entry("order.opened", customer="C-1"),
        entry("customer.contacted"),
        entry("quote.accepted", "customer:C-1"),
    ]
    owed = [{"owner": "customer:C-1", "owed_to": SHOP}]
    whole = story(handoff(SHOP, IMPORTER, 1), entries=entries, commitments=owed)
    shops, importers = seen_by(SHOP, whole), seen_by(IMPORTER, whole)
    assert [each["type"] for each in shops["entries"]] == ["order.opened", "customer.contacted", "quote.accepted"]
    assert (shops["messages"], shops["contacts"]) == ([1], [2])
    assert [each["type"] for each in importers["entries"]] == ["order.opened", "quote.accepted"]
    assert "messages" not in importers
    assert "C-1" not in str(importers)
    assert importers["commitments"] == [{"owner": "customer", "owed_to": SHOP}]


def test_the_last_handover_that_nobody_has_received() -> None:
    entries = [{"position": at, "source": SHOP, "id": f"h{at}"} for at in (1, 3)]
    there = handoff(SHOP, IMPORTER, 1, "received")
    assert last_handover(SHOP, story(there, entries=entries)) is None
    assert last_handover(SHOP, story(there, handoff(SHOP, IMPORTER, 3, "open"), entries=entries)) == "h3"
    assert last_handover(IMPORTER, story(handoff(SHOP, IMPORTER, 3, "open"), entries=entries)) is None


async def test_the_timeline_of_an_order_is_for_those_who_have_a_part_in_it(counter: Counter) -> None:
    shop, importer, stranger = [await counter.caller(party) for party in (SHOP, IMPORTER, REPAIRER)]
    contact = {"name": "Zo Unlikely", "channels": [{"kind": "email", "address": "zo@example.org"}]}
    async with counter.running("projector", "retailer", "importer", "repairer"):
        data = {"product": {"serial": "S-9"}, "customer": "C-1", "contact": contact}
        await shop.post("/events", event("e1", data=data))
        await shop.post("/events", event("e2", "item.handed_over", data={"to": IMPORTER}))
        await importer.post("/events", event("e3", "order.referenced", source=IMPORTER, data={"reference": "I/77"}))
        # Saying something about an order whose id one knows is no way in.
        said = await stranger.post("/events", event("e4", "item.received", source=REPAIRER))
        assert said.json()["outcome"] == "accepted"
        seen = {
            (who, name): await caller.get(f"/orders/{name}/timeline")
            for who, caller in (("shop", shop), ("importer", importer), ("stranger", stranger))
            for name in ("W-1", "I%2F77", "S-9", "C-1", "nothing")
        }
    statuses = {asked: answer.status_code for asked, answer in seen.items()}
    insiders = {(who, name): 200 for who in ("shop", "importer") for name in ("W-1", "I%2F77", "S-9", "C-1")}
    assert {asked for asked, status in statuses.items() if status == 200} == set(insiders)
    assert {status for asked, status in statuses.items() if asked not in insiders} == {404}
    assert seen["stranger", "W-1"].json() == seen["stranger", "nothing"].json(), "it does not tell that there is one"
    assert kind(seen["stranger", "W-1"]) == "not-found"
    timeline = seen["importer", "W-1"].json()
    assert timeline["order"]["order_id"] == "W-1"
    assert [each["type"] for each in timeline["entries"]] == [
        "order.opened",
        "item.handed_over",
        "order.referenced",
        "item.received",
    ]
    assert "C-1" not in seen["importer", "W-1"].text
    for answer in seen.values():
        assert "Unlikely" not in answer.text
        assert "example.org" not in answer.text


async def test_notices_are_remembered_for_those_they_are_for(counter: Counter) -> None:
    shop, importer = await counter.caller(SHOP), await counter.caller(IMPORTER)
    watchdog = await counter.server.connect("watchdog")

    async def say(party: str, order: str) -> None:
        notice = Notice(notice="commitment.overdue", order=order, kind="receive", at=NOW, owner=IMPORTER)
        await send_notice(watchdog, party, notice)

    async def told(caller: Caller, after: str = "", count: int = 1) -> tuple[list[str], str] | None:
        answer = (await caller.get(f"/notices?after={after}")).json()
        orders = [notice["order"] for notice in answer["notices"]]
        return (orders, answer["cursor"]) if len(orders) >= count else None

    await say(SHOP, "W-1")
    await say(IMPORTER, "W-1")
    await say(SHOP, "W-2")
    orders, cursor = await eventually(lambda: told(shop, count=2))
    assert orders == ["W-1", "W-2"]
    assert (await eventually(lambda: told(importer)))[0] == ["W-1"]
    assert await told(shop, cursor, 0) == ([], cursor)
    await say(SHOP, "W-3")
    assert (await eventually(lambda: told(shop, cursor)))[0] == ["W-3"]
    assert (await told(shop, "00000000-7", 3) or ([], ""))[0] == ["W-1", "W-2", "W-3"], "a cursor of another run"
    assert (await shop.get("/notices?limit=-1")).status_code == 400


def test_a_party_that_is_told_much_drives_out_others_only_when_all_is_full() -> None:
    remembered: Remembered[int] = Remembered(KEPT + 10)
    for number in range(KEPT + 5):
        remembered.add(SHOP, number)
    assert remembered.after(SHOP, "", 1)[0] == [5], "the oldest went"
    for number in range(10):
        remembered.add(IMPORTER, number)
    assert len(remembered.all_of(SHOP)) == KEPT
    remembered.add(REPAIRER, 0)
    assert remembered.all_of(SHOP) == [], "those who were told something longest ago go first"
    assert remembered.all_of(IMPORTER)[0] == 9


async def test_receipts_with_a_cursor(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    async with counter.running("retailer"):
        await shop.post("/events", event("e1"))
        first = (await shop.get("/receipts?after=")).json()
        await shop.post("/events", event("e2", subject="W-2"))
        second = (await shop.get(f"/receipts?after={first['cursor']}")).json()
        both = (await shop.get("/receipts?after=&limit=1")).json()
    assert [each["id"] for each in first["receipts"]] == ["e1"]
    assert [each["id"] for each in second["receipts"]] == ["e2"]
    assert [each["id"] for each in both["receipts"]] == ["e1"]


async def test_without_read_models_it_says_so(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    answer = await shop.get("/orders/W-1/timeline")
    assert (answer.status_code, kind(answer)) == (503, "unavailable")


async def test_what_was_told_and_its_cursors_outlast_the_service(chain_server: ChainServer) -> None:
    async def say(party: str, order: str) -> None:
        watchdog = await chain_server.connect("watchdog")
        notice = Notice(notice="commitment.overdue", order=order, kind="receive", at=NOW, person="Zo Unlikely")
        await send_notice(watchdog, party, notice)

    async def told(caller: Caller, after: str, *orders: str) -> str | None:
        answer = (await caller.get(f"/notices?after={after}")).json()
        return answer["cursor"] if [each["order"] for each in answer["notices"]] == list(orders) else None

    async with open_counter(chain_server) as counter:
        shop, importer = await counter.caller(SHOP), await counter.caller(IMPORTER)
        async with counter.running("retailer"):
            await shop.post("/events", event("e1"))
            await shop.post("/events", event("e2", data={"product": {}, "Zo Unlikely": "was here"}))
            receipts = (await shop.get("/receipts?after=&limit=1")).json()["cursor"]
            await say(SHOP, "W-1")
            await say(IMPORTER, "W-2")
            notices = await eventually(lambda: told(shop, "", "W-1"))
            await eventually(lambda: told(importer, "", "W-2"))
    async with open_counter(chain_server) as counter:
        again = Caller(counter.http.url, None)
        again.headers = shop.headers
        assert await told(again, notices) == notices, "nothing of it is new"
        assert await told(again, "", "W-1"), "nor another's"
        await say(SHOP, "W-3")
        await eventually(lambda: told(again, notices, "W-3"))
        rest = (await again.get(f"/receipts?after={receipts}")).json()["receipts"]
        assert [(each["id"], each["outcome"]) for each in rest] == [("e2", "rejected")]
        assert set(rest[0]["problem"]) == {"type", "title"}
        assert [each["id"] for each in (await again.get("/receipts")).json()["receipts"]] == ["e2", "e1"]
        state = b"".join(file.read_bytes() for file in HomeFolder(chain_server.home).state.glob("told.sqlite*"))
    assert b"W-1" in state
    assert b"Unlikely" not in state


def test_what_was_told_is_bounded_and_not_kept_for_long(tmp_path: Path) -> None:
    clock = SimulatedClock(NOW)
    told = Told(tmp_path / "told.sqlite", clock)
    run, first = told.begin("notice")
    told.add("notice", [(first + number, SHOP, {"n": number}) for number in range(8)], 5)
    told.add("receipt", [(1, SHOP, {})], 5)
    assert [item["n"] for _, _, item in told.all_of("notice")] == [3, 4, 5, 6, 7]
    clock.set(NOW + timedelta(days=7))
    told.add("notice", [(first + 8, SHOP, {"n": 8})], 5)
    assert [item["n"] for _, _, item in told.all_of("notice")] == [4, 5, 6, 7, 8]
    clock.set(NOW + timedelta(days=7, seconds=1))
    told.add("notice", [(first + 9, SHOP, {"n": 9})], 5)
    with closing(sqlite3.connect(tmp_path / "told.sqlite")) as beside:
        kept = beside.execute("select number from told where kind = 'notice'").fetchall()
    assert kept == [(first + 8,), (first + 9,)], "also while the service runs on"
    told.close()
    clock.set(NOW + timedelta(days=15))
    told = Told(tmp_path / "told.sqlite", clock)
    assert told.all_of("notice") == []
    again, later = told.begin("notice")
    assert (again, later > first + 8) == (run, True)
    told.close()
