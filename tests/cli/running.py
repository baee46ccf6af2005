"""Runs commands: in this process as typer's runner does, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from cli import reading
from cli.commands import app
from projections.models import CATALOG


class _Shared:
    """A connection to a DuckDB that all commands of this process share: to make one takes longer than most commands.

    Closed, it has nothing attached any more.
    """

    def __init__(self) -> None:
        self._connection = _duckdb().cursor()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        self._connection.execute("USE memory")
        self._connection.execute(f"DETACH DATABASE IF EXISTS {CATALOG}")
        self._connection.close()


_duckdb = cache(reading.in_memory)
setattr(reading, "in_memory", _Shared)  # noqa: B010 - in the place of a function

# The runner would put the command together anew at each call, which takes longer than most commands.
setattr(testing, "_get_command", cache(get_command))  # noqa: B010 - it has no public name


def call(*args: str | Path, home: Path | None = None, stdin: str | bytes | None = None, columns: int = 100) -> Result:
    """Run ``repairchain`` with ``args`` in this process."""
    given = [*(["--home", str(home)] if home else []), *map(str, args)]
    return CliRunner().invoke(app, given, input=stdin, env={"COLUMNS": str(columns)}, prog_name="repairchain")


def answer(*args: str | Path, home: Path, stdin: str | bytes | None = None) -> Any:
    """The JSON document that a command prints; nothing else may be on its stdout."""
    result = call(*args, "--json", home=home, stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sentence(result: Result, code: int = 2) -> str:
    """The one sentence that a failed command leaves on stderr."""
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("repairchain: ")
    assert "Traceback" not in result.output
    return lines[0].removeprefix("repairchain: ")


def process(*args: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Run ``repairchain`` with ``args`` as a process, with pipes for its output."""
    command = [sys.executable, "-m", "cli.main", *map(str, args)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **(pipes | options))
