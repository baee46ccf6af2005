"""A real log of handoffs, read straight into facts: the tests' own reading, apart from the import command's."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from events.envelope import Event, make_event

#: Where shared inputs are, if not beside the checkout.
FOLDER_VARIABLE = "REPAIRCHAIN_SHARED_DATA"


def incidents_file() -> Path:
    """Where the log should be; it may not exist."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get(FOLDER_VARIABLE, beside)) / "bpi2013_incidents.csv.gz"


def read_incidents(file: Path) -> Iterator[Event]:
    """Facts in the order of the file. A team is a party; a row of another team than before is a handoff."""
    cases: dict[str, _Case] = {}
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            case = cases.setdefault(row["case_id"], _Case(row["case_id"]))
            yield from case.facts_of(row)


class _Case:
    def __init__(self, order: str) -> None:
        self.order = order
        self.team = ""
        self.waiting = False
        self.completed = False
        self.said = 0

    def facts_of(self, row: dict[str, str]) -> Iterator[Event]:
        moment = datetime.fromisoformat(row["timestamp"])
        team = f"repairer:{row['org_group']}"
        completed = row["activity"] == "Completed"
        if not self.team:
            yield self._fact("order.opened", team, moment, {"product": {}})
        if self.completed and not completed:
            yield self._fact("order.reopened", team, moment, {})
        if self.team and team != self.team:
            yield self._fact("item.handed_over", self.team, moment, {"to": team})
            self.waiting = True
        if self.waiting and row["activity"] != "Queued":
            yield self._fact("item.received", team, moment, {})
            self.waiting = False
        if completed and not self.completed:
            yield self._fact("order.closed", team, moment, {"outcome": "repaired"})
        self.team, self.completed = team, completed

    def _fact(self, name: str, source: str, moment: datetime, data: dict[str, Any]) -> Event:
        self.said += 1
        return make_event(
            name,
            source=source,
            id=f"{self.order}-{self.said}",
            subject=self.order,
            time=moment,
            recordedtime=moment,
            data=data,
        )
