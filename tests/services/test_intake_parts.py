"""A large batch is taken in parts: the next is decided on while the log takes one in."""

from __future__ import annotations

import asyncio
from typing import Any

import nats.errors
import pytest

from events import log
from events.envelope import Event
from events.log import last_position
from events.streams import declare_streams
from services import rejected
from services.intake import batches, deciding, following, judging, taking
from tests.chainserver import ChainServer
from tests.services.intakes import Chain, Partner, event
from tests.services.submissions import SHOP

_PART = 10


@pytest.fixture
async def chain(chain_server: ChainServer, monkeypatch: pytest.MonkeyPatch) -> Chain:
    monkeypatch.setattr(taking, "_MANY", _PART)
    for module in (batches, following):
        monkeypatch.setattr(module, "_RETRY_DELAY", 0.05)
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    return Chain(chain_server)


async def outcomes_of(shop: Partner, sequences: list[int]) -> list[str]:
    return [(await shop.receipt(sequence))["outcome"] for sequence in sequences]


async def hand_in_three_parts(shop: Partner) -> list[int]:
    return [await shop.hand_in(event(f"e{n}", subject=f"W-{n}")) for n in range(3 * _PART)]


def each_once(shop: Partner) -> bool:
    return all(len(receipts) == 1 for receipts in shop.receipts.values())


async def all_are_accepted_once(chain: Chain, shop: Partner) -> None:
    sequences = await hand_in_three_parts(shop)
    async with chain.running():
        assert await outcomes_of(shop, sequences) == ["accepted"] * 3 * _PART
    assert each_once(shop)


async def test_a_part_knows_what_the_parts_before_it_say(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    bodies = [event(f"open{n}", subject=f"W-{n}") for n in range(_PART)]
    bodies += [event(f"again{n}", "order.reopened", subject=f"W-{n}") for n in range(_PART)]
    bodies += [event(f"open{n}", subject=f"W-{n}") for n in range(_PART)]  # said twice
    sequences = [await shop.hand_in(body) for body in bodies]
    async with chain.running():
        outcomes = await outcomes_of(shop, sequences)
    assert outcomes == ["accepted"] * 2 * _PART + ["duplicate"] * _PART
    positions = [shop.receipts[sequence][0]["position"] for sequence in sequences]
    assert positions == [*range(1, 2 * _PART + 1), *range(1, _PART + 1)]
    assert each_once(shop)


async def test_one_is_decided_on_while_another_is_on_its_way(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    decided: set[str] = set()
    next_decided = asyncio.Condition()
    decide = deciding.decide

    async def append_batch(js: Any, events: list[Event], **options: Any) -> list[log.Appended]:
        places = await log.append_batch(js, events, **options)
        assert len(events) == _PART
        following = int(events[-1].id) + 1
        async with asyncio.timeout(5), next_decided:
            await next_decided.wait_for(lambda: following == 3 * _PART or f"{following}" in decided)
        return places

    def deciding_beside(fact: Event, *args: Any) -> Any:
        decided.add(fact.id)
        told.append(asyncio.ensure_future(tell()))
        return decide(fact, *args)

    async def tell() -> None:
        async with next_decided:
            next_decided.notify_all()

    told: list[asyncio.Future[None]] = []
    monkeypatch.setattr(taking, "append_batch", append_batch)
    monkeypatch.setattr(judging, "decide", deciding_beside)
    shop = await chain.partner(SHOP)
    sequences = [await shop.hand_in(event(f"{n}", subject=f"W-{n}")) for n in range(3 * _PART)]
    async with chain.running():
        assert await outcomes_of(shop, sequences) == ["accepted"] * 3 * _PART
    assert each_once(shop)


async def test_what_was_taken_before_trouble_is_not_taken_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, nats.errors.TimeoutError(), None])

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        if (trouble := next(answers, None)) is not None:
            raise trouble
        return await log.append_batch(*args, **options)

    monkeypatch.setattr(taking, "append_batch", append_batch)
    shop = await chain.partner(SHOP)
    await all_are_accepted_once(chain, shop)
    js = (await chain.server.connect("keeper")).jetstream()
    assert (await last_position(js), await rejected.count_rejected(js)) == (3 * _PART, 0)


async def test_a_fault_in_deciding_on_a_part_costs_none_of_those_on_their_way(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = deciding.decide

    def stumble(fact: Any, *args: Any) -> Any:
        if fact.id == "e25":
            raise ZeroDivisionError("made up")
        return decide(fact, *args)

    monkeypatch.setattr(judging, "decide", stumble)
    shop = await chain.partner(SHOP)
    sequences = await hand_in_three_parts(shop)
    async with chain.running():
        outcomes = await outcomes_of(shop, sequences)
    # The second part was on its way: it may have come to the log before it was handed in again.
    assert outcomes.pop(25) == "rejected"
    assert outcomes[:_PART] == ["accepted"] * _PART
    assert set(outcomes) <= {"accepted", "duplicate"}
    assert each_once(shop)
    js = (await chain.server.connect("keeper")).jetstream()
    assert (await last_position(js), await rejected.count_rejected(js)) == (3 * _PART - 1, 1)


async def test_a_part_that_another_role_has_overtaken_is_decided_anew(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise log.NotFirstError("made up")
        return await log.append_batch(*args, **options)

    monkeypatch.setattr(taking, "append_batch", append_batch)
    shop = await chain.partner(SHOP)
    await all_are_accepted_once(chain, shop)
    assert await last_position((await chain.server.connect("keeper")).jetstream()) == 3 * _PART


async def test_what_waits_for_an_order_of_the_part_before_is_taken_in(chain: Chain) -> None:
    """The order is known by the time at which the one about it is decided on, also where the log has to be read."""
    shop = await chain.partner(SHOP)
    bodies = [event(f"open{n}", subject=f"W-{n}") for n in range(_PART)]
    bodies += [event("early", "order.reopened", subject="W-later")]
    bodies += [event(f"again{n}", "order.reopened", subject=f"W-{n}") for n in range(_PART - 1)]
    bodies += [event("late", subject="W-later"), *(event(f"x{n}", subject=f"X-{n}") for n in range(_PART - 1))]
    sequences = [await shop.hand_in(body) for body in bodies]
    async with chain.running():
        outcomes = await outcomes_of(shop, sequences)
        await shop.heard("early", "accepted")
    assert outcomes.pop(_PART) in ("held", "accepted")  # accepted, if the order is in the log before it is held
    assert outcomes == ["accepted"] * (3 * _PART - 1)
