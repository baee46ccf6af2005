"""Kills the notifier at each step of telling, again and again, while a third of the answers of its providers are lost.

``python -m bench.telling_kills [--rounds N] [--seed N]``. A round is a kill before the intent, after it, during the
call of the channel, after it, and before the outcome; at the end one of two notifiers is frozen past its lease. What
must hold stands in tests/reliability/telling.py; the test suite runs one round of the same.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from bench.campaigns import home_of, say
from services.logs import configure_logs
from tests.reliability.telling import campaign, telling


async def _run(home: Path, rounds: int, seed: int) -> None:
    began = time.monotonic()
    async with telling(home, seed, say=say) as scene:
        outcomes = await campaign(scene, rounds)
        lost = sum(scene.mails.unanswered.values()) + sum(scene.hooks.unanswered.values())
        calls = sum(scene.mails.times.values()) + sum(scene.hooks.times.values())
        deaths = ", ".join(f"{step} {times}" for step, times in scene.deaths.items())
        ends = ", ".join(f"{name.partition('.')[2]} {count}" for name, count in sorted(outcomes.items()))
        print(
            f"\nseed {seed}: {sum(scene.deaths.values())} kills ({deaths}) and one freeze in "
            f"{time.monotonic() - began:.0f} s; {len(scene.orders)} causes: {ends}; {calls} letters were taken by "
            f"providers, which lost {lost} answers: none forgotten, none told twice, each that nobody can know parked"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure_logs("campaign", level="error")
    with home_of("telling", given.seed) as home:
        asyncio.run(_run(home, given.rounds, given.seed))


if __name__ == "__main__":
    main()
