"""What people see, drawn from examples: compared whole, so that a change of layout is looked at."""

from __future__ import annotations

import pytest

from cli.render.ledger import stalled
from cli.render.messages import messages
from cli.render.order import order_panel
from cli.render.rejected import one
from cli.render.tables import lanes
from cli.render.timeline import timeline
from cli.render.today import briefings
from services.intake.problems import HELD, TITLES
from tests.about import about
from tests.cli.drawing import DRAWINGS, GOLDEN, MOMENTS, draw, drawing
from tests.cli.examples import MESSAGES, TIMELINE, UNREADABLE, entry


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_it_looks_as_it_did_and_nothing_is_wider_than_the_terminal(name: str) -> None:
    width, _ = DRAWINGS[name]
    drawn = drawing(name)
    assert drawn == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert max(len(line) for line in drawn.splitlines()) <= width


@pytest.mark.parametrize("width", [20, 40, 60])
def test_narrower_terminals_get_all_of_it(width: int) -> None:
    for name, (_, parts) in DRAWINGS.items():
        with about(name):
            text = draw(parts(), width)
            assert max(len(line) for line in text.splitlines()) <= width
            assert text.strip()


def test_no_escape_reaches_the_terminal_from_what_a_party_wrote() -> None:
    nasty = entry(
        50,
        "2026-11-17T09:00:00Z",
        "diagnosis.made",
        "repairer:ti\x1b[31mck",
        {"summary": "broken\x1b]0;owned\x07 [bold]stem[/bold] \u202edaer", "item": "\x9b2J"},
    )
    text = draw(timeline(TIMELINE | {"entries": [nasty]}, MOMENTS))
    assert not {char for char in text if ord(char) < 32 and char != "\n"} | ({"\x9b", "\u202e"} & set(text))
    assert "[bold]stem[/bold]" in text


def test_a_gap_in_the_data_is_no_reason_to_fail() -> None:
    bare = {"order": {}, "entries": [{}, {"type": "order.opened", "data": None, "occurred_at": "soon"}]}
    assert "the order" in draw(timeline(bare, MOMENTS))
    assert "Nothing has happened yet" in draw(timeline({}, MOMENTS))


def test_the_plan_of_a_message_shows_until_the_message_went_out() -> None:
    planned = [each for each in TIMELINE["entries"] if each["type"] == "message.planned"]
    assert "means to tell the customer" in draw(timeline(TIMELINE | {"entries": planned}, MOMENTS))
    assert "means to tell the customer" not in draw(timeline(TIMELINE, MOMENTS))


def test_a_message_that_waits_says_what_it_may_wait_for() -> None:
    row = MESSAGES["messages"][0] | {"sent_at": None}
    waiting = draw(messages({"messages": [row | {"status": "planned"}]}, MOMENTS))
    assert "planned: not sent yet; it waits for" in " ".join(waiting.split())
    assert "it waits for" not in draw(messages(MESSAGES, MOMENTS))


def test_days_are_counted_from_one_heading_to_the_next_where_they_are_not_neighbours() -> None:
    days = ("2026-11-02T10:00:00Z", "2026-11-03T10:00:00Z", "2026-11-06T10:00:00Z")
    entries = [{"type": "item.received", "source": "retailer:juno", "occurred_at": at, "data": {}} for at in days]
    told = draw(timeline({"order": {}, "entries": entries}, MOMENTS)).splitlines()
    assert [line.strip() for line in told if "⋮" in line] == ["⋮ 3 days later"]
    assert told[told.index(" Tue 3 Nov") - 1].strip().startswith("11:00")


def test_a_list_that_is_due_to_no_partner_is_explained() -> None:
    row = {"party": "retailer:juno", "open": 1, "overdue": 0, "given": False, "due": True}
    assert "a party that is no partner gets none" in " ".join(draw(briefings({"briefings": [row]})).split())
    assert "due:" not in draw(briefings({"briefings": [row | {"given": True, "due": False}]}))


@pytest.mark.parametrize(("closed", "told"), [("18:00", ", the same day"), ("23:30", ", after 1 day")])
def test_how_long_an_order_took_is_told_in_days(closed: str, told: str) -> None:
    times = {"opened_at": "2026-11-02T10:00:00Z", "closed_at": f"2026-11-02T{closed}:00Z"}  # 23:30 is the next day here
    row = {"order_id": "W-1", "status": "closed", "open": False} | times
    assert f"ago){told}" in " ".join(draw([order_panel(row, MOMENTS)], 120).split())


def test_what_carriers_said_stands_beside_what_waits() -> None:
    parcel = {"carrier": "PostRun", "carrier_status": "delivered", "carrier_at": "2026-11-17T09:00:00Z"}
    row = {"order": "W-1", "owner": "importer:noord", "kind": "receive", "overdue_seconds": 60, "parcel": parcel}
    assert "it was delivered, Tue 17 Nov 10:00" in " ".join(draw(stalled({"stalled": [row]}, MOMENTS)).split())
    assert "says that" not in draw(stalled({"stalled": [row | {"parcel": None}]}, MOMENTS))
    said = {"carriers": {"in_transit": 1, "delivered": 2}, "delivered_at": "2026-11-17T09:00:00Z"}
    drawn = " ".join(draw(lanes({"lanes": [{}], "totals": said}, MOMENTS)).split())
    assert "carriers say: 2 delivered (the first" in drawn


def test_only_what_may_be_taken_in_as_it_is_is_to_be_handed_in_again() -> None:
    for reason in set(TITLES) - HELD:
        with about(reason):
            told = draw(one(UNREADABLE | {"reason": reason}, MOMENTS))
            never = reason.startswith("not-your") or reason in ("invalid", "unreadable", "too-large", "id-reused")
            assert ("rejected retry 13" in told) is not never
            assert "rejected discard 13" in told.replace("\n", " ")
