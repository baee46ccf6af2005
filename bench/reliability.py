"""Kills every service and the server again and again while partners hand in: nothing may be lost, nothing doubled.

``python -m bench.reliability [--rounds N] [--orders N] [--seed N] [--campaigns N]``. The test suite runs twenty
rounds of the same, and ``make heavy`` sixty; what must hold at the end stands in tests/reliability/judging.py. A
campaign that fails leaves its home.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from bench.campaigns import home_of, say
from services.logs import configure_logs
from tests.reliability.campaign import Campaign
from tests.reliability.judging import judge
from tests.reliability.plan import CARDS
from tests.reliability.processes import ProcessChain

#: What was tried in vain many times is tried again every five minutes only (seconds).
_PATIENCE = 330.0


async def campaign(home: Path, rounds: int, orders: int, seed: int) -> None:
    """One campaign on ``home``. Raises AssertionError for whatever was lost or doubled."""
    began = time.monotonic()
    async with ProcessChain(home, CARDS) as chain:
        await chain.all_ready()
        outcome = await Campaign(chain, seed=seed, orders_per_round=orders, say=say, patience=_PATIENCE).run(rounds)
        evidence = await judge(outcome)
        codes = await chain.stop()
    assert set(codes.values()) == {0}, codes
    repeated = sum(partner.repeated for partner in outcome.partners.values())
    kills = ", ".join(f"{name} {times}" for name, times in outcome.kills.items())
    print(
        f"seed {seed}: {sum(outcome.kills.values())} kills ({kills}) in {time.monotonic() - began:.0f} s; "
        f"{len(outcome.handed_in)} submissions, handed in again {repeated} times; {len(evidence.facts)} facts, "
        f"{len(evidence.named('message.sent'))} messages, {len(evidence.rejections)} rejections: "
        "nothing lost, nothing doubled, read models verified",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="kills of services per campaign")
    parser.add_argument("--orders", type=int, default=3, help="new orders per round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--campaigns", type=int, default=1, help="one after the other, each with a seed of its own")
    given = parser.parse_args()
    configure_logs("campaign", level="warning")
    for seed in range(given.seed, given.seed + given.campaigns):
        with home_of("reliability", seed) as home:
            asyncio.run(campaign(home, given.rounds, given.orders, seed))


if __name__ == "__main__":
    main()
