"""The benchmarks run, though on so little that what they come to says nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SMALL = {
    "catch_up": ("--facts", "2000", "--rounds", "1"),
    "due_times": ("--rows", "3000", "--rounds", "1"),
    "hostile": ("--orders", "20", "--operations", "200"),
    "intake": ("--facts", "1000", "--rounds", "1"),
    "payloads": ("--count", "1000"),
    "poison": ("--facts", "1000", "--rounds", "1"),
    "projections.live": ("--orders", "2000", "--batches", "2"),
    "projections.rebuild": ("--orders", "2000"),
    "projections.sweep": ("--orders", "2000", "--rounds", "1"),
    "queries": ("--orders", "2000", "--questions", "20"),
    "telling": ("--messages", "20"),
}


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs_to_its_end(name: str) -> None:
    command = [sys.executable, "-m", f"bench.{name}", *SMALL[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in (0, 1), done.stderr  # 1: so little is slower than what is wanted
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout, done.stderr
