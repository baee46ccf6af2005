"""An arrival that is late: which one, what its carrier says of it, and whether it has come after all."""

from __future__ import annotations

from datetime import datetime

from events.chain import MessageKind
from projections.parcels import carried
from services.notifying.history import History, Owed, moment
from services.notifying.newsworthy import arrived_since
from services.notifying.said import last_said

#: Messages that show that it is no longer under way.
_AFTER_ARRIVAL = frozenset({"received", "ready", "repaired", "failed", "quote", "question"})


def overdue_arrival(history: History, now: datetime) -> Owed | None:
    """The arrival that is overdue still."""
    late = [
        owed
        for owed in history.owed
        if (owed.kind, owed.state) == ("receive", "open")
        and owed.due_at is not None
        and owed.due_at < now
        and not arrived_since(history, owed.opened_at)
    ]
    return late[-1] if late else None


def delivered_at(history: History, owed: Owed) -> datetime | None:
    """When the parcel of a handover whose arrival is owed was delivered, if its carrier says so."""
    if owed.kind != "receive":
        return None
    entries = [
        {"position": fact.position, "occurred_at": fact.at, "type": fact.name, "data": fact.data}
        for fact in history.facts
    ]
    parcels, handovers = carried(entries), [fact for fact in history.facts if fact.name == "item.handed_over"]
    sent = next((fact for fact in reversed(handovers) if fact.at == owed.opened_at), None)
    parcel = parcels.get(sent.position) if sent is not None else None
    # A carrier uses its numbers again: what was delivered before it was sent was another parcel.
    if parcel is None or parcel["carrier_status"] != "delivered" or parcel["carrier_at"] < owed.opened_at:
        return None
    return moment(parcel["carrier_at"])


def delay_is_over(history: History, kind: MessageKind) -> bool:
    """Whether this is the first word since we wrote of a delay, and it has arrived after all."""
    if kind not in _AFTER_ARRIVAL:
        return False
    for told in reversed(history.sent):
        if told.kind in _AFTER_ARRIVAL:
            return False
        cause = history.find(*told.cause) if told.kind == "overdue" else None
        if cause is not None:
            owed = history.commitment(str(cause.data.get("commitment")))
            return owed is not None and owed.kind == "receive" and arrived_since(history, owed.opened_at)
    return False


def expected_by(history: History) -> datetime | None:
    """The date that was named for the step at hand."""
    step = {
        "in_repair": "repair.started",
        "waiting_for_part": "part.ordered",
        "in_transit": "item.handed_over",
    }.get(history.status)
    fact = last_said(history, step, None) if step is not None else None
    return moment(fact.data["expected_by"]) if fact is not None and fact.data.get("expected_by") else None
