"""The client for partners on a real server: every publish ends in a receipt or in an error that says why."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import nats
import nats.errors
import pytest
from nats.aio.client import Client

from events.log import last_position
from events.streams import declare_streams
from services.access import rotate
from services.client import (
    AsyncPartner,
    LoginRefusedError,
    NoReceiptError,
    Notice,
    Partner,
    PartnerError,
    Receipt,
    RejectedError,
    partner_async,
)
from services.credentials import credential, credential_file
from services.home import HomeFolder
from services.intake.receipts import Receipts
from services.notices import send_notice
from services.userkeys import new_seed
from tests.chainserver import ChainServer, refusals
from tests.oldhome import old_partner
from tests.services.intakes import NOW, Chain

SHOP, IMPORTER = "retailer:acme", "importer:north"
PRODUCT = {"product": {"brand": "Example"}}


@pytest.fixture
async def chain(chain_server: ChainServer) -> AsyncIterator[Chain]:
    for party in (SHOP, IMPORTER):
        await chain_server.add_party(party)
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    yield Chain(chain_server)
    assert refusals(chain_server.home) == []


def partner(chain: Chain, party: str = SHOP, **more: Any) -> AsyncPartner:
    return AsyncPartner(chain.server.url, credential_file(HomeFolder(chain.server.home), party), **more)


async def test_accepted_duplicate_held_and_rejected(chain: Chain) -> None:
    async with chain.running(), partner(chain) as shop:
        opened = await shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)
        assert (opened.outcome, opened.order, opened.position, opened.id) == ("accepted", "W-1", 1, "e1")
        again = await shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)
        assert (again.outcome, again.position) == ("duplicate", 1)

        heard = shop.receipts(timeout=20)
        early = await shop.publish("item.received", order="W-2", id="e2", time=NOW)
        assert (early.outcome, early.kind) == ("held", "unknown-order")
        await shop.publish("order.opened", PRODUCT, order="W-2", id="e3", time=NOW)
        assert "accepted" in [receipt.outcome async for receipt in until(heard, "e2", "accepted")]

        with pytest.raises(RejectedError, match=r"^'e4' was rejected: /data/to: this field is missing$") as caught:
            await shop.publish("item.handed_over", {}, order="W-1", id="e4", time=NOW)
        problem = caught.value.receipt.problem
        assert problem is not None
        assert (problem["type"], problem["pointer"]) == ("urn:repairchain:problem:invalid", "/data/to")
        assert caught.value.event["id"] == "e4"


async def until(feed: Any, id: str, outcome: str) -> AsyncIterator[Any]:
    async for receipt in feed:
        yield receipt
        if (receipt.id, receipt.outcome) == (id, outcome):
            feed.close()


async def test_a_receipt_that_is_lost_is_asked_for_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0
    send = Receipts.send

    async def lose_the_first(self: Receipts, connection: Client) -> None:
        nonlocal sent
        sent += 1
        if sent > 1:
            await send(self, connection)

    monkeypatch.setattr(Receipts, "send", lose_the_first)
    async with chain.running(), partner(chain, receipt_within=0.3) as shop:
        receipt = await shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)
    assert (receipt.outcome, receipt.position) == ("duplicate", 1)
    assert sent == 2


async def test_a_server_that_is_killed_in_the_middle_loses_and_doubles_nothing(chain: Chain) -> None:
    async with chain.running(), partner(chain) as shop:
        await shop.publish("order.opened", PRODUCT, order="W-1", id="e0", time=NOW)
        some = asyncio.Event()

        async def call(each: int) -> list[Receipt]:
            receipts = []
            for number in range(25):
                id = f"c{each}-{number}"
                receipts.append(await shop.publish("customer.contacted", CALL, order="W-1", id=id, time=NOW))
                if number == 5:
                    some.set()
            return receipts

        publishing = [asyncio.create_task(call(each)) for each in range(8)]
        await some.wait()
        os.kill(chain.server.embedded.pid, signal.SIGKILL)
        assert not any(task.done() for task in publishing)
        await chain.server.embedded.wait()
        await chain.server.embedded.start()
        receipts = [receipt for found in await asyncio.gather(*publishing) for receipt in found]
    assert {receipt.outcome for receipt in receipts} <= {"accepted", "duplicate"}
    assert len({receipt.position for receipt in receipts}) == 200
    assert await last_position((await chain.server.connect("keeper")).jetstream()) == 201


CALL = {"channel": "telephone", "direction": "inbound"}


async def test_nobody_answers_in_time_and_it_is_taken_in_later_once(chain: Chain) -> None:
    async with partner(chain, receipt_within=0.1) as shop:
        with pytest.raises(NoReceiptError, match=r"no receipt came.*again is safe") as caught:
            await shop.publish("order.opened", PRODUCT, order="W-1", time=NOW, timeout=0.5)
        async with chain.running():
            receipt = await shop.publish(caught.value.event)
    assert receipt.position == 1


async def test_two_partners_hear_their_own_and_nothing_else(chain: Chain) -> None:
    async with chain.running(), chain.running("importer"), partner(chain) as shop, partner(chain, IMPORTER) as importer:
        heard = importer.receipts(timeout=20)
        for number in range(5):
            # The same ids: they are each party's own.
            await shop.publish("order.opened", PRODUCT, order=f"W-{number}", id=f"e{number}", time=NOW)
            taken = await importer.publish("item.received", order=f"W-{number}", id=f"e{number}", time=NOW)
            assert taken.outcome == "accepted"
        receipts = [await anext(heard) for _ in range(5)]
        assert {receipt.party for receipt in receipts} == {IMPORTER}
        with pytest.raises(RejectedError, match="source is 'retailer:acme'"):
            await importer.publish({"source": SHOP, "type": "repairchain.item.received.v1"}, order="W-1", time=NOW)


async def test_notices_come_as_they_are_sent(chain: Chain) -> None:
    notice = Notice(notice="commitment.nudged", order="W-1", kind="receive", at=NOW, owner=SHOP)
    async with partner(chain) as shop:
        heard = shop.notices(timeout=20)
        await send_notice(await chain.server.connect("watchdog"), SHOP, notice)
        assert await anext(heard) == notice


async def test_wrong_credentials_are_told_at_once(chain: Chain) -> None:
    with pytest.raises(LoginRefusedError, match="retailer:acme"):
        async with AsyncPartner(chain.server.url, {"user": "retailer.acme", "password": "wrong"}):
            pass
    with pytest.raises(LoginRefusedError, match="retailer:acme"):
        async with AsyncPartner(chain.server.url, {"user": "retailer.acme", "nkey_seed": new_seed()}):
            pass


async def test_the_file_of_an_older_home_is_taken_too(chain: Chain) -> None:
    await asyncio.to_thread(old_partner, chain.server.home, "retailer:elder")
    async with chain.running(), partner(chain, "retailer:elder") as elder:
        assert (await elder.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)).outcome == "accepted"


async def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner_async, "_CONNECT_WITHIN", 0.2)
    with pytest.raises(PartnerError, match=r"127\.0\.0\.1:1 "):
        async with AsyncPartner("nats://127.0.0.1:1", {"user": "retailer.acme", "password": "x"}):
            pass


async def test_credentials_that_change_while_connected_are_read_anew(chain: Chain) -> None:
    secret = credential(chain.server.home, SHOP)
    given = {"user": secret.user, "nkey_seed": secret.seed}
    async with chain.running(), AsyncPartner(chain.server.url, given) as shop:
        await asyncio.to_thread(rotate, chain.server.home, SHOP)
        with pytest.raises(LoginRefusedError):
            await shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)
        given["nkey_seed"] = credential(chain.server.home, SHOP).seed
        assert (await shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW)).position == 1


async def test_an_event_that_no_intake_would_take_is_not_sent(chain: Chain) -> None:
    async with partner(chain) as shop:
        with pytest.raises(ValueError, match="at most 65536"):
            await shop.publish("repair.failed", {"reason": "x" * 70_000}, order="W-1")
    with pytest.raises(PartnerError, match="closed"):
        await shop.publish("item.received", order="W-1")


async def test_a_program_that_waits_has_the_same(chain: Chain) -> None:
    """Without a loop of its own, in a thread; the loop of this test runs the chain."""

    def program() -> tuple[str, list[str | None], str]:
        file = credential_file(HomeFolder(chain.server.home), SHOP)
        with Partner(chain.server.url, file) as shop:
            heard = shop.receipts(timeout=0.2)
            outcome = shop.publish("order.opened", PRODUCT, order="W-1", id="e1", time=NOW).outcome
            ids = [receipt.id for receipt in heard]
            try:
                shop.publish("item.handed_over", {}, order="W-1", time=NOW)
            except RejectedError as rejected:
                said = str(rejected)
        with pytest.raises(PartnerError, match="not connected"):
            shop.publish("item.received", order="W-1")
        return outcome, ids, said

    async with chain.running():
        outcome, ids, said = await asyncio.to_thread(program)
    assert (outcome, ids) == ("accepted", ["e1"])
    assert "/data/to" in said


async def test_a_connection_that_is_of_no_use_is_not_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = AsyncMock(flush=AsyncMock(side_effect=nats.errors.TimeoutError))
    monkeypatch.setattr(nats, "connect", AsyncMock(return_value=connection))
    with pytest.raises(PartnerError, match="went away"):
        async with AsyncPartner("nats://shop.example", {"user": "retailer.acme", "password": "p"}):
            pass
    connection.close.assert_awaited_once()
