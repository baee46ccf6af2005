"""The cable: a visit with a window, kept or not, and the question afterwards whether it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Noticed, Owed, Stage, contact, heard, kept, moment, one_face, stage, teller

SHOP = "retailer:larkwire"
CREW = "repairer:tamarisk"
CARDS = {
    SHOP: {"display_name": "Larkwire", "phone": "555-0601", "person": "Ms Duval"},
    CREW: {"display_name": "Tamarisk Cabling", "phone": "555-0602"},
}
ORDER = "V-7001"
said = teller(ORDER)


def window(begin: str, end: str) -> dict[str, Any]:
    """Of a visit, in Amsterdam."""
    return {"from": moment(begin).isoformat(), "until": moment(end).isoformat()}


#: 14 June 2026 is a Sunday.
OPENED = said(
    "2026-06-14 14:00",
    SHOP,
    "order.opened",
    customer="C-701",
    product={"description": "internet connection", "category": "connection"},
    fault_text="nothing works, and it is Sunday",
    contact=contact("Ms Halloran"),
)
PLANNED = said(
    "2026-06-14 14:10",
    CREW,
    "visit.scheduled",
    visit="V-1",
    what="look at the cable",
    **window("2026-06-15 09:00", "2026-06-15 11:00"),
)
MOVED = said(
    "2026-06-15 08:00",
    CREW,
    "visit.scheduled",
    visit="V-1",
    **window("2026-06-16 13:00", "2026-06-16 15:00"),
)
DONE = said("2026-06-15 10:40", CREW, "visit.done", visit="V-1", result="cable replaced")
REPAIRED = said("2026-06-15 10:45", CREW, "repair.completed", summary="cable replaced, two others renewed")
CLOSED = said("2026-06-15 10:50", SHOP, "order.closed", outcome="repaired")
KEPT = [OPENED, PLANNED, DONE, REPAIRED, CLOSED]
SHE_SAYS_NO = said("2026-06-17 10:00", SHOP, "feedback.given", holds=False, text="it was gone again this morning")
REOPENED = said("2026-06-17 10:15", SHOP, "order.reopened", reason="the connection was gone again this morning")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", moment("2026-06-14 13:00"), CARDS) as running:
        await running.listen()
        yield running
    assert refusals(tmp_path / "home") == []


async def test_a_visit_is_kept_and_one_working_day_later_she_is_asked_whether_it_holds_and_says_no(
    scene: Stage,
) -> None:
    await scene.play([OPENED, PLANNED])
    # The window's end is what counts: "at once" after it.
    assert await scene.owed(ORDER, "visit") == [Owed("visit", CREW, "2026-06-15 11:00", "open", what="V-1")]
    await scene.play(KEPT[2:])
    assert await scene.owed(ORDER, "visit") == [
        Owed("visit", CREW, "2026-06-15 11:00", "met", met="2026-06-15 10:40", what="V-1")
    ]
    assert await scene.owed(ORDER, "check") == [Owed("check", SHOP, "2026-06-16 10:50", "open")]
    await scene.until("2026-06-15 12:00")
    assert [notice.notice for notice in await scene.noticed("visit")] == ["commitment.nudged"]
    visit = next(row for row in await scene.promises(CREW) if row["kind"] == "visit")
    # Twenty minutes before the window ended.
    assert (visit["owed_to"], visit["kept"], visit["late_seconds"]) == ("customer:C-701", True, -20 * 60)
    told = await scene.told(ORDER)
    assert [(message.at, message.kind) for message in told] == [
        ("2026-06-14 14:00", "opened"),
        # On a Sunday, too: who comes by tomorrow, and between when.
        ("2026-06-14 14:16", "visit"),
        # Repaired and closed within five minutes: one letter.
        ("2026-06-15 10:56", "closed"),
    ]
    assert "cable replaced, two others renewed" in told[2].body

    await scene.until("2026-06-17 09:00")
    told = await scene.told(ORDER)
    assert heard(told) == [
        ("2026-06-14 14:00", "opened", "order.opened", "email en", "2026-06-22 17:00"),
        ("2026-06-14 14:16", "visit", "visit.scheduled", "email en", "2026-06-22 17:00"),
        ("2026-06-15 10:56", "closed", "order.closed", "email en", ""),
        # One working day after Monday 10:50. It is asked once.
        ("2026-06-16 10:50", "check", "check overdue", "email en", ""),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    assert (await scene.status(ORDER))["contacts_started"] == 0
    assert await scene.owed(ORDER, "check") == [
        Owed("check", SHOP, "2026-06-16 10:50", "met", met="2026-06-16 10:50"),
    ]
    assert await scene.stalled() == []
    await her_no_opens_the_work_again_with_its_history(scene)


async def her_no_opens_the_work_again_with_its_history(scene: Stage) -> None:
    await scene.play([SHE_SAYS_NO, REOPENED])
    status = await scene.status(ORDER)
    assert (status["status"], status["open"], status["reopenings"]) == ("reopened", True, 1)
    open_ones = [owed for owed in await scene.owed(ORDER) if owed.state == "open"]
    assert open_ones == [
        # Two working days from Wednesday 10:15; and five until the next news, after the word that it was taken up.
        Owed("forward", SHOP, "2026-06-19 10:15", "open"),
        Owed("update", SHOP, "2026-06-24 10:15", "open"),
    ]
    ball = await scene.ball(ORDER)
    assert (ball["kind"], ball["owner"]) == ("forward", SHOP)
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in await scene.told(ORDER)]
    last = (await scene.told(ORDER))[-1]
    assert (last.at, last.kind, last.next_news_by) == ("2026-06-17 10:15", "reopened", "2026-06-24 17:00")
    assert "the connection was gone again this morning" in last.body
    # The order is the same one: what was done and said before stands in its timeline.
    names = [entry["type"] for entry in (await scene.timeline(ORDER))["entries"]]
    assert [name for name in names if not name.startswith(("message.", "commitment."))] == [
        "order.opened",
        "visit.scheduled",
        "visit.done",
        "repair.completed",
        "order.closed",
        "feedback.given",
        "order.reopened",
    ]
    one_face(scene.letters(), SHOP, CARDS)


async def test_nobody_came_and_she_hears_it_when_the_window_ends(scene: Stage) -> None:
    await scene.play([OPENED, PLANNED])
    await scene.until("2026-06-15 11:01")
    told = await scene.told(ORDER)
    assert [(message.at, message.kind, message.next_news_by) for message in told] == [
        # On a Sunday the five working days begin on Monday at nine, and the hour is Monday's.
        ("2026-06-14 14:00", "opened", "2026-06-22 17:00"),
        ("2026-06-14 14:16", "visit", "2026-06-22 17:00"),
        # A new time is what she waits for now: the next working day.
        ("2026-06-15 11:00", "overdue", "2026-06-16 17:00"),
    ]
    assert "the visit should have taken place by Monday 15 June" in told[2].body
    one_face(scene.letters(), SHOP, CARDS)
    assert (await scene.noticed("visit"))[1:] == [
        Noticed("2026-06-15 11:00", CREW, "commitment.overdue", "visit"),
        Noticed("2026-06-15 11:00", SHOP, "commitment.overdue", "visit"),
    ]
    await scene.play([said("2026-06-15 15:00", CREW, "visit.done", visit="V-1")])
    visit = next(row for row in await scene.promises(CREW) if row["kind"] == "visit")
    assert (visit["state"], visit["kept"], visit["late_seconds"]) == ("met_late", False, 4 * 3_600)


@pytest.mark.heavy  # notifying/test_apart.py says it of the decisions
async def test_a_visit_that_moves_keeps_its_first_and_its_last_window(scene: Stage) -> None:
    await scene.play([OPENED, PLANNED, MOVED])
    await scene.until("2026-06-15 12:00")
    # Moved in time: nobody is late when the first window ends.
    assert await scene.owed(ORDER, "visit") == [Owed("visit", CREW, "2026-06-16 15:00", "open", what="V-1")]
    assert [(message.at, message.kind) for message in await scene.told(ORDER)] == [
        ("2026-06-14 14:00", "opened"),
        ("2026-06-14 14:16", "visit"),
        # Before anybody would have been waited for.
        ("2026-06-15 08:06", "visit"),
    ]
    await scene.play([said("2026-06-16 14:00", CREW, "visit.done", visit="V-1")])
    visit = next(row for row in await scene.promises(CREW) if row["kind"] == "visit")
    assert (visit["first_promised_at"], visit["promised_at"], visit["promises"], visit["kept"]) == (
        "2026-06-15T09:00:00Z",
        "2026-06-16T13:00:00Z",
        2,
        True,
    )


@pytest.mark.heavy  # projections/test_commitments.py says it of the read models
async def test_a_new_window_after_a_missed_one_can_be_missed_anew(scene: Stage) -> None:
    new = said(
        "2026-06-15 12:00", CREW, "visit.scheduled", visit="V-1", **window("2026-06-16 13:00", "2026-06-16 15:00")
    )
    await scene.play([OPENED, PLANNED, new])
    # Nobody came by eleven, which was told; since noon there is another window, and nobody is late.
    assert await scene.stalled() == []
    assert await scene.owed(ORDER, "visit") == [Owed("visit", CREW, "2026-06-16 15:00", "open", what="V-1")]
    await scene.until("2026-06-16 15:01")
    assert await scene.stalled() == [(ORDER, "visit", CREW)]
    assert [(message.at, message.kind) for message in await scene.told(ORDER)] == [
        ("2026-06-14 14:00", "opened"),
        ("2026-06-14 14:16", "visit"),
        ("2026-06-15 11:00", "overdue"),
        ("2026-06-15 12:06", "visit"),
        ("2026-06-16 15:00", "overdue"),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in await scene.told(ORDER)]
    visit = next(row for row in await scene.promises(CREW) if row["kind"] == "visit")
    assert (visit["first_promised_at"], visit["promises"], visit["kept"]) == ("2026-06-15T09:00:00Z", 2, False)


@pytest.mark.heavy  # projections/test_commitments.py says it of the read models
async def test_a_person_who_asks_her_first_spares_her_the_letter(scene: Stage) -> None:
    called = said("2026-06-16 09:30", SHOP, "customer.contacted", channel="phone", direction="outbound")
    await scene.play([*KEPT, called])
    await scene.until("2026-06-19 12:00")
    assert await scene.owed(ORDER, "check") == [
        Owed("check", SHOP, "2026-06-16 10:50", "met", met="2026-06-16 09:30"),
    ]
    assert [message.kind for message in await scene.told(ORDER)] == ["opened", "visit", "closed"]


async def test_of_a_visit_weeks_ahead_she_reads_that_it_stands_and_not_that_anything_is_late(scene: Stage) -> None:
    planned = said(
        "2026-06-15 09:00", SHOP, "visit.scheduled", visit="V-1", **window("2026-06-26 09:00", "2026-06-26 12:00")
    )
    at_home = said(
        "2026-06-14 14:00",
        SHOP,
        "order.opened",
        customer="C-701",
        at_home=True,
        product={"description": "boiler"},
        contact=contact("Ms Halloran"),
    )
    await scene.play([at_home, planned])
    await scene.until("2026-06-25 12:00")
    told = await scene.told(ORDER)
    assert [each.kind for each in told][:2] == ["opened", "visit"]
    assert {each.kind for each in told[2:]} == {"update"}
    for each in told[2:]:
        assert "our visit goes ahead as agreed" in each.body
        assert "Friday 26 June between 09:00 and 12:00" in each.body
    assert await scene.noticed("forward") == []


async def test_a_close_that_comes_late_asks_nobody_twice_whether_all_is_well(scene: Stage) -> None:
    at_home = said("2026-06-14 14:00", SHOP, "order.opened", **{**OPENED.data, "at_home": True})
    await scene.play([at_home, PLANNED, DONE, REPAIRED])
    await scene.until("2026-06-26 09:00")
    told = await scene.told(ORDER)
    assert heard(told)[2:] == [
        ("2026-06-15 10:51", "repaired", "repair.completed", "email en", "2026-06-22 17:00"),
        ("2026-06-22 10:46", "update", "update nudged", "email en", ""),
    ]
    assert "This is our last message about it" in told[-1].body
    # Nothing is late, and no date stands that has passed: it is the shop's to close.
    assert await scene.stalled() == []
    status = await scene.status(ORDER)
    assert (status["next_news_by"], await scene.ball(ORDER)) == (None, {})

    await scene.play([said("2026-06-26 09:30", SHOP, "order.closed", outcome="repaired")])
    await scene.until("2026-07-03 09:30")
    told = await scene.told(ORDER)
    assert [message.kind for message in told] == ["opened", "visit", "repaired", "update", "closed"]
    assert await scene.owed(ORDER, "check") == []
    assert "ask you" not in told[-1].body
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
