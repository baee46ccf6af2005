"""The repairer service: what repairers hand in: receipts, diagnoses, quotes, parts, repairs."""

from __future__ import annotations

from pathlib import Path

from faststream.nats import NatsBroker

from events.clock import Clock
from events.streams import DEFAULT_LIMITS, Limits
from services.intake.service import Intake


def build(broker: NatsBroker, clock: Clock, state: Path, limits: Limits = DEFAULT_LIMITS) -> Intake:
    """The intake of repairers; ``state`` is the folder for its index."""
    return Intake("repairer", broker, clock, state / "intake-repairer.sqlite", limits)
