"""Whose order it is, by a number: for whoever takes part in it, and nobody can find one by counting."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from events.streams import declare_streams
from services.intake.problems import kind_of
from tests.chainserver import ChainServer, refusals
from tests.services.intakes import IMPORTER, Chain, event
from tests.services.submissions import SHOP

NUMBER = {"subjectkind": "serial", "subjectof": "Tide"}
PRODUCT = {"product": {"brand": "Tide", "serial": "SN-1"}}


@pytest.fixture
async def chain(chain_server: ChainServer) -> AsyncIterator[Chain]:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    yield Chain(chain_server)
    assert refusals(chain_server.home) == []


async def test_what_came_before_its_papers_finds_its_order_by_its_serial_number(chain: Chain) -> None:
    shop, maker = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running(), chain.running("importer"):
        assert (await shop.say(event("o", data=PRODUCT)))["outcome"] == "accepted"
        came = event("c", "item.received", source=IMPORTER, subject="SN-1", **NUMBER)
        # There is such an order, but nobody has handed it anything: as if there were none.
        held, none = await maker.say(came), await maker.say(came.replace(b"SN-1", b"SN-9").replace(b'"c"', b'"c9"'))
        assert held["outcome"] == none["outcome"] == "held"
        assert held["problem"]["detail"].replace("SN-1", "SN-9") == none["problem"]["detail"]
        await shop.say(event("h", "item.handed_over", data={"to": IMPORTER}))
        taken = await maker.heard("c", "accepted")
        assert (taken["order"], taken["position"]) == ("W-1", 3)
        assert (await maker.say(came))["outcome"] == "duplicate"
        # A second order with that number: then it has to be said which.
        await shop.say(event("o2", subject="W-2", data=PRODUCT))
        await shop.say(event("h2", "item.handed_over", subject="W-2", data={"to": IMPORTER}))
        refused = await maker.say(
            event("d", "diagnosis.made", source=IMPORTER, subject="SN-1", **NUMBER, data={"summary": "worn"})
        )
        assert kind_of(refused["problem"]["type"]) == "ambiguous-number"
        assert "2 orders" in refused["problem"]["detail"]
        assert "W-2" not in refused["problem"]["detail"]
        # The shop's number for it, by which the importer may call it, too.
        await shop.say(event("r", "order.referenced", subject="W-2", data={"reference": "RMA-7"}))
        by_reference = event(
            "d2",
            "diagnosis.made",
            source=IMPORTER,
            subject="RMA-7",
            data={"summary": "worn"},
            subjectkind="reference",
            subjectof=SHOP,
        )
        assert (await maker.say(by_reference))["order"] == "W-2"
