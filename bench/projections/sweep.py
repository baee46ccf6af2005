"""The watchdog's question, ``sweep``, with a million orders and 200,000 open commitments in the file: under 250 ms.

``python -m bench.projections.sweep [--orders N] [--rounds N] [--folder F]``. Asks what is to be said at a moment when a
few hundred commitments are due, which lie anywhere in the table; beside it a plain scan of the same table for the same
moment. The two take turns. The watchdog asks every minute or so, on the machine that everything else runs on.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from bench.projections.filling import arguments, checkpoint, fill, scratch_file
from projections import queries
from projections.database import Database, open_database

#: The median of a question (milliseconds).
WANTED = 250.0
#: Of a hundred orders; each of these has two open commitments.
WAITING = 10
DUE = 300

_OPEN = "SELECT count_if(state IN ('open', 'paused')), count(*) FROM commitments"
_WHEN_DUE = f"SELECT next_at FROM commitments WHERE next_at IS NOT NULL ORDER BY next_at OFFSET {DUE} LIMIT 1"
_SCAN = "SELECT count(*) FROM commitments WHERE next_at < ?"


def milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def ask(database: Database, now: datetime) -> tuple[int, float]:
    """How many rows the question returns, and how long it takes."""
    began = time.perf_counter()
    rows = queries.run(database, "sweep", {}, now=now)["sweep"]
    return len(rows), milliseconds_since(began)


def scan(cursor: DuckDBPyConnection, now: datetime) -> tuple[int, float]:
    """How many commitments a plain scan finds, and how long it takes."""
    began = time.perf_counter()
    rows = cursor.execute(_SCAN, [now.replace(tzinfo=None)]).fetchall()
    return int(rows[0][0]), milliseconds_since(began)


def summary(what: str, took: list[float]) -> str:
    return f"{what}: median {statistics.median(took):.1f} ms, shortest {min(took):.1f} ms, longest {max(took):.1f} ms"


def measure(file: Path, orders: int, rounds: int) -> bool:
    fill(file, orders, waiting=WAITING).close()
    with open_database(file) as database:
        database.rebuild()
        checkpoint(database)
        cursor = database.cursor()
        is_open, commitments = cursor.execute(_OPEN).fetchall()[0]
        (when,) = cursor.execute(_WHEN_DUE).fetchall()[0]
        now = when.replace(tzinfo=UTC)
        asked, scanned = [], []
        for _ in range(rounds + 1):
            returned, took = ask(database, now)
            asked.append(took)
            found, took = scan(cursor, now)
            scanned.append(took)
        cursor.close()
    print(f"{commitments:,} commitments of {orders:,} orders, {is_open:,} of them open; at {now:%Y-%m-%d %H:%M} UTC")
    print(
        f"the sweep returns {returned:,} rows, the plain scan counts {found:,}; the first sweep took {asked[0]:.1f} ms"
    )
    asked, scanned = asked[1:], scanned[1:]
    print(summary("sweep", asked))
    print(summary("plain scan", scanned))
    ratio = statistics.median(asked) / statistics.median(scanned)
    reached = returned == found and statistics.median(asked) < WANTED
    print(f"{ratio:.1f} times the plain scan; wanted under {WANTED:g} ms: {'ok' if reached else 'ABOVE'}")
    return reached


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    with scratch_file(given.folder) as file:
        sys.exit(not measure(file, given.orders, given.rounds))


if __name__ == "__main__":
    main()
