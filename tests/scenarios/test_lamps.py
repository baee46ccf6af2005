"""The lamps: a question stays open until it is answered, a wrong part is owed again, a date that moves is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Noticed, Owed, Stage, contact, heard, kept, moment, one_face, stage, teller

SHOP = "retailer:quince-garden"
MAKER = "importer:polder-light"
CARDS = {
    SHOP: {"display_name": "Quince Garden Living", "phone": "555-0401", "person": "Mr Falk"},
    MAKER: {"display_name": "Polder Light Trading", "phone": "555-0402"},
}
ORDER = "L-5001"
CUSTOMER = "customer:C-501"
said = teller(ORDER)

#: 11 May 2026 is a Monday.
OPENED = said(
    "2026-05-11 09:00",
    SHOP,
    "order.opened",
    customer="C-501",
    product={"brand": "Evenglow", "model": "Terrace", "category": "lamp"},
    items=[{"item": "lamp 3"}, {"item": "lamp 5"}],
    fault_text="of six lamps one is dark, and one by half",
    contact=contact("Ms Sandoval"),
)
SHE_ASKED = said("2026-05-11 10:00", SHOP, "question.asked", question="Q-PLACE", text="Do they suit a wall by the sea?")
WE_ASKED = said(
    "2026-05-11 11:00",
    MAKER,
    "question.asked",
    question="Q-HOURS",
    text="How many hours a day do they burn?",
    to="customer",
)
SHE_ANSWERED = said("2026-05-12 09:30", SHOP, "question.answered", question="Q-HOURS", text="About five hours a day")
IT_IS_BUSY = said(
    "2026-05-12 15:00", SHOP, "customer.contacted", channel="phone", direction="outbound", summary="it is busy"
)
WE_ANSWERED = said("2026-05-15 16:00", MAKER, "question.answered", question="Q-PLACE", text="They do not suit salt air")

SENT = said("2026-05-11 10:00", SHOP, "item.handed_over", to=MAKER)
TAKEN = said("2026-05-12 10:00", MAKER, "item.received")
#: What is wrong with the other lamp is known, too, and its part takes longer.
OTHER = said(
    "2026-05-12 10:30",
    MAKER,
    "part.ordered",
    part="driver T5",
    item="lamp 5",
    expected_by="2026-06-19T17:00:00+02:00",
)
EXAMINED = said("2026-05-12 11:00", MAKER, "diagnosis.made", summary="driver burnt out", item="lamp 3")
PART = {"part": "driver T3", "item": "lamp 3"}
ORDERED = said("2026-05-12 12:00", MAKER, "part.ordered", expected_by="2026-05-20T17:00:00+02:00", **PART)
CAME = said("2026-05-20 10:00", MAKER, "part.arrived", **PART)
WRONG = said("2026-05-20 11:00", MAKER, "part.rejected", why="a black box, for another lamp", **PART)
CAME_AGAIN = said("2026-05-27 10:00", MAKER, "part.arrived", **PART)
AT_WORK = [OPENED, SENT, TAKEN, OTHER, EXAMINED, ORDERED]

PROMISED = said(
    "2026-05-27 11:00",
    MAKER,
    "promise.made",
    promise="P-1",
    what="repaired",
    by_when="2026-06-01T17:00:00+02:00",
    kind="repair",
)
MOVED = said(
    "2026-06-01 11:00",
    MAKER,
    "promise.moved",
    promise="P-1",
    by_when="2026-06-03T17:00:00+02:00",
    reason="no bench is free",
    kind="repair",
)
MOVED_AGAIN = said(
    "2026-06-03 11:00",
    MAKER,
    "promise.moved",
    promise="P-1",
    by_when="2026-06-05T17:00:00+02:00",
    reason="still no bench is free",
    kind="repair",
)
REPAIRED = said("2026-06-08 11:00", MAKER, "repair.completed", summary="new driver", item="lamp 3")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", moment("2026-05-11 08:00"), CARDS) as running:
        await running.listen()
        yield running
    assert refusals(tmp_path / "home") == []


async def test_a_question_either_way_is_open_until_it_is_answered(scene: Stage) -> None:
    await scene.play([OPENED, SHE_ASKED, WE_ASKED])
    # Two working days: from Monday 10:00 to Wednesday 10:00, and from 11:00 to 11:00.
    assert await scene.owed(ORDER, "answer") == [
        Owed("answer", SHOP, "2026-05-13 10:00", "open", what="Q-PLACE"),
        Owed("answer", CUSTOMER, "2026-05-13 11:00", "open", what="Q-HOURS"),
    ]
    await scene.play([SHE_ANSWERED, IT_IS_BUSY])
    # Hers has come. That it is busy is a contact, and no answer to anybody.
    assert await scene.owed(ORDER, "answer") == [
        Owed("answer", SHOP, "2026-05-13 10:00", "open", what="Q-PLACE"),
        Owed("answer", CUSTOMER, "2026-05-13 11:00", "met", met="2026-05-12 09:30", what="Q-HOURS"),
    ]
    await scene.until("2026-05-13 10:01")
    assert await scene.noticed("answer") == [
        # 12:48 hours of sixteen: seven on Monday, and 5:48 on Tuesday.
        Noticed("2026-05-12 14:48", SHOP, "commitment.nudged", "answer"),
        Noticed("2026-05-13 10:00", SHOP, "commitment.overdue", "answer"),
    ]
    told = await scene.told(ORDER)
    assert [(message.at, message.kind, message.next_news_by) for message in told] == [
        ("2026-05-11 09:00", "opened", "2026-05-18 17:00"),
        # That we have her question, and by when she has the answer.
        ("2026-05-11 10:00", "asked", "2026-05-18 17:00"),
        ("2026-05-11 11:00", "question", "2026-05-18 17:00"),
        ("2026-05-13 10:00", "overdue", "2026-05-20 17:00"),
    ]
    assert "You will have our answer by Wednesday 13 May; you need not ask again." in told[1].body
    assert "“How many hours a day do they burn?”" in told[2].body
    assert "an answer to your question by Wednesday 13 May" in told[3].body
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    one_face(scene.letters(), SHOP, CARDS)


@pytest.mark.heavy  # notifying/test_apart.py and projections/test_commitments.py say it of the decisions
async def test_an_answer_is_owed_also_when_the_order_is_closed(scene: Stage) -> None:
    closed = said("2026-05-12 16:00", SHOP, "order.closed", outcome="cancelled")
    await scene.play([OPENED, SHE_ASKED, IT_IS_BUSY, closed])
    assert await scene.owed(ORDER, "answer") == [Owed("answer", SHOP, "2026-05-13 10:00", "open", what="Q-PLACE")]
    assert [each.kind for each in await scene.owed(ORDER) if each.state in ("open", "overdue")] == ["answer"]
    await scene.until("2026-05-15 12:00")
    assert await scene.stalled() == [(ORDER, "answer", SHOP)]
    assert (await scene.noticed("answer"))[1:] == [
        Noticed("2026-05-13 10:00", SHOP, "commitment.overdue", "answer"),
        # And two working days later.
        Noticed("2026-05-15 10:00", SHOP, "commitment.overdue", "answer", "Mr Falk"),
    ]
    await scene.play([WE_ANSWERED])
    assert await scene.owed(ORDER, "answer") == [
        Owed("answer", SHOP, "2026-05-13 10:00", "met_late", met="2026-05-15 16:00", what="Q-PLACE")
    ]
    told = await scene.told(ORDER)
    assert heard(told) == [
        ("2026-05-11 09:00", "opened", "order.opened", "email en", "2026-05-18 17:00"),
        ("2026-05-11 10:00", "asked", "question.asked", "email en", "2026-05-18 17:00"),
        ("2026-05-12 16:06", "closed", "order.closed", "email en", ""),
        # Closed or not, it was her question: she hears that it takes longer, and then the answer itself.
        ("2026-05-13 10:00", "overdue", "answer overdue", "email en", ""),
        ("2026-05-15 16:00", "answer", "question.answered", "email en", ""),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    one_face(scene.letters(), SHOP, CARDS)


async def test_the_wrong_part_returns_the_order_to_work_and_a_date_that_moves_keeps_the_first_and_the_last(
    scene: Stage,
) -> None:
    await scene.play([*AT_WORK, CAME])
    # Nobody repairs while the part is waited for. Ten working days from Wednesday 20 May 10:00, from when it is there.
    repair = Owed("repair", MAKER, "2026-06-03 10:00", "open", what="lamp 3")
    assert (await scene.owed(ORDER, "part", "repair"))[2:] == [
        # The date that was named for it is what counts, not the ten working days of the policy.
        Owed("part", MAKER, "2026-05-20 17:00", "met", met="2026-05-20 10:00", what="driver T3"),
        repair,
    ]
    await scene.play([WRONG])
    assert (await scene.status(ORDER))["status"] == "waiting_for_part"
    # No date was named for the right one: ten working days from Wednesday 20 May 11:00.
    assert (await scene.owed(ORDER, "part", "repair"))[3:] == [
        Owed("repair", MAKER, "2026-06-03 10:00", "cancelled", what="lamp 3"),
        Owed("part", MAKER, "2026-06-03 11:00", "open", what="driver T3"),
    ]
    await scene.until("2026-05-26 12:00")
    told = await scene.told(ORDER)
    assert [(message.at, message.kind, message.next_news_by) for message in told] == [
        ("2026-05-11 09:00", "opened", "2026-05-18 17:00"),
        ("2026-05-12 10:06", "received", "2026-05-19 17:00"),
        # Before five working days without a word are over: right before, or else at the cue.
        ("2026-05-19 10:01", "update", "2026-05-26 17:00"),
        ("2026-05-25 16:01", "update", "2026-06-02 17:00"),
    ]
    assert "which is expected by Wednesday 20 May" in told[2].body
    assert "lamp 3: a part arrived that turned out not to be the right one" in told[3].body
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    # All that we had promised came in time, and so it stands in the ledger.
    assert {owed.state for owed in await scene.owed(ORDER, "update") if owed.met} == {"met"}

    await scene.play([CAME_AGAIN, PROMISED])
    # Without the promise it would be due ten working days from Wednesday 27 May 10:00.
    assert (await scene.owed(ORDER, "repair"))[-1] == Owed("repair", MAKER, "2026-06-01 17:00", "open", what="lamp 3")
    await scene.play([MOVED, MOVED_AGAIN])
    assert (await scene.owed(ORDER, "repair"))[-1] == Owed("repair", MAKER, "2026-06-05 17:00", "open", what="lamp 3")
    await scene.play([REPAIRED])
    assert (await scene.owed(ORDER, "repair"))[-1] == Owed(
        "repair", MAKER, "2026-06-05 17:00", "met_late", met="2026-06-08 11:00", what="lamp 3"
    )
    promised = [row for row in await scene.promises(MAKER) if row["kind"] == "repair"]
    assert [(row["first_promised_at"], row["promised_at"], row["promises"]) for row in promised] == [
        ("2026-06-01T15:00:00Z", "2026-06-05T15:00:00Z", 3)
    ]
    # From Friday 17:00 to Monday 11:00.
    assert (promised[0]["kept"], promised[0]["late_seconds"]) == (False, 66 * 3_600)
    await scene.until("2026-06-08 11:10")
    told = await scene.told(ORDER)
    assert heard(told) == [
        ("2026-05-11 09:00", "opened", "order.opened", "email en", "2026-05-18 17:00"),
        ("2026-05-12 10:06", "received", "item.received", "email en", "2026-05-19 17:00"),
        ("2026-05-19 10:01", "update", "update nudged", "email en", "2026-05-26 17:00"),
        ("2026-05-25 16:01", "update", "update nudged", "email en", "2026-06-02 17:00"),
        # A date, and each new one on the day that it is named.
        ("2026-05-27 11:06", "promise", "promise.made", "email en", "2026-06-03 17:00"),
        ("2026-06-01 11:06", "promise", "promise.moved", "email en", "2026-06-08 17:00"),
        ("2026-06-03 11:06", "promise", "promise.moved", "email en", "2026-06-10 17:00"),
        # And the one that was missed, at once.
        ("2026-06-05 17:00", "overdue", "repair overdue", "email en", "2026-06-15 17:00"),
        ("2026-06-08 11:06", "repaired", "repair.completed", "email en", "2026-06-15 17:00"),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    assert (await scene.status(ORDER))["contacts_started"] == 0
    one_face(scene.letters(), SHOP, CARDS)


async def test_a_lamp_that_is_left_lying_is_missed_although_the_other_is_at_work(scene: Stage) -> None:
    sent = said("2026-05-11 10:00", SHOP, "item.handed_over", to=MAKER, item="lamp 3")
    taken = said("2026-05-12 10:00", MAKER, "item.received", item="lamp 3")
    await scene.play([OPENED, sent, taken, EXAMINED, ORDERED])
    assert await scene.owed(ORDER, "forward") == [
        Owed("forward", SHOP, "2026-05-12 17:00", "open", what="lamp 5"),
        Owed("forward", MAKER, "2026-05-14 10:00", "cancelled", what="lamp 3"),
    ]
    await scene.until("2026-05-15 12:00")
    assert await scene.stalled() == [(ORDER, "forward", SHOP)]
    (late,) = [message for message in await scene.told(ORDER) if message.kind == "overdue"]
    assert "there is a delay with your Evenglow Terrace (lamp 5)" in late.body
    one_face(scene.letters(), SHOP, CARDS)


@pytest.mark.heavy  # notifying/test_apart.py says it of the decisions
async def test_what_parties_ask_each_other_is_not_told_to_her_as_her_question(scene: Stage) -> None:
    asked = said("2026-05-11 10:00", MAKER, "question.asked", question="Q-SLIP", text="Is there a slip?", to=SHOP)
    asked_back = said("2026-05-11 10:30", SHOP, "question.asked", question="Q-WHICH", text="Which lamp?", to=MAKER)
    await scene.play([OPENED, asked, asked_back])
    answers = await scene.simulation.ask("commitments", {"order": ORDER, "kind": "answer", "now": "2026-05-11T12:00Z"})
    assert {(row["owner"], row["owed_to"]) for row in answers["commitments"]} == {(SHOP, MAKER), (MAKER, SHOP)}
    await scene.until("2026-05-13 12:00")
    for message in await scene.told(ORDER):
        assert "your question" not in message.body
