"""At the counter ``status`` tells which answer or call the shop owes the customer, whatever the next step is."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cli.render.order import order_panel
from cli.render.tables import orders
from cli.render.timeline import timeline
from tests.cli.drawing import MOMENTS, draw
from tests.cli.examples import ORDER, TIMELINE

ANSWER: dict[str, Any] = {
    "kind": "answer",
    "topic": "Q-7",
    "owner": "retailer:juno",
    "owed_to": "customer:C-77",
    "state": "open",
    "due_at": "2026-11-19T10:00:00Z",
}
CALL = ANSWER | {"kind": "call", "topic": "msg-1", "state": "overdue", "due_at": "2026-11-17T10:00:00Z"}


def panel_of(order: dict[str, Any], *commitments: dict[str, Any]) -> str:
    out = Console(file=StringIO(), width=160)
    out.print(order_panel(order, MOMENTS, commitments, counted=False))
    return str(out.file.getvalue())  # type: ignore[attr-defined]


def test_what_she_waits_for_is_told_with_who_owes_it_and_by_when() -> None:
    told = panel_of(ORDER, CALL, ANSWER)
    assert "She waits for   a call from retailer:juno by Tue 17 Nov 11:00 (" in told
    assert " late) · an answer from retailer:juno by Thu 19 Nov 11:00 (in " in told
    assert "Owed" not in told


def test_what_is_mended_at_her_home_is_held_by_her_and_not_by_the_shop() -> None:
    row = ORDER | {"heading_to": None, "status": "taken_in", "holder": "retailer:juno", "at_home": True}
    assert "Held by         the customer, at home" in panel_of(row)
    assert "at her home" in draw(orders({"orders": [row], "total": 1}, MOMENTS), 120)
    assert "Held by         retailer:juno" in panel_of(row | {"at_home": False})


def test_nobody_is_to_send_on_or_give_back_what_is_mended_at_her_home() -> None:
    forward = ORDER["ball"] | {"kind": "forward", "owner": "retailer:juno"}
    row = ORDER | {"heading_to": None, "status": "taken_in", "at_home": True, "ball": forward}
    assert "retailer:juno is to plan a visit by" in panel_of(row)
    assert "retailer:juno is to close the order by" in panel_of(row | {"ball": forward | {"kind": "return"}})
    opened = TIMELINE["entries"][0]
    owed = {"kind": "forward", "owner": "retailer:juno", "state": "open", "due_at": "2026-11-19T10:00:00Z"}
    owed |= {"commitment_id": f"forward/W-1001/{opened['source']}/{opened['id']}"}
    told = draw(timeline(TIMELINE | {"order": row, "commitments": [owed]}, MOMENTS), 120)
    assert told.count("retailer:juno is to plan a visit by") == 2
    assert "send it on" not in told


@pytest.mark.parametrize(
    ("order", "row"),
    [
        (ORDER | {"ball": ANSWER}, ANSWER),  # it is the next step, and told as that
        (ORDER | {"customer_forgotten": True}, ANSWER),
        (ORDER, ANSWER | {"state": "met"}),
        (ORDER, ANSWER | {"owner": "customer:C-77", "owed_to": "retailer:juno"}),
        (ORDER, ANSWER | {"owed_to": "repairer:tick"}),
        (ORDER, ANSWER | {"kind": "update"}),  # when she hears again has a line of its own
    ],
)
def test_nothing_else_is(order: dict[str, Any], row: dict[str, Any]) -> None:
    assert "She waits for" not in panel_of(order, row)
