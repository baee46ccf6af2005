"""How it is told why a planned message has not left yet."""

from __future__ import annotations

from typing import Any

import pytest

from cli.render.messages import messages
from cli.render.timeline import timeline
from tests.cli.drawing import MOMENTS, draw
from tests.cli.examples import MESSAGES, TIMELINE

HELD: dict[str, Any] = {
    "status": "planned",
    "sent_at": None,
    "waits_for": "quiet_hours",
    "waits_until": "2026-11-19T07:00:00Z",
}


@pytest.mark.parametrize(
    ("reason", "until", "said"),
    [
        ("quiet_hours", "2026-11-19T07:00:00Z", "waits until Thu 19 Nov 08:00 for the end of her quiet hours"),
        ("more_to_tell", "2026-11-18T09:06:00Z", "waits until Wed 18 Nov 10:06 for what else there may be to tell"),
        ("tomorrow", "2026-11-19T07:00:00Z", "waits until Thu 19 Nov 08:00, as she has had all her letters of today"),
        ("channel", None, "waits for a channel that did not take it yet"),
    ],
)
def test_a_planned_message_says_what_it_waits_for(reason: str, until: str | None, said: str) -> None:
    held = HELD | {"waits_for": reason, "waits_until": until}
    row = MESSAGES["messages"][0] | held
    listed = " ".join(draw(messages({"messages": [row]}, MOMENTS)).split())
    assert f"planned, {said}" in listed
    assert "planned: not sent yet" not in listed  # it need not be guessed
    planned = next(each for each in TIMELINE["entries"] if each["type"] == "message.planned")
    row |= {"message_id": planned["data"]["message"]}
    told = " ".join(draw(timeline(TIMELINE | {"entries": [planned], "messages": [row]}, MOMENTS)).split())
    assert f"; it {said}" in told
