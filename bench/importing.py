"""Import of an exported log, end to end: `repairchain up` as an operator runs it, `repairchain import`, until every
read model reflects the last fact.

``python -m bench.importing MAPPING FILE``, for instance with examples/bpi2013.toml and the log of the BPI Challenge
2013. There is no yardstick for this one: it prints facts per second of the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.coming_up import all_ready


def repairchain(home: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", "--home", str(home), *args]


def ask(home: Path, *args: str) -> Any:
    done = subprocess.run(repairchain(home, *args, "--json"), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def start(home: Path) -> subprocess.Popen[str]:
    """The chain, once every service says that it is ready."""
    environment = {**os.environ, "REPAIRCHAIN_HEALTH_PORT": "0", "REPAIRCHAIN_LOG_LEVEL": "warning"}
    chain = subprocess.Popen(
        repairchain(home, "up", "--port", "0"), stdout=subprocess.PIPE, text=True, env=environment, bufsize=1
    )
    assert all_ready(chain)
    return chain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mapping", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repairchain-bench-") as folder:
        home = Path(folder) / "home"
        chain = start(home)
        try:
            began = time.perf_counter()
            subprocess.run(
                repairchain(home, "import", str(given.mapping), *map(str, given.files), "--json"),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            imported = time.perf_counter() - began
            stats = ask(home, "stats")
            while stats["position"] < stats["facts"]:  # the last batch may still be on its way into the read models
                stats = ask(home, "stats")
            took = time.perf_counter() - began
        finally:
            chain.send_signal(signal.SIGTERM)
            chain.wait(timeout=30)
    print(f"import took {imported:.1f} s; every read model reflected it after {took:.1f} s")
    print(f"{stats['facts']:,} facts of {stats['orders']:,} orders: {stats['facts'] / took:,.0f} facts/s end to end")


if __name__ == "__main__":
    main()
