"""Whatever is killed while events flow: nothing is lost, nothing doubled. bench/reliability.py goes on for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.names import SERVICES
from tests.reliability.campaign import Campaign
from tests.reliability.judging import judge
from tests.reliability.plan import CARDS
from tests.reliability.processes import SERVER, ProcessChain


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("rounds", "orders", "least_kills", "least_messages"),
    [(20, 1, 2, 20), pytest.param(60, 2, 8, 100, marks=[pytest.mark.heavy, pytest.mark.timeout(600)])],
    ids=["twenty-rounds", "sixty-rounds"],
)
async def test_services_and_server_are_killed_while_events_flow(
    free_home: Path, rounds: int, orders: int, least_kills: int, least_messages: int
) -> None:
    async with ProcessChain(free_home, CARDS) as chain:
        await chain.all_ready()
        outcome = await Campaign(chain, seed=1, orders_per_round=orders, say=print).run(rounds)
        assert {name: outcome.kills[name] >= least_kills for name in outcome.kills} == dict.fromkeys(
            (*SERVICES, SERVER), True
        )
        evidence = await judge(outcome)
        assert len(evidence.named("message.sent")) > least_messages
        assert "Traceback" not in chain.words()

        # Without a server there is nobody left to say goodbye to, and all end cleanly nevertheless.
        await chain.lose_server()
        assert await chain.stop() == dict.fromkeys(SERVICES, 0), chain.words()
