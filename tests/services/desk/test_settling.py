"""What nobody knew is settled by a person, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.desk.problems import DeskError
from services.desk.settling import Settled, decide_settlement

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLANNED = {
    "message": "msg-1",
    "kind": "ready",
    "trigger_source": "retailer:acme",
    "trigger_id": "e1",
    "language": "nl",
    "channel": "email",
    "subject": "Uw horloge is klaar",
    "body": "…",
    "next_news_by": "2026-03-09T16:00:00Z",
}


def timeline(status: str = "unknown", data: dict[str, Any] = PLANNED) -> dict[str, Any]:
    return {
        "order": {"order_id": "W-1"},
        "entries": [{"type": "message.planned", "voided": False, "data": data}],
        "messages": [{"message_id": "msg-1", "status": status, "channel": "email"}],
    }


def test_what_arrived_was_sent_and_counts_as_news() -> None:
    fact = decide_settlement(Settled(message="msg-1", arrived=True), timeline(), NOW)
    assert (fact.name, fact.id, fact.subject) == ("message.sent", "settled:msg-1", "W-1")
    assert (fact.data["subject"], fact.data["next_news_by"]) == ("Uw horloge is klaar", "2026-03-09T16:00:00Z")


def test_what_never_arrived_failed() -> None:
    fact = decide_settlement(Settled(message="msg-1", arrived=False), timeline(), NOW)
    assert (fact.name, fact.data["reason"]) == ("message.failed", "a person found that it never arrived")


@pytest.mark.parametrize("status", ["planned", "sent", "failed", "suppressed"])
def test_only_what_nobody_knows_is_settled(status: str) -> None:
    with pytest.raises(DeskError, match=f"it is {status}"):
        decide_settlement(Settled(message="msg-1", arrived=True), timeline(status), NOW)


def test_a_message_that_there_is_not() -> None:
    with pytest.raises(DeskError, match="there is no such message"):
        decide_settlement(Settled(message="msg-2", arrived=True), timeline(), NOW)


def test_a_plan_that_cannot_be_read() -> None:
    with pytest.raises(DeskError, match="cannot be read"):
        decide_settlement(Settled(message="msg-1", arrived=True), timeline(data={"message": "msg-1"}), NOW)
