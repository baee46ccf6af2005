"""Short ways to write a log and a mapping in a test, and to see what the log says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from services.importing import ImportReport, Mapping, facts_from, read_mapping
from services.submission import Submission

#: Three columns and nothing else: the least that a mapping needs.
LEAST = """
[log]
name = "test"
[columns]
case = "case"
time = "time"
party = "team"
activity = "what"
[party]
role = "repairer"
"""

HEADER = "case,time,team,what\n"


def mapping(more: str = "", *, least: str = LEAST) -> Mapping:
    """The least mapping with ``more`` TOML after it. A section of ``more`` that is in it already replaces it."""
    base, extra = tomllib.loads(least), tomllib.loads(more)
    return read_mapping({**base, **{key: _merged(base.get(key), value) for key, value in extra.items()}}, "m.toml")


def _merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def facts_of(
    folder: Path, log: str | bytes, use: Mapping | None = None, report: ImportReport | None = None
) -> list[Submission]:
    """What a log, given as the text of its file, says."""
    path = folder / "log.csv"
    path.write_bytes(log if isinstance(log, bytes) else log.encode())
    return list(facts_from(use or mapping(), [path], report))


def everything_was_used(report: ImportReport) -> bool:
    """Whether no row, no fact and no rest of a file was left out."""
    return not (report.rows_skipped or report.facts_left_out or report.damaged)


def told(submissions: list[Submission]) -> list[str]:
    """``"B item.received"`` for each: who said what."""
    return [
        f"{each.name} {each.event['type'].removeprefix('repairchain.').removesuffix('.v1')}" for each in submissions
    ]


def rows(*lines: str, case: str = "W-1") -> str:
    """A log of one case: ``"North Accepted"`` a line, a minute apart."""
    body = (f"{case},2026-11-02T09:{minute:02}:00Z,{line.replace(' ', ',', 1)}\n" for minute, line in enumerate(lines))
    return HEADER + "".join(body)


XES_COLUMNS = """
[columns]
case = "case:concept:name"
time = "time:timestamp"
party = "org:group"
activity = "concept:name"
"""


XES = """<?xml version="1.0" encoding="UTF-8" ?>
<log xes.version="1.0"{namespace}>
  <global scope="event"><string key="org:group" value="UNKNOWN"/></global>
  <string key="concept:name" value="the log"><string key="concept:name" value="nested in the log"/></string>
  <trace>
    <string key="concept:name" value="W-1"><string key="concept:name" value="nested in the case"/></string>
    <list key="notes"><values><string key="concept:name" value="listed"/></values></list>
    <event>
      <date key="time:timestamp" value="2026-11-02T10:00:00.000+01:00"/>
      <string key="concept:name" value="Go"><string key="org:group" value="nested"/></string>
      <string key="org:group" value="North"/>
      <boolean key="fixed" value="true"/>
    </event>
    <event><string key="org:group" value="South"/></event>
  </trace>
  <trace/>
</log>
"""
