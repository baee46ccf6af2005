"""Capture jobs: what became of each event of one POST /capture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from events.envelope import iso
from services.epcis.mapping import Meaning
from services.epcis.reading import Read
from services.http.receipts import as_json
from services.submission import Receipt

#: So many jobs are remembered; the oldest go.
KEPT: Final = 2_000

Behaviour = Literal["rollback", "proceed"]

_PROBLEM: Final = "urn:repairchain:problem:invalid"
_TITLE: Final = "The event could not be captured"


@dataclass(slots=True)
class Entry:
    """One captured event: what it means, and the receipts of what was handed in for it (None: not yet)."""

    read: Read
    meaning: Meaning | None  # None: it could not be read
    ids: tuple[str, ...] = ()
    receipts: tuple[Receipt | None, ...] = ()

    def outcome(self) -> str:
        """``captured``, ``held``, ``kept``, ``refused`` or ``pending``."""
        if self.meaning is None:
            return "refused"
        if None in self.receipts:
            return "pending"
        if self.meaning.unmapped is not None:
            return "kept"
        outcomes = {receipt.outcome for receipt in self.receipts if receipt is not None}
        return "refused" if "rejected" in outcomes else "held" if "held" in outcomes else "captured"

    def as_json(self) -> dict[str, Any]:
        """One row of the answer."""
        row: dict[str, Any] = {"pointer": self.read.where, "outcome": self.outcome()}
        if self.read.event is not None:
            row["eventID"] = self.read.event.eventID or self.read.id
        if self.meaning is not None and self.meaning.unmapped is not None:
            row["why"] = self.meaning.unmapped
        elif self.meaning is not None:
            row["receipts"] = [
                as_json(receipt) if receipt is not None else {"id": id, "outcome": "pending"}
                for id, receipt in zip(self.ids, self.receipts, strict=True)
            ]
        return row

    def problems(self) -> list[dict[str, Any]]:
        """What is wrong with it, as problem details."""
        faults = [
            {"type": _PROBLEM, "title": _TITLE, "status": 400, "detail": fault.detail, "pointer": fault.pointer}
            for fault in self.read.faults
        ]
        refused = [
            {**(receipt.problem or {}), "status": 422, "event": self.read.where}
            for receipt in self.receipts
            if self.outcome() == "refused" and receipt is not None and receipt.outcome == "rejected"
        ]
        return faults + refused


@dataclass(slots=True)
class Job:
    """One POST /capture of ``party``."""

    id: str
    party: str
    behaviour: Behaviour
    created: datetime
    entries: list[Entry]
    finished: datetime | None = None

    def look(self, find: Callable[[str], list[Receipt]], now: datetime) -> None:
        """Take down what has come of it since; ``find`` has the receipts of an id, the latest first."""
        for entry in self.entries:
            entry.receipts = tuple(
                next(iter(find(id)), receipt) if receipt is None or receipt.outcome == "held" else receipt
                for id, receipt in zip(entry.ids, entry.receipts, strict=True)
            )
        if self.finished is None and all(entry.outcome() != "pending" for entry in self.entries):
            self.finished = now

    def as_json(self) -> dict[str, Any]:
        """An EPCISCaptureJob, with ``events`` of ours: what became of each."""
        outcomes = [entry.outcome() for entry in self.entries]
        return {
            "captureID": self.id,
            "createdAt": iso(self.created),
            "finishedAt": iso(self.finished) if self.finished is not None else None,
            "running": self.finished is None,
            "success": "refused" not in outcomes,
            "captureErrorBehaviour": self.behaviour,
            "errors": [problem for entry in self.entries for problem in entry.problems()],
            "events": [entry.as_json() for entry in self.entries],
        }


class Jobs:
    """The jobs since the service began."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()

    def add(self, job: Job) -> None:
        self._jobs[job.party, job.id] = job
        if len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)

    def find(self, party: str, id: str) -> Job | None:
        """A job of that party."""
        return self._jobs.get((party, id))
