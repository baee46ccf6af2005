"""The partner's own program that the README begins with: when it cannot do its work, it says why and ends with 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.userkeys import new_seed

PROGRAM = Path(__file__).parents[1] / "examples" / "partner.py"
#: Nothing listens there: it is the port of a service that no machine of ours has.
NOWHERE = "nats://127.0.0.1:1"


def complaint(*args: str | Path) -> str:
    """What it says to stderr; that is one line, and no traceback."""
    done = subprocess.run([sys.executable, PROGRAM, *args], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line.removeprefix("partner.py: ")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "retailer.acme.nk"
    file.write_text(new_seed())
    return file


def test_a_server_that_is_not_there(secret: Path) -> None:
    assert complaint(NOWHERE, secret, "W-1").startswith(f"{NOWHERE} cannot be reached")


def test_a_secret_that_is_not_there_or_is_none(tmp_path: Path, secret: Path) -> None:
    missing = tmp_path / "retailer.juno.nk"
    assert complaint(NOWHERE, missing, "W-1").startswith(f"{missing} cannot be read (No such file")
    secret.write_text("not a seed")
    assert complaint(NOWHERE, secret, "W-1").startswith(f"{secret} holds no secret")
