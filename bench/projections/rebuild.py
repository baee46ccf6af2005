"""Full rebuild of every read model from the mirror: events per second, at least 500,000 on two cores.

``python -m bench.projections.rebuild [--orders N] [--folder F]``; a million orders are some twelve million events.
Beside the clock it tells the time of processors: on a machine that others work on, that is what says anything.
"""

from __future__ import annotations

import sys
import time

from bench.projections.filling import arguments, as_the_projector, fill, scratch_file
from projections.database import Database, open_database

WANTED = 500_000


def measure(database: Database) -> tuple[float, float]:
    """Seconds by the clock, and of all processors."""
    clock, processors = time.perf_counter(), time.process_time()
    database.rebuild()
    return time.perf_counter() - clock, time.process_time() - processors


def main() -> None:
    given = arguments(__doc__).parse_args()
    as_the_projector("bench.projections.rebuild")
    with scratch_file(given.folder) as file:
        fill(file, given.orders).close()
        with open_database(file) as database:
            events = database.mirrored
            (first, busy_first), (second, busy_second) = measure(database), measure(database)
    rate = events / min(first, second)
    busy = min(busy_first, busy_second)
    print(f"rebuild of {events:,} events: {first:.1f} s, then {second:.1f} s")
    print(f"processors: {busy:.1f} s, {busy / events * 1e6:.2f} µs an event")
    verdict = "ok" if rate >= WANTED else "BELOW"
    print(f"{rate:,.0f} events/s, wanted {WANTED:,}: ratio {rate / WANTED:.2f}: {verdict}")
    sys.exit(rate < WANTED)


if __name__ == "__main__":
    main()
