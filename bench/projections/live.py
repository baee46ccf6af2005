"""What a live batch costs with a long history in the file: 500 recent orders touched, under 50 ms in all.

``python -m bench.projections.live [--orders N] [--batches N] [--folder F]``. Times everything that ``Database.apply``
does: mirroring, all read models, the commit. The same with a twenty-fifth of the history shows whether the cost grows
with it; a still shorter log ends before its batches speak of every step of a repair.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from bench.projections.filling import arguments, as_the_projector, checkpoint, fill, scratch_file
from projections.database import open_database

WANTED = 50.0
ORDERS = 500


def batches(messages: list[tuple[int, bytes]]) -> list[list[tuple[int, bytes]]]:
    """The messages in batches that speak of 500 different orders each."""
    found: list[list[tuple[int, bytes]]] = [[]]
    orders: set[bytes] = set()
    for position, payload in messages:
        subject = payload.partition(b'"subject":"')[2].partition(b'"')[0]
        if len(orders) == ORDERS and subject not in orders:
            found.append([])
            orders = set()
        orders.add(subject)
        found[-1].append((position, payload))
    return found[:-1]


def measure(file: Path, orders: int, count: int) -> float:
    """The median of ``count`` batches, in milliseconds."""
    leave = count * ORDERS * 3
    stream = fill(file, orders, leave=leave)
    waiting = [message for chunk in stream.read(stream.length - leave, stream.length) for message in chunk]
    stream.close()
    took, busy = [], []
    with open_database(file) as database:
        database.rebuild()
        checkpoint(database)
        for batch in batches(waiting)[: count + 3]:
            began, processors = time.perf_counter(), time.process_time()
            database.apply(batch)
            took.append((time.perf_counter() - began) * 1000)
            busy.append((time.process_time() - processors) * 1000)
    took, busy = sorted(took[3:]), sorted(busy[3:])  # the first ones warm up
    print(
        f"{orders:,} orders, {len(took)} batches of {ORDERS} orders: median {statistics.median(took):.1f} ms, "
        f"p90 {took[int(len(took) * 0.9)]:.1f} ms, longest {took[-1]:.1f} ms; "
        f"processors {statistics.median(busy):.1f} ms, least {busy[0]:.1f} ms",
        flush=True,
    )
    return statistics.median(took)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--batches", type=int, default=40)
    given = parser.parse_args()
    as_the_projector("bench.projections.live")
    with scratch_file(given.folder) as small:
        short = measure(small, max(given.orders // 25, 40_000), given.batches)
    with scratch_file(given.folder) as large:
        median = measure(large, given.orders, given.batches)
    verdict = "ok" if median < WANTED else "ABOVE"
    print(f"median {median:.1f} ms, wanted under {WANTED:g}: {verdict}; a twenty-fifth of the history: {short:.1f} ms")
    sys.exit(median >= WANTED)


if __name__ == "__main__":
    main()
