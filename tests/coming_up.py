"""A chain that comes up in a process of its own."""

from __future__ import annotations

import subprocess

from events.names import SERVICES


def all_ready(chain: subprocess.Popen[str]) -> bool:
    """Whether every service of ``repairchain up`` has said that it is ready; False where the chain ends before that."""
    assert chain.stdout is not None
    waiting = set(SERVICES)
    for line in chain.stdout:
        waiting -= {name for name in waiting if line.startswith(name) and "ready" in line}
        if not waiting:
            break
    return not waiting
