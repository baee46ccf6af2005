"""What the watchdog finds in the read models, and says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from events.envelope import Event
from services.watchdog import decide
from tests.services.notifying.chain import Chain


def due_by(chain: Chain, now: datetime, kind: str = "update") -> list[dict[str, Any]]:
    """What there is to say by now of commitments of that kind."""
    return [row for row in chain.query("sweep", {"now": now.isoformat()})["sweep"] if row["kind"] == kind]


def swept(chain: Chain, now: datetime, kind: str = "update") -> tuple[Event, dict[str, Any]]:
    """What the watchdog says now of the one commitment of that kind; it is recorded."""
    ((event, row),) = decide(due_by(chain, now, kind), now)
    chain.given(event)
    return event, row
