"""The tap: whose problem is it? Sent to and fro, a decision on cover that stays out, and a price that waits for her."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Noticed, Owed, Stage, contact, heard, kept, moment, one_face, stage, teller

SHOP = "retailer:copper-lane"
SERVICE = "importer:harrow-sands"
CARDS = {
    SHOP: {"display_name": "Copper Lane Kitchens", "phone": "555-0301", "person": "Ms Lindqvist"},
    SERVICE: {"display_name": "Harrow Sands Service", "phone": "555-0302", "person": "Mr Osei"},
}
ORDER = "T-4001"
CUSTOMER = "customer:C-401"
said = teller(ORDER)

#: 2 March 2026 is a Monday.
OPENED = said(
    "2026-03-02 09:00",
    SHOP,
    "order.opened",
    customer="C-401",
    product={"brand": "Kettlebrook", "model": "Steam 3", "category": "tap"},
    fault_text="the water does not get hot",
    contact=contact("Mr Adeyemi"),
)
CLAIMED = said("2026-03-02 10:00", SHOP, "cover.claimed", cause="bought eleven months ago", decider=SERVICE)
SENT = said("2026-03-02 11:00", SHOP, "item.handed_over", to=SERVICE)
TAKEN = said("2026-03-03 10:00", SERVICE, "item.received", **{"from": SHOP})
SENT_BACK = said("2026-03-03 16:00", SERVICE, "item.handed_over", to=SHOP)
TAKEN_BACK = said("2026-03-04 12:00", SHOP, "item.received", **{"from": SERVICE})
SENT_AGAIN = said("2026-03-04 15:00", SHOP, "item.handed_over", to=SERVICE)
DECIDED = said(
    "2026-03-11 15:00",
    SERVICE,
    "cover.decided",
    decision="not_covered",
    cause="limescale",
    decider="Harrow Sands Service",
    appeal="write to the service desk within thirty days",
)
TO_AND_FRO = [OPENED, CLAIMED, SENT, TAKEN, SENT_BACK, TAKEN_BACK, SENT_AGAIN]

EXAMINED = said("2026-03-03 09:00", SHOP, "diagnosis.made", summary="limescale in the boiler")
OFFERED = said(
    "2026-03-03 13:00",
    SHOP,
    "quote.offered",
    quote="K-1",
    amount="398.00",
    currency="EUR",
    description="new boiler and tap",
)
ACCEPTED = said("2026-03-12 13:00", SHOP, "quote.accepted", quote="K-1")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", moment("2026-03-02 08:00"), CARDS) as running:
        await running.listen()
        yield running
    assert refusals(tmp_path / "home") == []


async def each_you_must_be_somewhere_else_is_counted(scene: Stage) -> None:
    await scene.play(TO_AND_FRO[:5])
    assert (await scene.status(ORDER))["ping_pongs"] == 1
    await scene.play(TO_AND_FRO[5:])
    status = await scene.status(ORDER)
    assert (status["ping_pongs"], status["handoffs"]) == (2, 3)
    ball = await scene.ball(ORDER)
    assert (ball["kind"], ball["owner"], ball["bounces"]) == ("receive", SERVICE, 2)
    # Each link has its own two working days, of eight hours: from Monday 11:00 six that day, eight on Tuesday, and two;
    # from Tuesday 16:00 one, eight, and seven on Thursday; from Wednesday 15:00 two, eight, and six on Friday.
    assert await scene.owed(ORDER, "receive") == [
        Owed("receive", SERVICE, "2026-03-04 11:00", "met", met="2026-03-03 10:00"),
        Owed("receive", SHOP, "2026-03-05 16:00", "met", met="2026-03-04 12:00"),
        Owed("receive", SERVICE, "2026-03-06 15:00", "open"),
    ]
    lanes = (await scene.simulation.ask("handoffs", {}))["lanes"]
    assert {(lane["from_party"], lane["to_party"]): lane["count"] for lane in lanes} == {
        (SHOP, SERVICE): 2,
        (SERVICE, SHOP): 1,
    }


async def what_was_sent_back_and_lies_about_comes_to_a_person_with_a_name(scene: Stage) -> None:
    assert await scene.noticed("receive") == [
        # Four fifths of sixteen hours are twelve hours and 48 minutes: two, eight, and 2:48 on Friday.
        Noticed("2026-03-06 11:48", SERVICE, "commitment.nudged", "receive"),
        Noticed("2026-03-06 15:00", SERVICE, "commitment.overdue", "receive"),
        Noticed("2026-03-06 15:00", SHOP, "commitment.overdue", "receive"),
        # Two working days after Friday 15:00: two hours, eight on Monday, six on Tuesday.
        Noticed("2026-03-10 15:00", SHOP, "commitment.overdue", "receive", "Ms Lindqvist"),
    ]


async def test_a_decision_on_cover_is_owed_and_she_hears_that_it_is_late(scene: Stage) -> None:
    # Each telling costs seconds: what one shows on its way is looked at on its way.
    await each_you_must_be_somewhere_else_is_counted(scene)
    # Claimed on Monday at 10:00. Five working days: seven hours, thirty-two until Friday evening, and one on Monday.
    assert await scene.owed(ORDER, "cover") == [Owed("cover", SERVICE, "2026-03-09 10:00", "open")]
    await scene.until("2026-03-09 10:01")
    assert (ORDER, "cover", SERVICE) in await scene.stalled()
    assert await scene.noticed("cover") == [
        # 32 of 40 hours: on Friday at 10:00.
        Noticed("2026-03-06 10:00", SERVICE, "commitment.nudged", "cover"),
        Noticed("2026-03-09 10:00", SERVICE, "commitment.overdue", "cover"),
        Noticed("2026-03-09 10:00", SHOP, "commitment.overdue", "cover"),
    ]
    await scene.until("2026-03-10 16:00")
    await what_was_sent_back_and_lies_about_comes_to_a_person_with_a_name(scene)
    await scene.play([DECIDED])
    assert await scene.owed(ORDER, "cover") == [
        Owed("cover", SERVICE, "2026-03-09 10:00", "met_late", met="2026-03-11 15:00")
    ]
    await scene.until("2026-03-12 12:00")
    assert (ORDER, "cover", SERVICE) not in await scene.stalled()
    told = await scene.told(ORDER)
    assert heard(told) == [
        # Each names the evening of the working day on which five of them and an hour are over.
        ("2026-03-02 09:00", "opened", "order.opened", "email en", "2026-03-09 17:00"),
        ("2026-03-03 10:06", "received", "item.received", "email en", "2026-03-10 17:00"),
        ("2026-03-04 12:06", "received", "item.received", "email en", "2026-03-11 17:00"),
        ("2026-03-06 15:00", "overdue", "receive overdue", "email en", "2026-03-13 17:00"),
        ("2026-03-09 10:00", "overdue", "cover overdue", "email en", "2026-03-16 17:00"),
        # Who pays, why, and what she can do about it.
        ("2026-03-11 15:06", "cover", "cover.decided", "email en", "2026-03-18 17:00"),
    ]
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    assert (await scene.status(ORDER))["contacts_started"] == 0
    late, decided = (" ".join(message.body.split()) for message in told[-2:])
    assert "by Monday 9 March at 10:00 whether the guarantee covers the repair" in late
    assert "the guarantee does not cover" in decided
    assert "limescale" in decided
    # The way to appeal that was named is another link's: she has it looked at again by the shop that she knows.
    assert "If you do not agree, please tell us why" in decided
    one_face(scene.letters(), SHOP, CARDS)
    decisions = [row["data"] for row in (await scene.timeline(ORDER))["entries"] if row["type"] == DECIDED.name]
    assert [(each["decision"], each["cause"], bool(each["appeal"])) for each in decisions] == [
        ("not_covered", "limescale", True)
    ]


async def test_while_she_thinks_about_the_price_nobody_else_is_late_and_then_the_clocks_run_on(scene: Stage) -> None:
    await scene.play([OPENED, CLAIMED, EXAMINED, OFFERED])
    # Beyond Monday 10:00, when the decision on cover would have been late.
    await scene.until("2026-03-10 12:00")
    assert await scene.owed(ORDER, "cover", "repair", "decide") == [
        Owed("cover", SERVICE, "", "paused"),
        Owed("repair", SHOP, "", "paused"),
        # Her five working days are those of [calendar], from Tuesday 13:00.
        Owed("decide", CUSTOMER, "2026-03-10 13:00", "open"),
    ]
    assert await scene.stalled() == []
    ball = await scene.ball(ORDER)
    assert (ball["kind"], ball["owner"]) == ("decide", CUSTOMER)
    # After that only she is late, and is reminded; the chain is not.
    await scene.until("2026-03-12 12:00")
    assert await scene.stalled() == [(ORDER, "decide", CUSTOMER)]
    assert [notice for notice in await scene.noticed() if notice.kind in ("cover", "repair")] == []
    told = await scene.told(ORDER)
    assert [(message.at, message.kind, message.next_news_by) for message in told] == [
        ("2026-03-02 09:00", "opened", "2026-03-09 17:00"),
        ("2026-03-03 13:00", "quote", "2026-03-10 17:00"),
        # Right before her time is over, and the promise of news with it. Once is enough: at one nothing is new.
        ("2026-03-10 12:55", "update", "2026-03-17 17:00"),
    ]
    assert "€398.00" in told[1].subject
    assert told[2].subject.startswith("A reminder")
    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    assert kept(told)
    one_face(scene.letters(), SHOP, CARDS)

    # She says yes, and the clocks run on from where they stood.
    await scene.play([ACCEPTED])
    # From Tuesday 13:00 to Thursday 13:00 of the next week are seven working days.
    assert await scene.owed(ORDER, "cover", "repair", "decide") == [
        # Monday 9 March 10:00 and seven working days.
        Owed("cover", SERVICE, "2026-03-18 10:00", "open"),
        # Ten working days from Tuesday 3 March 9:00, when it opened, end on Monday 16 March at 17:00; and seven.
        Owed("repair", SHOP, "2026-03-25 17:00", "open"),
        Owed("decide", CUSTOMER, "2026-03-10 13:00", "met_late", met="2026-03-12 13:00"),
    ]
    spent = {row["party"]: row["seconds"] for row in await scene.time_spent(ORDER)}
    # Nine days were hers, and the day and four hours before that the shop's.
    assert spent == {"customer": 9 * 86_400, SHOP: 28 * 3_600}
