"""Which facts come of the scans of a parcel, by what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from events.envelope import Event
from services.carriers.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Handover:
    """Of whom it is said that the parcel of that number was handed over: ``id`` is the fact's."""

    number: str
    order: str
    id: str
    handed_at: datetime

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Handover:
        """A row of the query ``parcels``."""
        return cls(row["number"], row["order"], row["id"], datetime.fromisoformat(row["handed_at"]).astimezone(UTC))


def facts_of(
    checkpoints: Sequence[Checkpoint], handovers: Iterable[Handover], known: Container[str], now: datetime
) -> tuple[list[Event], list[str]]:
    """The facts to append, as they happened, and the ids of the scans that are settled with them.

    A scan is told of every order that was in the parcel, after the latest handover that it may be of; one that may be
    of none is not settled. ``known`` are the ids of facts that the log has.
    """
    handovers = sorted(handovers, key=lambda each: each.handed_at)
    events, settled = [], []
    for checkpoint in sorted(checkpoints, key=lambda each: each.at):
        causes = {each.order: each.id for each in handovers if checkpoint.is_of(each.handed_at)}
        for order, cause in causes.items():
            if checkpoint.fact_id(order) not in known:
                events.append(checkpoint.event(order, cause, now))
        if causes:
            settled.append(checkpoint.id)
    return events, settled
