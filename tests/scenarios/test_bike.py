"""The cargo bike, as it should be: a person answers within two hours, and goodwill is a decision on the timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Noticed, Owed, Stage, contact, heard, kept, moment, one_face, stage, teller

SHOP = "retailer:saltmarsh"
CARDS = {SHOP: {"display_name": "Saltmarsh Cargo Bikes", "phone": "555-0501"}}
ORDER = "F-6001"
said = teller(ORDER)

#: What this shop asks of itself; two hours in which it is open.
TERMS = """
[[override]]
role = "retailer"
category = "cargo bike"
kind = "answer"
allow = "2 working hours"
"""

#: 14 April 2026 is a Tuesday.
OPENED = said(
    "2026-04-14 16:00",
    SHOP,
    "order.opened",
    customer="C-601",
    product={"brand": "Pelican", "description": "rain tent", "category": "cargo bike"},
    fault_text="the rain tent tore along its seam",
    contact=contact("Ms Okonkwo"),
)
ASKED = said("2026-04-14 16:05", SHOP, "question.asked", question="Q-1", text="It tore a week too late. And now?")
CLAIMED = said("2026-04-14 16:06", SHOP, "cover.claimed", cause="tore a week after the guarantee had ended")
ANSWERED = said(
    "2026-04-15 09:45",
    SHOP,
    "question.answered",
    question="Q-1",
    text="The seam is a fault of ours: a better tent is on its way, free",
)
DECIDED = said(
    "2026-04-15 09:50",
    SHOP,
    "cover.decided",
    decision="goodwill",
    cause="a weak seam from production",
    decider="Saltmarsh Cargo Bikes",
)
REPLACED = said("2026-04-15 10:00", SHOP, "unit.replaced", old_model="rain tent 1", new_model="rain tent 2")
RETURNED = said("2026-04-17 11:00", SHOP, "item.returned", note="posted, and it has arrived")
CLOSED = said("2026-04-17 11:30", SHOP, "order.closed", outcome="replaced")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", moment("2026-04-14 15:00"), CARDS, TERMS) as running:
        await running.listen()
        yield running
    assert refusals(tmp_path / "home") == []


async def test_a_person_answers_within_two_hours_and_goodwill_is_a_decision_on_the_timeline(scene: Stage) -> None:
    await scene.play([OPENED, ASKED, CLAIMED])
    # 55 minutes on Tuesday, and the rest on Wednesday from nine.
    assert await scene.owed(ORDER, "answer") == [Owed("answer", SHOP, "2026-04-15 10:05", "open", what="Q-1")]
    await scene.play([ANSWERED])
    assert await scene.owed(ORDER, "answer") == [
        Owed("answer", SHOP, "2026-04-15 10:05", "met", met="2026-04-15 09:45", what="Q-1")
    ]
    # How long it took until a person answered, in hours in which somebody was there: 55 minutes and 45.
    rows = (await scene.simulation.ask("commitments", {"order": ORDER, "kind": "answer", "now": "2026-04-15T12:00Z"}))[
        "commitments"
    ]
    assert [(row["worked"], row["allowed"], row["rule"]) for row in rows] == [
        (100 * 60, 120 * 60, rows[0]["rule"]),
    ]
    assert "cargo bike" in rows[0]["rule"]
    # Our own welcome, at once, is not taken for an answer. The answer is in the message, the moment that it is given.
    assert [(message.at, message.kind) for message in await scene.told(ORDER)] == [
        ("2026-04-14 16:00", "opened"),
        ("2026-04-14 16:05", "asked"),
        ("2026-04-15 09:45", "answer"),
    ]
    assert [notice.notice for notice in await scene.noticed("answer")] == ["commitment.nudged"]
    assert await scene.stalled() == []

    await scene.play([DECIDED])
    assert await scene.owed(ORDER, "cover") == [
        # Nobody was named who decides: whoever answers to her. Five working days from Tuesday 16:06.
        Owed("cover", SHOP, "2026-04-21 16:06", "met", met="2026-04-15 09:50")
    ]
    timeline = await scene.timeline(ORDER)
    decided = [entry for entry in timeline["entries"] if entry["type"] == DECIDED.name]
    assert [(entry["source"], entry["data"]["decision"], entry["data"]["cause"]) for entry in decided] == [
        (SHOP, "goodwill", "a weak seam from production")
    ]
    await scene.play([REPLACED, RETURNED, CLOSED])
    assert await scene.owed(ORDER, "return") == [
        # Five working days from Wednesday 10:00.
        Owed("return", SHOP, "2026-04-22 10:00", "met", met="2026-04-17 11:00")
    ]
    await scene.until("2026-04-24 12:00")
    told = await scene.told(ORDER)
    assert heard(told) == [
        # Opened on Tuesday 16:00; five working days, and an hour, later is Tuesday 17:00.
        ("2026-04-14 16:00", "opened", "order.opened", "email en", "2026-04-21 17:00"),
        # That her question has come, and by when she has the answer.
        ("2026-04-14 16:05", "asked", "question.asked", "email en", "2026-04-21 17:00"),
        ("2026-04-15 09:45", "answer", "question.answered", "email en", "2026-04-22 17:00"),
        ("2026-04-15 09:56", "cover", "cover.decided", "email en", "2026-04-22 17:00"),
        ("2026-04-17 11:36", "closed", "order.closed", "email en", ""),
        # A working day after it was returned, on Friday at eleven.
        ("2026-04-20 11:00", "check", "check overdue", "email en", ""),
    ]
    assert "You will have our answer by Wednesday 15 April at 10:05" in " ".join(told[1].body.split())
    assert "a better tent is on its way, free" in " ".join(told[2].body.split())
    assert "as a gesture of goodwill" in " ".join(told[3].body.split())
    assert "has been replaced" in told[4].body
    assert (await scene.status(ORDER))["contacts_started"] == 0
    assert await backtested(scene, ORDER, TERMS) == [(message.at, message.kind) for message in told]
    assert kept(told)
    one_face(scene.letters(), SHOP, CARDS)


@pytest.mark.heavy  # notifying/test_watchdog.py says it of the decisions
async def test_an_answer_that_comes_after_two_hours_is_late(scene: Stage) -> None:
    await scene.play([OPENED, ASKED, replace(ANSWERED, at=moment("2026-04-15 11:00"))])
    assert await scene.owed(ORDER, "answer") == [
        Owed("answer", SHOP, "2026-04-15 10:05", "met_late", met="2026-04-15 11:00", what="Q-1")
    ]
    assert await scene.noticed("answer") == [
        # After 96 minutes of 120.
        Noticed("2026-04-15 09:41", SHOP, "commitment.nudged", "answer"),
        Noticed("2026-04-15 10:05", SHOP, "commitment.overdue", "answer"),
    ]
    assert [(message.at, message.kind) for message in await scene.told(ORDER)] == [
        ("2026-04-14 16:00", "opened"),
        ("2026-04-14 16:05", "asked"),
        ("2026-04-15 10:05", "overdue"),
        ("2026-04-15 11:00", "answer"),
    ]
