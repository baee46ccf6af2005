"""POST /events on a real server: the same intake as over NATS, and the receipt for an answer."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from events.log import last_position
from services import rejected
from services.http import handing_in
from services.http.limits import MAX_BATCH
from tests.chainserver import ChainServer
from tests.logged import read_order
from tests.services.http.counter import BATCH, IMPORTER, STRUCTURED, Counter, kind, open_counter
from tests.services.submissions import SHOP, event
from tests.waiting import eventually

DOCUMENT = Path(__file__).parents[3] / "docs" / "http.md"


async def test_an_event_is_taken_in_and_answered_with_its_receipt(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    async with counter.running("retailer"):
        first = await shop.post("/events", event("e1"))
        again = await shop.post("/events", event("e1"))
    assert first.status_code == again.status_code == 200
    assert first.json() == {"id": "e1", "source": SHOP, "outcome": "accepted", "order": "W-1", "position": 1}
    assert again.json()["outcome"] == "duplicate"
    assert again.json()["position"] == 1
    (stored,) = await read_order((await counter.server.connect("keeper")).jetstream(), "W-1")
    assert (stored.event.source, stored.event.id) == (SHOP, "e1")


async def test_what_came_over_nats_is_known_over_http(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    client = await counter.server.connect(SHOP)
    async with counter.running("retailer"):
        assert (await shop.post("/events", event("e1"))).json()["outcome"] == "accepted"
        heard = await client.subscribe("receipts.retailer.acme")
        await client.flush()
        await client.publish("intake.retailer.acme", event_bytes("e1"))
        assert b'"duplicate"' in (await heard.next_msg(timeout=10)).data


def event_bytes(id: str) -> bytes:
    return orjson.dumps(event(id))


async def test_binary_mode(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    whole = event("e 1")
    headers = {f"ce-{name}": str(whole[name]) for name in ("specversion", "source", "type", "subject", "time")}
    async with counter.running("retailer"):
        answer = await shop.post("/events", whole["data"], "application/json", {**headers, "ce-id": "e%201"})
    assert (answer.status_code, answer.json()["id"]) == (200, "e 1")


async def test_a_batch_has_a_receipt_for_each_in_its_order(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    batch = [
        event("e1"),
        event("e2", "item.received"),
        event("e1"),
        event("e3", source=IMPORTER),
        7,
        event("e4", data={"product": {"description": "x" * 70_000}}),
        event("e5", "order.referenced", data={"reference": "A-1"}),
    ]
    async with counter.running("retailer"):
        answer = await shop.post("/events", batch, BATCH)
    assert answer.status_code == 200
    receipts = answer.json()["receipts"]
    assert [(receipt["id"], receipt["outcome"]) for receipt in receipts] == [
        ("e1", "accepted"),
        ("e2", "accepted"),
        ("e1", "duplicate"),
        ("e3", "rejected"),
        (None, "rejected"),
        ("e4", "rejected"),
        ("e5", "accepted"),
    ]
    kinds = [receipt["problem"]["type"].rpartition(":")[2] for receipt in receipts if "problem" in receipt]
    assert kinds == ["not-your-name", "unreadable", "too-large"]
    assert [receipt["position"] for receipt in receipts if receipt["outcome"] == "accepted"] == [1, 2, 3]


async def test_a_batch_of_nothing_and_one_of_as_much_as_may_be(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    assert (await shop.post("/events", [], BATCH)).json() == {"receipts": []}
    async with counter.running("retailer"):
        answer = await shop.post("/events", [event(f"e{number}") for number in range(MAX_BATCH)], BATCH)
    positions = [receipt["position"] for receipt in answer.json()["receipts"]]
    assert positions == list(range(1, MAX_BATCH + 1))


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"source": IMPORTER}, 403, "not-your-name"),
    ({"type": "repairchain.commitment.overdue.v1"}, 403, "not-yours-to-say"),
    ({"type": "repairchain.item.lost.v1"}, 422, "unknown-type"),
    ({"data": {"product": {"colour": "red"}}}, 422, "invalid"),
    ({"specversion": "0.3"}, 400, "unreadable"),
    ({"time": "2026-04-02T09:00:00Z"}, 422, "time-out-of-range"),
]


async def test_what_the_intake_refuses_is_a_problem_and_kept(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    js = (await counter.server.connect("keeper")).jetstream()
    async with counter.running("retailer"):
        for number, (change, status, problem) in enumerate(REFUSED, 1):
            answer = await shop.post("/events", event(f"e{number}") | change)
            assert (answer.status_code, kind(answer)) == (status, problem)
            assert answer.json()["submission"] == f"e{number}"
            assert await rejected.count_rejected(js) == number
    assert await last_position(js) == 0


async def test_an_id_that_is_taken_is_a_conflict(counter: Counter) -> None:
    shop, other = await counter.caller(SHOP), await counter.caller("retailer:other")
    async with counter.running("retailer"):
        await shop.post("/events", event("e1"))
        again = await shop.post("/events", event("e1", subject="W-2"))
        theirs = await other.post("/events", event("e1", source="retailer:other"))
    assert (again.status_code, kind(again)) == (409, "id-reused")
    assert (theirs.status_code, kind(theirs)) == (409, "order-id-taken")


async def test_without_a_key_nothing_is_read(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    for key in (None, "", "rk_0", "rk_0123456789abcdef_" + "A" * 43, "ü"):
        shop.headers = {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
        for answer in (
            await shop.post("/events", b"x" * 1_000),
            await shop.get("/receipts"),
            await shop.get("/orders/W-1/timeline"),
        ):
            assert (answer.status_code, kind(answer)) == (401, "unauthorized"), key
            assert answer.headers["www-authenticate"] == "Bearer"
            # Whoever has shown one looks for the fault elsewhere than who has shown none.
            assert ("opens nothing" in answer.json()["detail"]) == bool(key), key


async def test_a_request_that_shows_several_keys_is_refused(counter: Counter) -> None:
    shop, other = await counter.caller(SHOP), await counter.caller("retailer:other")

    def ask(*keys: str) -> tuple[int, Any]:
        with closing(HTTPConnection(shop.url.removeprefix("http://"), timeout=30)) as connection:
            connection.putrequest("GET", "/receipts")
            for key in keys:
                connection.putheader("Authorization", key)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, json.load(answer)

    mine, theirs = shop.headers["Authorization"], other.headers["Authorization"]
    assert (await asyncio.to_thread(ask, mine))[0] == 200
    for keys in ((mine, theirs), (theirs, mine), (mine, mine), (mine, "")):
        status, problem = await asyncio.to_thread(ask, *keys)
        assert (status, problem["type"].rpartition(":")[2]) == (400, "bad-header")
        assert "several Authorization headers" in problem["detail"]


BINARY = {"ce-specversion": "1.0"}
UNREADABLE: list[tuple[bytes, str, dict[str, str], int, str]] = [
    (b"{", STRUCTURED, {}, 400, "unreadable"),
    (b"\xff{}", STRUCTURED, {}, 400, "unreadable"),
    (b"{}", BATCH, {}, 400, "unreadable"),
    (b"[" * 5_000, BATCH, {}, 400, "unreadable"),
    (b"{}", "application/json", {}, 415, "unsupported-media-type"),
    (b"{}", "text/plain", {}, 415, "unsupported-media-type"),
    (b"<a/>", "application/xml", BINARY, 415, "unsupported-media-type"),
    (b"{}", f"{STRUCTURED}; charset=utf-16", {}, 415, "unsupported-media-type"),
    (b"{}", STRUCTURED, {"Content-Encoding": "gzip"}, 415, "unsupported-media-type"),
    (b" " * 65_537, STRUCTURED, {}, 413, "length"),
    (b" " * (8 * 1024 * 1024 + 1), BATCH, {}, 413, "length"),
    (b"[" + b"1," * MAX_BATCH + b"1]", BATCH, {}, 413, "length"),
    (b"{}", "application/json", BINARY | {"ce-id": "x" * 4_000}, 400, "bad-header"),
    (b"{}", "application/json", BINARY | {"ce-id": "\xe9"}, 400, "bad-header"),
]


async def test_what_cannot_be_read_is_not_handed_in(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    js = (await counter.server.connect("keeper")).jetstream()
    for body, content, headers, status, problem in UNREADABLE:
        answer = await shop.post("/events", body, content, headers)
        assert (answer.status_code, kind(answer)) == (status, problem), (body[:20], content, headers)
        assert (await js.stream_info("INTAKE_RETAILER_acme")).state.messages == 0


async def test_a_body_of_no_announced_length_is_bounded_too(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    headers = {**shop.headers, "Content-Type": STRUCTURED}
    chunks = (b" " * 10_000 for _ in range(10))
    answer = await asyncio.to_thread(requests.post, f"{shop.url}/events", data=chunks, headers=headers, timeout=30)
    assert (answer.status_code, kind(answer)) == (413, "length")


async def test_what_is_held_says_so_and_where_to_look(counter: Counter) -> None:
    shop, importer = await counter.caller(SHOP), await counter.caller(IMPORTER)
    async with counter.running("retailer", "importer"):
        held = await importer.post("/events", event("r/1", "item.received", source=IMPORTER))
        assert (held.status_code, held.json()["outcome"]) == (202, "held")
        assert held.headers["location"] == "/receipts?id=r%2F1"
        await shop.post("/events", event("e1"))

        async def accepted() -> bool:
            rows = (await importer.get(held.headers["location"])).json()["receipts"]
            return [row["outcome"] for row in rows] == ["accepted", "held"]

        await eventually(accepted, "the order has come")
    assert (await shop.get("/receipts?id=r%2F1")).json() == {"receipts": []}, "receipts of others are not shown"


async def test_a_receipt_that_takes_long_is_looked_up_later(chain_server: ChainServer) -> None:
    async with open_counter(chain_server, wait=0.2) as counter:
        shop = await counter.caller(SHOP)
        one = await shop.post("/events", event("e1"))
        many = await shop.post("/events", [event("e1"), event("e2")], BATCH)
        assert (one.status_code, one.json()) == (202, {"id": "e1", "outcome": "pending"})
        assert one.headers["location"] == "/receipts?id=e1"
        assert (many.status_code, [row["outcome"] for row in many.json()["receipts"]]) == (202, ["pending"] * 2)
        async with counter.running("retailer"):

            async def taken_in() -> bool:
                rows = (await shop.get("/receipts")).json()["receipts"]
                return sorted(row["outcome"] for row in rows) == ["accepted", "accepted", "duplicate"]

            await eventually(taken_in, "all have their receipts")


async def test_too_much_is_put_off(chain_server: ChainServer) -> None:
    async with open_counter(chain_server, wait=0.0, http_events_per_second=0.001) as counter:
        shop, other = await counter.caller(SHOP), await counter.caller("retailer:other")
        batch = [event(f"e{number}") for number in range(MAX_BATCH)]
        assert (await shop.post("/events", batch, BATCH)).status_code == 202
        refused = await shop.post("/events", event("more"))
        assert (refused.status_code, kind(refused)) == (429, "too-many")
        assert int(refused.headers["retry-after"]) > 900
        assert (await other.post("/events", event("e1", source="retailer:other"))).status_code == 202


async def test_without_the_server_it_says_so_and_goes_on_afterwards(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await counter.caller(SHOP)
    await counter.server.embedded.stop()
    with monkeypatch.context() as patch:
        patch.setattr(handing_in, "_STORED_WITHIN", 0.2)  # instead of five seconds, for it comes to nothing
        refused = await shop.post("/events", event("e1"))
    assert (refused.status_code, kind(refused)) == (503, "unavailable")
    assert refused.headers["retry-after"]
    await counter.server.embedded.start()
    async with counter.running("retailer"):

        async def taken() -> bool:
            return (await shop.post("/events", event("e1"))).status_code == 200

        await eventually(taken, "the server is back")


async def test_what_is_not_there(counter: Counter) -> None:
    shop = await counter.caller(SHOP)
    nothing, wrong = await shop.get("/nothing"), await shop.get("/events")
    assert (nothing.status_code, kind(nothing)) == (404, "not-found")
    assert (wrong.status_code, kind(wrong), wrong.headers["allow"]) == (405, "method-not-allowed", "POST")


async def test_the_example_in_the_document_is_answered_as_it_says(counter: Counter) -> None:
    told = DOCUMENT.read_text(encoding="utf-8")
    sent = re.search(r"-d '(\{.*?\})'\n", told, re.DOTALL)
    answer = re.search(r"```json\n(\{.*?\})\n```", told, re.DOTALL)
    assert sent is not None
    assert answer is not None
    counter.clock.set(datetime(2026, 11, 22, tzinfo=UTC))
    shop = await counter.caller(SHOP)
    async with counter.running("retailer"):
        assert (await shop.post("/events", sent[1].encode())).json() == json.loads(answer[1])
