"""The retailer service: what shops hand in: orders opened and closed, handovers, contacts with the customer."""

from __future__ import annotations

from pathlib import Path

from faststream.nats import NatsBroker

from events.clock import Clock
from events.streams import DEFAULT_LIMITS, Limits
from services.intake.service import Intake


def build(broker: NatsBroker, clock: Clock, state: Path, limits: Limits = DEFAULT_LIMITS) -> Intake:
    """The intake of retailers; ``state`` is the folder for its index."""
    return Intake("retailer", broker, clock, state / "intake-retailer.sqlite", limits)
