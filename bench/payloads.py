"""A million submissions that nobody should hand in, of four parties at once, to the three intake services.

``python -m bench.payloads [--count N] [--seed N]``. They are made by hypothesis, or torn and bent from good ones; see
tests/reliability/payloads.py. What was received equals what was accepted, a duplicate, rejected, or held: always.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from services.logs import configure_logs
from tests.reliability.counting import counting
from tests.reliability.payloads import payloads
from tests.waiting import eventually

#: Handed in between two looks at whether the sums are right.
_PART = 50_000

#: What has no receipt after so long (seconds) has none.
_PATIENCE = 300.0


async def run(count: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="repairchain-payloads-") as folder:
        async with counting(Path(folder) / "home") as found:
            began = time.monotonic()
            for part in range(0, count, _PART):
                # Another seed makes another corpus.
                await found.hand_in(payloads(min(_PART, count - part), seed + part // _PART))

                async def balances() -> bool:
                    return await found.balances(all_kept=False)

                try:
                    await eventually(balances, "everything is accounted for", patience=_PATIENCE)
                except AssertionError:
                    print(f"\n{await found.amiss()}", file=sys.stderr)
                    raise
                print(f"\r{found.told()}", end="", file=sys.stderr, flush=True)
            took = time.monotonic() - began
    print(f"\nseed {seed}: {found.told()}; all accounted for, in {took:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    configure_logs("payloads", level="warning")
    uvloop.run(run(given.count, given.seed))


if __name__ == "__main__":
    main()
