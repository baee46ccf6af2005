"""An import through the three real intake services, which run side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from events.clock import SystemClock
from events.log import last_position
from events.names import INTAKE_STREAMS
from services.importing import facts_from, load_mapping
from services.publishing import publish_submissions
from services.settings import Settings
from services.submission import Submission
from services.wiring import build
from tests.chainserver import ChainServer
from tests.logged import read_order
from tests.services.publishing.fake import submission

EXAMPLES = Path(__file__).parents[3] / "examples"
SHOP, IMPORTER = "retailer:acme", "importer:noord"


@pytest.fixture
async def operator(chain_server: ChainServer) -> AsyncIterator[Client]:
    settings = Settings(home=chain_server.home, nats_url=chain_server.url)
    intakes = [build(role, settings, SystemClock()) for role in INTAKE_STREAMS]
    for intake in intakes:
        await intake.start()
    yield await chain_server.connect("operator")
    for intake in intakes:
        await intake.stop()


async def test_importing_twice_adds_nothing(operator: Client, chain_server: ChainServer) -> None:
    js = (await chain_server.connect("keeper")).jetstream()

    def facts() -> list[Submission]:
        return list(facts_from(load_mapping(EXAMPLES / "returns.toml"), [EXAMPLES / "returns.csv"]))

    first = await publish_submissions(operator, facts(), independent_orders=True)
    assert (first.accepted, first.duplicate, first.rejections) == (len(facts()), 0, [])
    assert first.position == len(facts()) == await last_position(js)
    again = await publish_submissions(operator, facts(), independent_orders=True)
    assert (again.accepted, again.duplicate, again.position) == (0, len(facts()), first.position)
    assert await last_position(js) == len(facts())
    # In the log each order's facts stand as they were handed in, although they went through three services.
    stored = [each.event.id for each in await read_order(js, "R-501")]
    assert stored == [each.event["id"] for each in facts() if each.subject == "R-501"]


async def test_what_comes_before_its_order_is_taken_in_when_the_order_comes(operator: Client) -> None:
    received = submission("1", IMPORTER, "W-77", type="repairchain.item.received.v1")
    opened = submission("2", SHOP, "W-77", type="repairchain.order.opened.v1", data={"product": {}})
    report = await publish_submissions(operator, [received, opened])
    assert (report.accepted + report.duplicate, report.rejected, report.unanswered) == (2, 0, 0)
