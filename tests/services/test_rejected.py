"""What could not be taken in, many at a time: counted, handed in again, discarded."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from events import vocabulary
from events.clock import SimulatedClock
from events.log import last_position
from events.streams import declare_streams
from services.rejected import (
    Which,
    count_rejected,
    discard_all,
    every_rejected,
    list_rejected,
    reason_of,
    retry_all,
    summarize_rejected,
)
from tests.chainserver import ChainServer
from tests.services.intakes import NOW, Chain, event
from tests.services.submissions import SHOP

OTHER = "retailer:rival"


@pytest.fixture
async def chain(chain_server: ChainServer) -> Chain:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    chain = Chain(chain_server)
    chain.clock = SimulatedClock(NOW)
    return chain


async def reject_some(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve good events of two shops that a fault of ours refuses, two unreadable ones, and one that is held."""
    shop, other = await chain.partner(SHOP), await chain.partner(OTHER)
    with monkeypatch.context() as mistaken:
        too_few = frozenset(vocabulary.WHO_MAY_SAY["retailer"]) - {"order.opened"}
        mistaken.setitem(vocabulary.WHO_MAY_SAY, "retailer", too_few)
        async with chain.running():
            for number in range(12):
                partner = (shop, other)[number % 3 == 0]
                said = event(f"e{number}", source=partner.party, subject=f"W-{number}")
                assert (await partner.say(said))["outcome"] == "rejected"
            for body in (b"{", b"?"):
                assert (await shop.say(body))["outcome"] == "rejected"
            assert (await shop.say(event("early", "order.closed", subject="LATER", data={"outcome": "repaired"})))[
                "outcome"
            ] == "held"


async def test_they_are_counted_by_party_and_reason(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = await chain.server.connect("operator")
    assert await summarize_rejected(operator.jetstream()) == []
    await reject_some(chain, monkeypatch)
    rows = await summarize_rejected(operator.jetstream())
    assert [(row["party"], row["reason"], row["count"]) for row in rows] == [
        (SHOP, "not-yours-to-say", 8),
        (OTHER, "not-yours-to-say", 4),
        (SHOP, "unreadable", 2),
        (SHOP, "unknown-order", 1),
    ]
    of_other = Which(OTHER)
    assert await summarize_rejected(operator.jetstream(), of_other) == [row for row in rows if row["party"] == OTHER]
    assert await count_rejected(operator.jetstream(), of_other) == 4
    listed = [each.party async for each in list_rejected(operator.jetstream(), of_other, limit=3)]
    assert listed == [OTHER] * 3
    oldest = [each.kept_at async for each in list_rejected(operator.jetstream(), limit=1)]
    (first,) = (each for each in oldest if each)
    # The server tells nanoseconds, and two ways of reading them end in the same microsecond or the next.
    assert abs(datetime.fromisoformat(rows[1]["oldest"]) - first) <= timedelta(microseconds=1)


async def test_after_the_cause_is_mended_all_come_in(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    await reject_some(chain, monkeypatch)
    operator = await chain.server.connect("operator")
    js = operator.jetstream()
    async with chain.running():
        assert await retry_all(operator, Which(reason="not-yours-to-say")) == {"retried": 12, "accepted": 12}
    assert await last_position(js) == 12
    left = [reason_of(each) async for each in every_rejected(js)]
    assert left == ["unreadable", "unreadable", "unknown-order"]


async def test_what_is_still_wrong_is_kept_and_tried_once_and_what_is_held_is_left_alone(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reject_some(chain, monkeypatch)
    operator = await chain.server.connect("operator")
    async with chain.running():
        counted = await retry_all(operator, Which(party=SHOP))
        assert counted == {"retried": 10, "accepted": 8, "rejected": 2}
        assert await retry_all(operator, Which(reason="unknown-order")) == {"retried": 1, "held": 1}
    assert await count_rejected(operator.jetstream()) == 4 + 2 + 1


async def test_without_a_service_they_are_said_to_be_unanswered_and_come_in_later(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reject_some(chain, monkeypatch)
    operator = await chain.server.connect("operator")
    which = Which(party=OTHER, reason="not-yours-to-say")
    assert await retry_all(operator, which, timeout=0.05) == {"retried": 4, "unanswered": 4}
    async with chain.running(), asyncio.timeout(15):
        while await last_position(operator.jetstream()) < 4:
            pass


async def test_they_are_discarded_by_reason(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    await reject_some(chain, monkeypatch)
    js = (await chain.server.connect("operator")).jetstream()
    assert await discard_all(js, Which(reason="unreadable")) == 2
    assert await discard_all(js, Which(party=OTHER)) == 4
    assert [(each.party, reason_of(each)) async for each in every_rejected(js, bodies=False)] == [
        *[(SHOP, "not-yours-to-say")] * 8,
        (SHOP, "unknown-order"),
    ]
    assert await discard_all(js, Which()) == 9
    assert await discard_all(js, Which()) == 0
