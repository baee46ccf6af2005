"""A letter that came back failed after all: said once, of all that was in it, and without the address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.desk.bouncing import Bounced, decide_bounce
from services.desk.problems import DeskError

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BOUNCED = Bounced(message="msg-1", status="5.1.1")


def timeline(**statuses: str) -> dict[str, Any]:
    return {
        "order": {"order_id": "W-1"},
        "entries": [{"type": "message.sent", "voided": False, "data": {"message": "msg-2", "letter": "msg-1"}}],
        "messages": [
            {"message_id": name.replace("_", "-"), "kind": "ready", "status": status}
            for name, status in statuses.items()
        ],
    }


@pytest.mark.parametrize("status", ["sent", "unknown"])
def test_what_came_back_failed(status: str) -> None:
    (fact,) = decide_bounce(BOUNCED, timeline(msg_1=status), NOW)
    assert (fact.name, fact.id, fact.subject) == ("message.failed", "bounced:msg-1", "W-1")
    assert fact.data == {"message": "msg-1", "kind": "ready", "reason": "it came back (5.1.1)"}


def test_what_went_in_the_same_letter_came_back_too() -> None:
    facts = decide_bounce(BOUNCED, timeline(msg_1="sent", msg_2="sent", msg_3="sent"), NOW)
    assert [fact.data["message"] for fact in facts] == ["msg-1", "msg-2"]


@pytest.mark.parametrize("status", ["failed", "suppressed", "planned"])
def test_what_is_known_or_never_left_is_not_said(status: str) -> None:
    assert decide_bounce(BOUNCED, timeline(msg_1=status), NOW) == ()


def test_a_message_that_there_is_not() -> None:
    with pytest.raises(DeskError, match="there is no message msg-1"):
        decide_bounce(BOUNCED, timeline(), NOW)


def test_a_status_is_no_place_for_words() -> None:
    with pytest.raises(ValidationError):
        Bounced(message="msg-1", status="5.1.1 zo@post.example")
