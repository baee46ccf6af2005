"""A database with a long history in it, for the benchmarks of this folder and of the query service."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.projections.stream import Stream
from projections.database import Database, open_database
from services.supervisor import ALLOCATOR


def fill(file: Path, orders: int, *, leave: int = 0, waiting: int = 0) -> Stream:
    """Mirror the facts of that many orders, but for the last ``leave``; returns their stream, which is to be closed.

    ``waiting``: how many orders in a hundred wait and are open in the end (see Stream).
    """
    scratch = Path(tempfile.mkdtemp(prefix="stream-", dir=file.parent))
    stream = Stream(scratch, orders, waiting=waiting)
    with open_database(file) as database:
        for chunk in stream.read(0, stream.length - leave):
            database.mirror_only(chunk)
    print(f"mirrored {stream.length - leave:,} facts of {orders:,} orders", flush=True)
    return stream


def checkpoint(database: Database) -> None:
    """Fold what was written into the file, so that no measured batch meets it."""
    with closing(database.cursor()) as cursor:
        cursor.execute("CHECKPOINT")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What these benchmarks have in common on the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where the file is made, and removed again; default: a temporary one"
    )
    return parser


def as_the_projector(module: str) -> None:
    """Start ``module`` again with the allocator of the projector of `up`, which a process takes up as it starts."""
    if not ALLOCATOR.keys() <= os.environ.keys():
        again = [sys.executable, "-m", module, *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | ALLOCATOR)  # noqa: S606 - ourselves, with our own arguments


@contextmanager
def scratch_file(folder: Path | None) -> Iterator[Path]:
    """A file that is removed in the end, with all that stands beside it."""
    with tempfile.TemporaryDirectory(prefix="repairchain-bench-", dir=folder) as scratch:
        yield Path(scratch) / "models.duckdb"
