"""The importer service: what importers hand in: handovers, receipts, parts, decisions on cover, incidents."""

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
    """The intake of importers; ``state`` is the folder for its index, ``held_for`` how long to wait for orders."""
    return Intake("importer", broker, clock, state / "intake-importer.sqlite", limits, held_for)
