"""Small exports to test with: a CSV and its mapping, written where a test wants them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

MAPPING = """
[log]
name = "desk"
time_zone = "UTC"

[columns]
case = "job"
time = "when"
activity = "step"
party = "where"

[party]
role = { column = "party", table = { "Shop*" = "retailer" }, otherwise = "repairer" }

[custody]
queued = ["sent"]

[status]
closed = ["done"]

[[facts]]
when = ["asked"]
type = "work.paused"
data = { waiting_for = "customer" }
leaving = "work.resumed"

[[facts]]
when = ["called"]
type = "customer.contacted"
data = { channel = "phone", direction = "outbound" }

[[facts]]
when = ["diagnosed"]
type = "diagnosis.made"
data = { summary = "worn" }

[[facts]]
when = ["repaired"]
type = "repair.completed"
"""

KINDS = ("receive", "forward", "diagnose", "repair", "return", "answer")


def clock_policy(allowed: str = "24 hours", update: str = "3 days", kinds: Iterable[str] = KINDS) -> str:
    """A policy that counts around the clock, with one level: hours can be counted on one's fingers."""
    levels = 'nudge = "never"\ndue = ["owner", "accountable", "customer"]\nlater = []\n'
    allow = "".join(f'{kind} = "{allowed}"\n' for kind in kinds)
    return f'[allow]\n{allow}update = "{update}"\n[levels]\n{levels}' + "".join(
        f"[levels.{kind}]\n{levels}" for kind in kinds
    )


CLOCK = clock_policy()


def write_export(folder: Path, rows: Iterable[tuple[str, str, str, str]], mapping: str = MAPPING) -> tuple[Path, Path]:
    """The mapping and the CSV with those rows (job, when, step, where)."""
    rules, log = folder / "desk.toml", folder / "desk.csv"
    rules.write_text(mapping, encoding="utf-8")
    lines = ["job,when,step,where", *(",".join(row) for row in rows)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rules, log
