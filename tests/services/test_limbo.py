"""What waits for its order waits until a stated time, and is rejected then: once, whatever restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import nats.errors
import pytest
from nats.js import JetStreamContext

from events import names
from events.clock import SimulatedClock
from events.envelope import iso
from events.log import NotFirstError
from events.streams import declare_streams
from services.intake import batches, taking
from services.intake.contacts import keep_contacts
from services.intake.held import HELD_UNTIL, resubmit
from services.intake.limbo import HELD_FOR, Limbo
from services.intake.problems import Problem, Refusal, kind_of
from services.intake.rejecting import held_names
from services.rejected import count_apart, list_rejected, retry_rejected, summarize_rejected
from tests.chainserver import ChainServer, refusals
from tests.services.intakes import NOW, Chain, event
from tests.services.submissions import SHOP
from tests.waiting import eventually

CLOSED = event("early", "order.closed", subject="LATER", data={"outcome": "repaired"})


@pytest.fixture
async def chain(chain_server: ChainServer) -> AsyncIterator[Chain]:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    yield Chain(chain_server)
    assert refusals(chain_server.home) == []


def unknown() -> Problem:
    return Refusal("unknown-order", "no order has the id 'X'; it is kept", "/subject").problem("e1")


def test_the_time_is_stated_once_and_nobody_makes_it_longer() -> None:
    clock = SimulatedClock(NOW)
    limbo = Limbo("retailer", clock)
    until = limbo.judged(unknown(), None).held_until
    assert until == NOW + HELD_FOR
    again = {names.RETRY_OF: "7", HELD_UNTIL: iso(NOW + HELD_FOR)}
    clock.set(NOW + timedelta(days=5))
    assert limbo.judged(unknown(), again).held_until == until
    assert limbo.judged(unknown(), again | {HELD_UNTIL: "2099-01-01T00:00:00Z"}).held_until == clock.now() + HELD_FOR
    assert limbo.judged(unknown(), again | {HELD_UNTIL: "soon"}).held_until == clock.now() + HELD_FOR
    clock.set(NOW + HELD_FOR)
    lapsed = limbo.judged(unknown(), again)
    assert (kind_of(lapsed.type), lapsed.held_until, lapsed.submission) == ("order-never-came", None, "e1")
    assert lapsed.detail.startswith("no order has the id 'X', and none came until 2026-03-16")


async def test_what_is_held_is_kept_apart_from_what_needs_a_hand(chain: Chain) -> None:
    """Else whoever looks for what is held would go through all that was ever rejected, once a minute."""
    shop, keeper = await chain.partner(SHOP), await chain.server.connect("keeper")
    async with chain.running():
        assert (await shop.say(CLOSED))["outcome"] == "held"
        assert (await shop.say(event("bad", subject="OTHER", data={"product": 5})))["outcome"] == "rejected"
    assert await held_names(keeper.jetstream(), "retailer") == {"LATER"}
    assert await held_names(keeper.jetstream(), "importer") == set()


async def test_when_the_time_is_up_it_is_rejected_once_and_can_be_handed_in_again(chain: Chain) -> None:
    shop, operator = await chain.partner(SHOP), await chain.server.connect("operator")
    js = operator.jetstream()
    async with chain.running():
        receipt = await shop.say(CLOSED)
        assert (receipt["outcome"], receipt["held_until"]) == ("held", iso(NOW + HELD_FOR))
        assert await count_apart(js) == {"held": 1, "rejected": 0}
        (row,) = await summarize_rejected(js)
        assert (row["outcome"], row["held_until"]) == ("held", (NOW + HELD_FOR).isoformat())
    (held,) = [each async for each in list_rejected(js)]
    chain.clock.set(NOW + HELD_FOR)
    # A service that died may have handed it in already.
    await resubmit(js, held)
    async with chain.running():
        said = await shop.heard("early", "rejected")
        assert kind_of(said["problem"]["type"]) == "order-never-came"
        # All that was handed in before this has its outcome.
        assert (await shop.say(event("after")))["outcome"] == "accepted"
        assert await count_apart(js) == {"held": 0, "rejected": 1}
    every = [each for receipts in shop.receipts.values() for each in receipts if each["id"] == "early"]
    assert [each["outcome"] for each in every] == ["held", "rejected"]
    async with chain.running():
        assert (await shop.say(event("o", subject="LATER")))["outcome"] == "accepted"
        (kept,) = [each async for each in list_rejected(js)]
        assert (await retry_rejected(operator, kept.number))["outcome"] == "accepted"
        assert await count_apart(js) == {"held": 0, "rejected": 0}


async def test_it_lapses_while_the_service_runs_and_waits_anew_after_a_retry(chain: Chain) -> None:
    shop, operator = await chain.partner(SHOP), await chain.server.connect("operator")
    js = operator.jetstream()
    async with chain.running():
        await shop.say(CLOSED)
        chain.clock.set(NOW + HELD_FOR)
        await shop.heard("early", "rejected")
        (kept,) = [each async for each in list_rejected(js)]
        again = await retry_rejected(operator, kept.number)
        assert (again["outcome"], again["held_until"]) == ("held", iso(NOW + 2 * HELD_FOR))
        await shop.say(event("o", subject="LATER"))

        async def is_empty() -> bool:
            return await count_apart(js) == {"held": 0, "rejected": 0}

        await eventually(is_empty)


async def test_that_its_order_never_came_is_told_once_though_its_copies_are_in_two_parts(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "_MANY", 2)
    shop, js = await chain.partner(SHOP), (await chain.server.connect("operator")).jetstream()
    async with chain.running():
        assert (await shop.say(CLOSED))["outcome"] == "held"
    (held,) = [each async for each in list_rejected(js)]
    chain.clock.set(NOW + HELD_FOR)
    for number in (1, 2):  # what waits there is read before anything new: both copies, each in a part of its own
        await resubmit(js, held)
        await resubmit(js, replace(held, payload=event(f"fine{number}", subject=f"W-{number}")))
    async with chain.running():
        await shop.heard("fine2", "accepted")
        await shop.heard("early", "rejected")
        assert (await shop.say(event("after")))["outcome"] == "accepted"
    every = [each for receipts in shop.receipts.values() for each in receipts if each["id"] == "early"]
    assert [each["outcome"] for each in every] == ["held", "rejected"]


@pytest.mark.parametrize(
    "trouble", [nats.errors.TimeoutError(), NotFirstError("made up"), ZeroDivisionError("made up")], ids=repr
)
async def test_that_its_order_never_came_is_told_although_trouble_came_just_then(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """What is decided on once more is no copy of itself, which would be told already."""
    monkeypatch.setattr(batches, "_RETRY_DELAY", 0.05)
    left: list[Exception] = []

    async def fail_at_first(*args: Any) -> None:
        if left:
            raise left.pop()
        await keep_contacts(*args)

    monkeypatch.setattr(taking, "keep_contacts", fail_at_first)
    shop, js = await chain.partner(SHOP), (await chain.server.connect("operator")).jetstream()
    async with chain.running():
        assert (await shop.say(CLOSED))["outcome"] == "held"
        left.append(trouble)
        chain.clock.set(NOW + HELD_FOR)
        await shop.heard("early", "rejected")

        async def is_kept_once() -> bool:
            return await count_apart(js) == {"held": 0, "rejected": 1}

        await eventually(is_kept_once)
    assert left == []


async def test_what_lapses_at_once_is_looked_up_side_by_side(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """All others wait meanwhile."""
    many = 24
    shop, js = await chain.partner(SHOP), (await chain.server.connect("operator")).jetstream()
    async with chain.running():
        for number in range(many):
            await shop.hand_in(event(f"early{number}", "order.closed", subject="LATER", data={"outcome": "repaired"}))
        await shop.heard(f"early{many - 1}", "held")
    chain.clock.set(NOW + HELD_FOR)
    for held in [each async for each in list_rejected(js)]:  # so that they come in one batch
        await resubmit(js, held)
    looking = most = 0
    look = JetStreamContext.get_msg

    async def counted(self: JetStreamContext, stream: str, *args: Any, **options: Any) -> Any:
        nonlocal looking, most
        looking += stream == names.REJECTED and "subject" not in options
        most = max(most, looking)
        try:
            return await look(self, stream, *args, **options)
        finally:
            looking -= stream == names.REJECTED and "subject" not in options

    monkeypatch.setattr(JetStreamContext, "get_msg", counted)
    async with chain.running():
        await shop.heard(f"early{many - 1}", "rejected")

        async def all_are_kept_once() -> bool:
            return await count_apart(js) == {"held": 0, "rejected": many}

        await eventually(all_are_kept_once)
    told = [each for receipts in shop.receipts.values() for each in receipts if each["outcome"] == "rejected"]
    assert sorted(each["id"] for each in told) == sorted(f"early{number}" for number in range(many))
    assert 8 < most <= taking._LOOKED_UP  # eight are removed at a time
