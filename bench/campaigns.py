"""What campaigns of kills have in common: a folder of their own, kept where one fails, and a line that is renewed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def home_of(name: str, seed: int) -> Iterator[Path]:
    """A home for one campaign; what failed can be looked at there afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"repairchain-{name}-"))
    try:
        yield folder / "home"
    except BaseException:
        print(f"seed {seed} failed; what is left lies in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


def say(line: str) -> None:
    """In the place of what was said before."""
    print(f"\r{line:<60}", end="", file=sys.stderr, flush=True)
