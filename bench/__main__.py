"""``python -m bench``: every benchmark at a size that a small machine does in some minutes, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: The public log that the import is measured with, if it is there (see the README).
LOG = "REPAIRCHAIN_BENCH_LOG"

RUNS = [
    ["bench.catch_up"],
    ["bench.intake"],
    ["bench.projections.rebuild", "--orders", "1000000"],
    ["bench.projections.live", "--orders", "1000000"],
    ["bench.projections.sweep", "--orders", "1000000"],
    ["bench.queries", "--orders", "1000000"],
    ["bench.due_times"],
]


def main() -> int:
    runs = list(RUNS)
    log = os.environ.get(LOG)
    if log and Path(log).exists():
        runs.insert(0, ["bench.importing", "examples/bpi2013.toml", log])
    else:
        print(f"bench.importing is left out: name the log of the BPI Challenge 2013 with {LOG}")
    failed = 0
    for run in runs:
        print(f"\n== {' '.join(run)}", flush=True)
        failed += subprocess.run([sys.executable, "-m", *run], check=False).returncode != 0
    print(f"\n{len(runs) - failed} of {len(runs)} benchmarks reached what is wanted")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
