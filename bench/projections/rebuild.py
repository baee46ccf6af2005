"""Full rebuild of every read model from the mirror: events per second, at least 500,000 on two cores.

``python -m bench.projections.rebuild [--orders N] [--folder F]``; a million orders are some twelve million events.
"""

from __future__ import annotations

import sys
import time

from bench.projections.filling import arguments, fill, scratch_file
from projections.database import open_database

WANTED = 500_000


def main() -> None:
    given = arguments(__doc__).parse_args()
    with scratch_file(given.folder) as file:
        fill(file, given.orders).close()
        with open_database(file) as database:
            events = database.mirrored
            began = time.perf_counter()
            database.rebuild()
            first = time.perf_counter() - began
            began = time.perf_counter()
            database.rebuild()
            second = time.perf_counter() - began
    rate = events / min(first, second)
    print(f"rebuild of {events:,} events: {first:.1f} s, then {second:.1f} s")
    verdict = "ok" if rate >= WANTED else "BELOW"
    print(f"{rate:,.0f} events/s, wanted {WANTED:,}: ratio {rate / WANTED:.2f}: {verdict}")
    sys.exit(rate < WANTED)


if __name__ == "__main__":
    main()
