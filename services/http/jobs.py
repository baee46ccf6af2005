"""Capture jobs: what became of each event of one POST /capture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from events.envelope import iso
from services.http.receipts import as_json
from services.intake.problems import Fault, type_of
from services.submission import Receipt

#: So many jobs of one party are remembered, and so many events in all; the oldest jobs go.
KEPT: Final = 50
KEPT_EVENTS: Final = 50_000

Behaviour = Literal["rollback", "proceed"]

_PROBLEM: Final = type_of("invalid")
_TITLE: Final = "The event could not be captured"


@dataclass(slots=True)
class Entry:
    """One captured event, without what it says: that may be much.

    ``ids`` are those of what was handed in for it, ``receipts`` what was heard of them (None: nothing yet).
    """

    pointer: str
    event_id: str | None
    faults: tuple[Fault, ...] = ()
    unmapped: str | None = None
    ids: tuple[str, ...] = ()
    receipts: tuple[Receipt | None, ...] = ()

    def outcome(self) -> str:
        """``captured``, ``held``, ``kept``, ``refused`` or ``pending``."""
        if self.faults:
            return "refused"
        if None in self.receipts:
            return "pending"
        if self.unmapped is not None:
            return "kept"
        outcomes = {receipt.outcome for receipt in self.receipts if receipt is not None}
        return "refused" if "rejected" in outcomes else "held" if "held" in outcomes else "captured"

    def as_json(self) -> dict[str, Any]:
        """One row of the answer."""
        row: dict[str, Any] = {"pointer": self.pointer, "outcome": self.outcome()}
        if self.event_id is not None:
            row["eventID"] = self.event_id
        if self.unmapped is not None:
            row["why"] = self.unmapped
        elif not self.faults:
            row["receipts"] = [
                as_json(receipt) if receipt is not None else {"id": id, "outcome": "pending"}
                for id, receipt in zip(self.ids, self.receipts, strict=True)
            ]
        return row

    def problems(self) -> list[dict[str, Any]]:
        """What is wrong with it, as problem details."""
        faults = [
            {"type": _PROBLEM, "title": _TITLE, "status": 400, "detail": fault.detail, "pointer": fault.pointer}
            for fault in self.faults
        ]
        refused = [
            {**(receipt.problem or {}), "status": 422, "event": self.pointer}
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
        self._events = 0

    def add(self, job: Job) -> None:
        """Remember ``job``; of one party the oldest goes first, so that nobody drives out another's."""
        own = [key for key in self._jobs if key[0] == job.party]
        for key in own[: max(0, len(own) - KEPT + 1)]:
            self._forget(key)
        self._jobs[job.party, job.id] = job
        self._events += len(job.entries)
        while self._events > KEPT_EVENTS:
            self._forget(next(iter(self._jobs)))

    def _forget(self, key: tuple[str, str]) -> None:
        self._events -= len(self._jobs.pop(key).entries)

    def find(self, party: str, id: str) -> Job | None:
        """A job of that party."""
        return self._jobs.get((party, id))
