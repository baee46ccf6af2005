"""What a partner is shown over NATS: what it is shown over HTTP, of its own orders, and of no others."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from events.subjects import orders_subject
from services import client
from services.client import AsyncPartner
from services.credentials import credential_file
from services.home import HomeFolder
from services.partner_questions import AT_A_TIME, read_question
from services.partner_view import NotShownError
from tests.chainserver import ChainServer, refusals
from tests.services.http.counter import IMPORTER, REPAIRER, Caller, Counter, open_counter
from tests.services.submissions import SHOP, event

ROOT = Path(__file__).parents[2]
NAMES = ("W-1", "I/77", "S-9", "C-1", "nothing", "V-1")


class Two:
    """The same partners by both ways."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.http: dict[str, Caller] = {}
        self.nats: dict[str, AsyncPartner] = {}

    async def caught_up(self) -> None:
        """Return when the read models show what was said over HTTP: that way waits for it."""
        await self.http[SHOP].get("/orders?limit=1")

    async def over_http(self, who: str, name: str) -> Any:
        """The timeline, or the problem."""
        return (await self.http[who].get(f"/orders/{name.replace('/', '%2F')}/timeline")).json()

    async def over_nats(self, who: str, name: str) -> Any:
        try:
            return await self.nats[who].timeline(name)
        except client.NotShownError as none:
            return none.problem


@pytest.fixture
async def two(chain_server: ChainServer) -> AsyncIterator[Two]:
    """The order W-1 of the shop, handed to the importer, who has a number of its own for it; V-1 is another's."""
    async with AsyncExitStack() as life:
        counter = await life.enter_async_context(open_counter(chain_server))
        found = Two(counter)
        await life.enter_async_context(counter.running("projector", "retailer", "importer", "repairer"))
        for party in (SHOP, IMPORTER, REPAIRER, "retailer:rival"):
            found.http[party] = await counter.caller(party)
            login = credential_file(HomeFolder(chain_server.home), party)
            found.nats[party] = await life.enter_async_context(AsyncPartner(chain_server.url, login))
        contact = {"name": "Zo Unlikely", "channels": [{"kind": "email", "address": "zo@example.org"}]}
        data = {"product": {"serial": "S-9"}, "customer": "C-1", "contact": contact}
        for who, said in (
            (SHOP, event("e1", data=data)),
            (SHOP, event("e2", "item.handed_over", data={"to": IMPORTER})),
            (IMPORTER, event("e3", "order.referenced", source=IMPORTER, data={"reference": "I/77"})),
            (REPAIRER, event("e4", "item.received", source=REPAIRER)),
            (SHOP, event("e5", "question.asked", data={"question": "q", "to": "customer:C-1", "text": "which?"})),
            (SHOP, event("e6", "quote.offered", data={"quote": "q1", "amount": "10", "currency": "EUR"})),
            ("retailer:rival", event("e7", source="retailer:rival", subject="V-1")),
        ):
            answer = await found.http[who].post("/events", said)
            assert answer.json()["outcome"] == "accepted", answer.text
        await found.caught_up()
        yield found
    assert refusals(chain_server.home) == []


async def test_both_ways_show_the_same_and_nothing_of_what_is_not_ones_own(two: Two) -> None:
    asked = [(who, name) for who in two.nats for name in NAMES]
    told = await asyncio.gather(*(two.over_nats(*each) for each in asked))
    seen = dict(zip(asked, told, strict=True))
    shown = {each for each in asked if "order" in seen[each]}
    assert shown == {(who, name) for who in (SHOP, IMPORTER) for name in NAMES[:4]} | {("retailer:rival", "V-1")}
    for each in ((SHOP, "W-1"), (IMPORTER, "I/77")):
        assert await two.over_http(*each) == seen[each]
    for each in ((REPAIRER, "W-1"), (REPAIRER, "nothing")):
        over_http = await two.over_http(*each)
        assert (over_http["type"], over_http["detail"]) == (seen[each]["type"], seen[each]["detail"])
    refused = [answer for each, answer in seen.items() if each not in shown]
    assert all(answer == refused[0] for answer in refused), "it does not tell whether there is one"
    assert refused[0]["status"] == 404
    shops, importers = seen[SHOP, "W-1"], seen[IMPORTER, "W-1"]
    same = ("order", "handoffs")
    assert {part: shops[part] for part in same} == {part: importers[part] for part in same}
    assert "C-1" not in orjson.dumps(importers).decode()
    assert "Unlikely" not in str(told)
    assert "example.org" not in str(told)


async def test_what_has_changed_since(two: Two) -> None:
    everything = {who: await two.nats[who].changed() for who in two.nats}
    assert {who: [row["order_id"] for row in told["orders"]] for who, told in everything.items()} == {
        SHOP: ["W-1"],
        IMPORTER: ["W-1"],
        REPAIRER: [],  # to say something of an order gives no part in it
        "retailer:rival": ["V-1"],
    }
    (row,) = everything[IMPORTER]["orders"]
    assert row["position"] == everything[IMPORTER]["cursor"] == 6
    assert (row["status"], row["open"]) == ("waiting_for_approval", True)
    importer = two.nats[IMPORTER]
    assert await importer.changed(6) == {"orders": [], "cursor": 6, "more": False}
    said = event("e8", "item.received", source=IMPORTER)
    position = (await two.http[IMPORTER].post("/events", said)).json()["position"]
    answer = (await two.http[IMPORTER].get("/orders?changed_after=6")).json()
    assert ([row["order_id"] for row in answer["orders"]], answer["cursor"]) == (["W-1"], position)
    assert await importer.changed(6) == answer
    assert (await two.http[REPAIRER].get("/orders")).json() == {"orders": [], "cursor": 0, "more": False}


async def test_pages_go_on_where_the_last_ended_and_so_does_the_example(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = two.nats[SHOP]
    follow = await asyncio.to_thread(runpy.run_path, str(ROOT / "examples" / "follow.py"))
    login = credential_file(HomeFolder(two.counter.server.home), IMPORTER)
    for told_now in ("W-1: waiting_for_approval, importer:noord is to confirm receipt\n", ""):
        capsys.readouterr()
        await asyncio.to_thread(follow["main"], two.counter.server.url, str(login), str(tmp_path / "followed.json"))
        assert capsys.readouterr().out == told_now
    for number in range(2, 6):
        await two.http[SHOP].post("/events", event(f"o{number}", subject=f"W-{number}"))
    await two.caught_up()
    found, cursor, more = [], 0, True
    while more:
        told = await shop.changed(cursor, limit=2)
        found += [row["order_id"] for row in told["orders"]]
        cursor, more = told["cursor"], told["more"]
    assert found == ["W-1", "W-2", "W-3", "W-4", "W-5"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"order": ""}',
        b'{"order": 5}',
        b'{"order": "W-1", "changed_after": 0}',
        b'{"changed_after": -1}',
        b'{"changed_after": 9223372036854775808}',
        b'{"changed_after": true}',
        b'{"changed_after": 0, "limit": 0}',
        b'{"changed_after": 0, "limit": 1001}',
        b'{"order": "W-1", "party": "retailer:rival"}',
        b"\xff",
    ],
)
def test_what_is_no_question_is_told_so(body: bytes) -> None:
    with pytest.raises(NotShownError) as told:
        read_question(body)
    assert (told.value.status, told.value.kind) == (400, "unreadable")


async def test_a_question_that_cannot_be_read_is_answered_and_so_is_the_next(two: Two) -> None:
    connection = await two.counter.server.connect(SHOP)
    told = orjson.loads((await connection.request(orders_subject(SHOP), b"{", timeout=10)).data)
    assert (told["status"], told["type"]) == (400, "urn:repairchain:problem:unreadable")
    for query in ("changed_after=-1", "changed_after=x", "limit=1001", "changed_after=9223372036854775808"):
        assert (await two.http[SHOP].get(f"/orders?{query}")).status_code == 400
    many = await asyncio.gather(*(two.nats[SHOP].timeline("W-1") for _ in range(AT_A_TIME)))
    assert all(each == many[0] for each in many)
