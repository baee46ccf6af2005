"""What a partner hands in, what it hears back, and the sum of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

#: So many rejections are kept with their reasons; beyond that they are only counted.
KEPT: Final = 1_000


class Submission(NamedTuple):
    """One CloudEvent (structured JSON, without ``recordedtime``) that the party ``role:name`` hands in."""

    role: str
    name: str
    event: dict[str, Any]

    @property
    def party(self) -> str:
        """``repairer:north`` of ``("repairer", "north", …)``."""
        return f"{self.role}:{self.name}"

    @property
    def id(self) -> str | None:
        """The event's own id, if it has a usable one."""
        found = self.event.get("id")
        return found if isinstance(found, str) and found else None

    @property
    def subject(self) -> str:
        """The order that it is about, as the party calls it."""
        return str(self.event.get("subject", ""))


def everything_wrong(problem: Mapping[str, Any]) -> str:
    """All faults of an RFC 9457 problem, each behind its field, in one line: who mends one wants to mend them all."""
    faults = problem.get("errors") or ()
    if len(faults) < 2:  # then ``detail`` says it, and names the field where that helps
        return str(problem.get("detail") or problem.get("title") or "")
    return "; ".join(": ".join(filter(None, (each.get("pointer"), each.get("detail")))) for each in faults)


class Receipt(NamedTuple):
    """What became of one submission. ``problem`` is an RFC 9457 problem when it was rejected or is held."""

    party: str
    id: str | None
    outcome: str  # accepted, duplicate, held or rejected
    sequence: int = 0  # its place in the intake stream
    order: str | None = None
    position: int | None = None
    problem: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Receipt:
        """Read one entry of a receipt message."""
        return cls(
            str(raw.get("source", "")),
            raw.get("id"),
            str(raw.get("outcome", "")),
            int(raw.get("sequence") or 0),
            raw.get("order"),
            raw.get("position"),
            raw.get("problem"),
        )

    @property
    def reason(self) -> str:
        """Why it was rejected, in one sentence; empty if it was not."""
        problem = self.problem or {}
        return str(problem.get("detail") or problem.get("title") or "")

    @property
    def all_reasons(self) -> str:
        """Everything that is wrong with it, as far as the receipt says, in one line; empty if it was not rejected."""
        return everything_wrong(self.problem or {})

    @property
    def kind(self) -> str:
        """``unknown-order`` of ``urn:repairchain:problem:unknown-order``; empty if it was not rejected."""
        return str((self.problem or {}).get("type", "")).rpartition(":")[2]


class Rejection(NamedTuple):
    """A submission that was not taken, and the receipt that says why."""

    submission: Submission
    receipt: Receipt


@dataclass
class PublishReport:
    """What became of a run of submissions; it fills while they are handed in."""

    submitted: int = 0
    accepted: int = 0
    duplicate: int = 0
    held: int = 0  # kept until their order is known
    rejected: int = 0
    unanswered: int = 0  # left without a receipt when the wait ended
    repeated: int = 0  # publishes that were made again
    position: int = 0  # the highest in the log that a receipt has told
    trouble: str | None = None  # what the server said last when it refused a publish
    rejections: list[Rejection] = field(default_factory=list)  # the first KEPT of them

    @property
    def answered(self) -> int:
        """How many have their receipt."""
        return self.accepted + self.duplicate + self.held + self.rejected

    def count(self, submission: Submission, receipt: Receipt) -> None:
        """Add one receipt."""
        if receipt.outcome == "accepted":
            self.accepted += 1
        elif receipt.outcome == "duplicate":
            self.duplicate += 1
        elif receipt.outcome == "held":
            self.held += 1
        else:
            self.rejected += 1
            if len(self.rejections) < KEPT:
                self.rejections.append(Rejection(submission, receipt))
        self.position = max(self.position, receipt.position or 0)

    def take_back(self) -> None:
        """One that was held was, or will be, taken in after all."""
        self.held -= 1
