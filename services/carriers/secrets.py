"""The secrets with which services that speak for carriers sign: one file each, ``keys/aftership.secret`` in the home.

One secret a line, each of which opens: so a new one can be put beside the old before it is in use. Without a file, or
with an empty one, nothing is taken from that service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.carriers import aftership, easypost
from services.home import HomeFolder, read_written

NAMES: Final = (aftership.NAME, easypost.NAME)


def secret_file(home: Path, name: str) -> Path:
    """Where the secrets of that service lie, or will lie."""
    return HomeFolder(home).keys / f"{name}.secret"


def read_secrets(home: Path, name: str) -> tuple[str, ...]:
    """Its secrets as they are at this moment. Raises OSError for a file that cannot be read, ValueError for no text."""
    try:
        text = read_written(secret_file(home, name))
    except FileNotFoundError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())
