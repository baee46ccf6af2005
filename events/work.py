"""Work on the item: what is wrong with it, parts, repair, pauses, replacement."""

from __future__ import annotations

from typing import ClassVar, Literal

from events.envelope import Moment
from events.facet import Fact, Prose, Text
from events.party import Party

WaitingFor = Literal["customer", "part", "retailer", "importer", "repairer", "other"]
Option = Literal["repair", "refund", "exchange", "return_as_is"]


class DiagnosisMade(Fact):
    """Somebody looked and says what is wrong."""

    NAME: ClassVar[str] = "diagnosis.made"

    summary: Prose
    fault_code: Text | None = None
    item: Text | None = None


class PartOrdered(Fact):
    """A part is on its way to the one who says so."""

    NAME: ClassVar[str] = "part.ordered"

    part: Text
    supplier: Text | None = None
    expected_by: Moment | None = None
    item: Text | None = None


class PartArrived(Fact):
    """The part is there."""

    NAME: ClassVar[str] = "part.arrived"

    part: Text
    item: Text | None = None


class PartRejected(Fact):
    """The part is the wrong one, and why."""

    NAME: ClassVar[str] = "part.rejected"

    part: Text
    why: Prose
    item: Text | None = None


class RepairStarted(Fact):
    """Hands are on it."""

    NAME: ClassVar[str] = "repair.started"

    item: Text | None = None
    expected_by: Moment | None = None


class RepairCompleted(Fact):
    """It works again."""

    NAME: ClassVar[str] = "repair.completed"

    summary: Prose | None = None
    item: Text | None = None


class RepairFailed(Fact):
    """It cannot be mended (a part cannot be had, say), and what the customer may choose from."""

    NAME: ClassVar[str] = "repair.failed"

    why: Prose
    options: tuple[Option, ...] = ()
    item: Text | None = None


class WorkPaused(Fact):
    """Work waits for somebody or something else; ``who`` names the party if there is one."""

    NAME: ClassVar[str] = "work.paused"

    waiting_for: WaitingFor
    who: Party | None = None
    why: Prose | None = None


class WorkResumed(Fact):
    """The wait is over."""

    NAME: ClassVar[str] = "work.resumed"

    why: Prose | None = None


class UnitReplaced(Fact):
    """Another unit took the place of this one; the two are one lineage."""

    NAME: ClassVar[str] = "unit.replaced"

    old_serial: Text | None = None
    new_serial: Text | None = None
    old_model: Text | None = None
    new_model: Text | None = None
    item: Text | None = None


FACTS: tuple[type[Fact], ...] = (
    DiagnosisMade,
    PartOrdered,
    PartArrived,
    PartRejected,
    RepairStarted,
    RepairCompleted,
    RepairFailed,
    WorkPaused,
    WorkResumed,
    UnitReplaced,
)
