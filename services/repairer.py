"""The repairer service: what repairers hand in: receipts, diagnoses, quotes, parts, repairs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from faststream.nats import NatsBroker

from events.clock import Clock
from events.streams import DEFAULT_LIMITS, Limits
from services.intake.limbo import HELD_FOR
from services.intake.service import Intake


def build(
    broker: NatsBroker, clock: Clock, state: Path, limits: Limits = DEFAULT_LIMITS, held_for: timedelta = HELD_FOR
) -> Intake:
    """The intake of repairers; ``state`` is the folder for its index, ``held_for`` how long to wait for orders."""
    return Intake("repairer", broker, clock, state / "intake-repairer.sqlite", limits, held_for)
