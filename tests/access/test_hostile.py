"""A partner that means harm for thousands of operations changes nothing for another. bench/hostile.py measures it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.access.hostile import BAD, GOOD, all_settled, harm, said_by, shop_at_work
from tests.waiting import eventually

_ORDERS = 15


@pytest.mark.timeout(180)
async def test_a_partner_that_means_harm_changes_nothing_for_another(tmp_path: Path) -> None:
    async with shop_at_work(tmp_path / "alone", "alone") as (server, alone):
        await alone.hand_in(_ORDERS)
        undisturbed = await said_by(server, GOOD)

    async with shop_at_work(tmp_path / "beside", "beside") as (server, beside):
        rival = await server.connect(BAD)
        hostile = asyncio.create_task(harm(rival, 10_000))
        await beside.hand_in(_ORDERS)
        assert await hostile >= 10_000

        async def settled() -> bool:
            return await all_settled(server)

        await eventually(settled, "everything is dealt with", patience=90)
        disturbed = await said_by(server, GOOD)
        by_the_rival = await said_by(server, BAD)

    assert beside.heard == alone.heard
    assert disturbed == undisturbed
    assert beside.strangers == []
    # It may say of orders whose ids it knows what it likes, in its own name, and nothing else.
    assert {source for _, _, source, _ in by_the_rival} <= {
        "repairchain.order.closed.v1",
        "repairchain.order.opened.v1",
    }
