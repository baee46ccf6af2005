"""The boiler: no heat on a cold Friday afternoon, and no silence in the weekend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Noticed, Owed, Stage, contact, heard, kept, moment, one_face, stage, teller

DESK = "importer:emberwick"
INSTALLER = "repairer:dune-street"
CARDS = {
    DESK: {
        "display_name": "Emberwick Service Desk",
        "phone": "555-0201",
        "email": "desk@emberwick.example",
        "person": "Mr Achterberg",
    },
    INSTALLER: {"display_name": "Dune Street Heating", "phone": "555-0202"},
}
ORDER = "B-3001"
said = teller(ORDER)

#: 16 January 2026 is a Friday.
OPENED = said(
    "2026-01-16 15:00",
    DESK,
    "order.opened",
    customer="C-301",
    product={"brand": "Emberwick", "model": "Combi 24", "category": "boiler"},
    fault_code="3Y",
    fault_text="no heat since the power cut, shows 3Y, a reset does not help",
    urgency="urgent",
    at_home=True,
    contact=contact("Ms Terpstra"),
)
ASKED = said("2026-01-16 17:30", DESK, "question.asked", question="Q-1", text="What does 3Y mean, is it safe to retry?")
REPAIRED = said("2026-01-17 17:00", INSTALLER, "repair.completed", summary="fan replaced, and it heats again")
CLOSED = said("2026-01-17 17:30", INSTALLER, "order.closed", outcome="repaired")
ANSWERED = said("2026-01-19 14:00", DESK, "question.answered", question="Q-1", text="3Y: the fan does not turn")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", moment("2026-01-16 14:00"), CARDS) as running:
        await running.listen()
        yield running
    assert refusals(tmp_path / "home") == []


async def its_clocks_run_day_and_night(scene: Stage) -> None:
    assert await scene.owed(ORDER) == [
        # Friday 15:00 and 8 hours; the desk closes at 17:00, and that does not count.
        Owed("forward", DESK, "2026-01-16 23:00", "open"),
        # 12 hours; the welcome, sent at once, has met the first and is the beginning of the next. That one would be
        # promised for 04:00 (12 hours and one), when she sleeps; so it is for 21:00, and owed an hour before.
        Owed("update", DESK, "2026-01-17 03:00", "met", met="2026-01-16 15:00"),
        Owed("update", DESK, "2026-01-16 20:00", "met", met="2026-01-16 17:30"),
        # Friday 17:30 and 2 hours.
        Owed("answer", DESK, "2026-01-16 19:30", "open", what="Q-1"),
        # The word that her question has come puts nothing off.
        Owed("update", DESK, "2026-01-16 20:00", "open"),
    ]
    ball = await scene.ball(ORDER)
    assert (ball["owner"], ball["kind"], ball["owed_to"]) == (DESK, "answer", "customer:C-301")


async def test_no_silence_until_monday_and_then_nobody_advises_her_to_call_anybody(scene: Stage) -> None:
    # Each telling costs seconds: what one shows on its way is looked at on its way.
    await scene.play([OPENED, ASKED])
    await its_clocks_run_day_and_night(scene)
    await scene.until("2026-01-17 09:00")
    told = await scene.told(ORDER)
    assert [(message.at, message.kind, message.next_news_by) for message in told] == [
        # A date and a time, before the night.
        ("2026-01-16 15:00", "opened", "2026-01-16 21:00"),
        ("2026-01-16 17:30", "asked", "2026-01-16 21:00"),
        # The answer was owed by 19:30; from then 12 hours and one.
        ("2026-01-16 19:30", "overdue", "2026-01-17 08:30"),
        # Due early on Saturday; there is nothing new, and so she is not woken.
        ("2026-01-17 08:00", "update", "2026-01-17 21:00"),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert "by Friday 16 January at 21:00 at the latest" in told[0].body
    assert "somebody comes to you to look at your Emberwick Combi 24" in told[0].body
    assert "You will have our answer by Friday 16 January at 19:30" in " ".join(told[1].body.split())
    assert "an answer to your question" in told[2].body
    assert await scene.noticed("answer") == [
        # Four fifths of two hours; then the due time itself. The desk owes it and is accountable: one notice, not two.
        Noticed("2026-01-16 19:06", DESK, "commitment.nudged", "answer"),
        Noticed("2026-01-16 19:30", DESK, "commitment.overdue", "answer"),
    ]
    # That nobody was sent on a Friday evening, either, is for the desk to mend; she hears of the answer, not of both.
    assert await scene.stalled() == [(ORDER, "answer", DESK), (ORDER, "forward", DESK)]

    await scene.play([REPAIRED, CLOSED, ANSWERED])
    # Two working days after Friday 19:30, which for an urgent order are 48 hours: on Sunday.
    last = (await scene.noticed("answer"))[-1]
    assert last == Noticed("2026-01-18 19:30", DESK, "commitment.overdue", "answer", "Mr Achterberg")
    await scene.until("2026-01-23 12:00")
    told = await scene.told(ORDER)
    assert heard(told) == [
        ("2026-01-16 15:00", "opened", "order.opened", "email en", "2026-01-16 21:00"),
        ("2026-01-16 17:30", "asked", "question.asked", "email en", "2026-01-16 21:00"),
        ("2026-01-16 19:30", "overdue", "answer overdue", "email en", "2026-01-17 08:30"),
        # No silence in the weekend.
        ("2026-01-17 08:00", "update", "update nudged", "email en", "2026-01-17 21:00"),
        ("2026-01-17 17:06", "repaired", "repair.completed", "email en", "2026-01-18 09:00"),
        ("2026-01-17 17:36", "closed", "order.closed", "email en", ""),
        # A day after it was mended in her house she is asked whether it holds.
        ("2026-01-18 17:30", "check", "check overdue", "email en", ""),
        # That somebody should come is overtaken, and nobody says it. What 3Y means she asked, and so she hears it.
        ("2026-01-19 14:00", "answer", "question.answered", "email en", ""),
    ]
    assert "fan replaced, and it heats again" in told[4].body
    assert "3Y: the fan does not turn" in told[7].body
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    one_face(scene.letters(), DESK, CARDS)
    assert await scene.owed(ORDER, "forward", "answer", "repair") == [
        # Late since 23:00 on Friday, and not owed any more once somebody had repaired it.
        Owed("forward", DESK, "2026-01-16 23:00", "cancelled"),
        Owed("answer", DESK, "2026-01-16 19:30", "met_late", met="2026-01-19 14:00", what="Q-1"),
    ]
    assert await scene.stalled() == []
    assert (await scene.status(ORDER))["contacts_started"] == 0


@pytest.mark.heavy  # the next story says so, too
async def test_what_was_mended_in_her_house_does_not_come_back_to_anybody(scene: Stage) -> None:
    # The installer closes nothing; the desk looks at it on Monday.
    await scene.play([OPENED, REPAIRED, replace(CLOSED, at=moment("2026-01-19 09:00"), party=DESK)])
    # It was never handed over to anybody, and the installer has mended it where it hangs: there is nothing to return.
    assert [each.kind for each in await scene.owed(ORDER) if each.kind == "return"] == []
    for message in (await scene.told(ORDER))[1:]:
        assert "comes back to us" not in message.body
        assert "here with us" not in message.body
        assert "welcome" not in message.body


async def test_what_events_have_overtaken_is_not_sent(scene: Stage) -> None:
    # The installer reports on Monday, after the weekend, what was done on Saturday: from then on only that is news.
    await scene.play([OPENED])
    await scene.say(replace(REPAIRED, at=moment("2026-01-19 08:00")), "2026-01-17 17:00")
    await scene.say(replace(CLOSED, at=moment("2026-01-19 08:05")), "2026-01-17 17:30")
    await scene.until("2026-01-23 12:00")
    everything = await scene.told(ORDER)
    # On Sunday it was written that a person would be in touch. That nobody was sent since Friday would be told two days
    # later, at 23:00: she has read by then that nothing moves, and is not woken for it.
    assert ("2026-01-18 08:00", "person") in [(message.at, message.kind) for message in everything]
    assert not [message for message in everything if message.kind == "overdue"]
    told = [message for message in everything if message.at > "2026-01-19 08:00"]
    # Both were reported within five minutes: one letter, which says what was done, too.
    assert [(message.at, message.kind) for message in told][:1] == [("2026-01-19 08:11", "closed")]
    assert "fan replaced, and it heats again" in told[0].body
    # A letter that asks right behind two that tell would be one too many: a person is to ask.
    assert [(late[0], late[1]) for late in await scene.stalled()] == [(ORDER, "check")]
    # It was never handed over to anybody, and the installer has mended it where it hangs: there is nothing to return.
    assert await scene.owed(ORDER, "return") == []
    for message in told:
        assert "comes back to us" not in message.body
        assert "here with us" not in message.body
        assert "welcome" not in message.body
