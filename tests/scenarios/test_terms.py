"""What due times follow from: closures announced late, holidays, calendars, a policy that changes, a late receipt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.story import Step
from tests.chainserver import refusals
from tests.scenarios.stage import Noticed, Owed, Stage, contact, kept, moment, one_face, stage, teller

SHOP = "retailer:reed-and-bow"
IMPORTER = "importer:quillbrook"
BENCH = "repairer:old-orchard"
CARDS = {
    SHOP: {"display_name": "Reed and Bow", "phone": "555-0701", "person": "Ms Castellan"},
    IMPORTER: {"display_name": "Quillbrook Instruments", "phone": "555-0702"},
    BENCH: {"display_name": "Old Orchard Workshop", "phone": "555-0703"},
}
ORDER = "N-8001"
CUSTOMER = "customer:C-801"
said = teller(ORDER)


def opened(at: str) -> Step:
    return said(
        at,
        SHOP,
        "order.opened",
        customer="C-801",
        product={"brand": "Arbour", "model": "Viola 3", "category": "viola"},
        fault_text="the neck is loose",
        contact=contact("Mr Petrov"),
    )


def closed(at: str, party: str, begin: str, until: str) -> Step:
    """``party`` announces at ``at`` that it is closed."""
    data = {"from": moment(begin).isoformat(), "until": moment(until).isoformat(), "reason": "holiday"}
    return Step(moment(at), party, "party.closed", data, subject=party)


def at(home: Path, begin: str, terms: str | None = None) -> AbstractAsyncContextManager[Stage]:
    return stage(home, moment(begin), CARDS, terms)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / "home"
    assert refusals(tmp_path / "home") == []


#: Monday 7 September 2026: the workshop has it, and owes four things.
AT_THE_BENCH = [
    opened("2026-09-07 09:00"),
    said("2026-09-07 09:30", SHOP, "item.handed_over", to=BENCH),
    said("2026-09-07 11:00", BENCH, "item.received", **{"from": SHOP}),
    said("2026-09-07 12:00", SHOP, "question.asked", question="Q-1", text="Does it keep its sound?", to=BENCH),
    said("2026-09-07 13:00", SHOP, "cover.claimed", cause="bought last year", decider=BENCH),
    said("2026-09-07 14:00", BENCH, "part.ordered", part="neck screw"),
    said("2026-09-07 14:30", BENCH, "repair.started"),
]


async def test_a_closure_of_two_weeks_that_is_announced_late_moves_all_that_is_open(home: Path) -> None:
    async with at(home, "2026-09-07 08:00") as scene:
        await scene.play(AT_THE_BENCH)
        await scene.until("2026-09-08 10:00")
        before = await scene.owed(ORDER, owner=BENCH)
        assert [owed for owed in before if owed.state == "open"] == [
            # Two, five, ten and ten working days from Monday at 12, 13, 14 and 14:30.
            Owed("answer", BENCH, "2026-09-09 12:00", "open", what="Q-1"),
            Owed("cover", BENCH, "2026-09-14 13:00", "open"),
            Owed("part", BENCH, "2026-09-21 14:00", "open", what="neck screw"),
            Owed("repair", BENCH, "2026-09-21 14:30", "open"),
        ]
        shops = [owed for owed in await scene.owed(ORDER, owner=SHOP) if owed.state == "open"]
        # Announced on Tuesday at ten, for that day and two weeks.
        await scene.play([closed("2026-09-08 10:00", BENCH, "2026-09-08 00:00", "2026-09-22 00:00")])
        after = await scene.owed(ORDER, owner=BENCH)
        assert [owed for owed in after if owed.state == "open"] == [
            # Each ten working days later, less the hour from nine to ten: it was open as far as anybody knew.
            Owed("answer", BENCH, "2026-09-23 11:00", "open", what="Q-1"),
            Owed("cover", BENCH, "2026-09-28 12:00", "open"),
            Owed("part", BENCH, "2026-10-05 13:00", "open", what="neck screw"),
            Owed("repair", BENCH, "2026-10-05 13:30", "open"),
        ]
        # What was settled by then stays settled, and what others owe is as it was.
        for rows in (before, after):
            assert [(owed.kind, owed.state, owed.met) for owed in rows if owed.state != "open"] == [
                ("receive", "met", "2026-09-07 11:00"),
                ("diagnose", "met", "2026-09-07 14:00"),
            ]
        assert [owed for owed in await scene.owed(ORDER, owner=SHOP) if owed.state == "open"] == shops
        await scene.listen()
        await scene.until("2026-09-22 09:00")
        # For two weeks nobody is late; she hears from the shop all the same, which is open.
        assert await scene.stalled() == []
        assert [notice for notice in await scene.noticed() if notice.party == BENCH] == []
        told = await scene.told(ORDER)
        assert [(message.at, message.kind, message.next_news_by) for message in told] == [
            ("2026-09-07 09:00", "opened", "2026-09-14 17:00"),
            ("2026-09-07 11:06", "received", "2026-09-14 17:00"),
            # Due on Monday right after eleven, and so from then on: the cue comes on Friday, shortly before it closes.
            ("2026-09-14 11:01", "update", "2026-09-21 17:00"),
            ("2026-09-21 10:56", "update", "2026-09-28 17:00"),
        ]
        assert kept(told)
        one_face(scene.letters(), SHOP, CARDS)


@pytest.mark.heavy  # projections/test_commitments.py says it of the read models
async def test_a_closure_that_is_announced_afterwards_excuses_nothing(home: Path) -> None:
    async with at(home, "2026-09-07 08:00") as scene:
        await scene.listen()
        await scene.play(AT_THE_BENCH[:4])
        await scene.until("2026-09-09 13:00")
        late = Owed("answer", BENCH, "2026-09-09 12:00", "overdue", what="Q-1")
        assert await scene.owed(ORDER, "answer") == [late]
        await scene.play([closed("2026-09-09 14:00", BENCH, "2026-09-08 00:00", "2026-09-22 00:00")])
        assert await scene.owed(ORDER, "answer") == [late]
        assert await scene.facts("commitment.withdrawn") == []
        await scene.until("2026-09-23 16:00")
        # A person is to see to it after two of the workshop's working days: two hours on that Wednesday until it
        # closed, eight on Tuesday 22 September, and six on Wednesday.
        assert (await scene.noticed("answer"))[-1] == Noticed(
            "2026-09-23 15:00", SHOP, "commitment.overdue", "answer", "Ms Castellan"
        )


HOLIDAYS = """
[calendar]
holidays = "NL"

[calendars.orchard]
parties = ["repairer:old-orchard"]
time_zone = "Europe/Berlin"
holidays = "DE-NW"
monday = "8:00-16:00"
tuesday = "8:00-16:00"
wednesday = "8:00-16:00"
thursday = "8:00-16:00"
friday = "8:00-16:00"
saturday = "10:00-13:00"
"""


@pytest.mark.heavy  # projections/test_commitments.py and test_clock.py say it of the read models
async def test_holidays_and_a_calendar_of_ones_own_count_for_whom_they_are(home: Path) -> None:
    async with at(home, "2026-04-24 08:00", HOLIDAYS) as scene:
        await scene.play(
            [
                opened("2026-04-24 10:00"),
                said("2026-04-24 16:00", SHOP, "item.handed_over", to=IMPORTER),
            ]
        )
        assert await scene.owed(ORDER, "receive") == [
            # From Friday 16:00 sixteen hours: one on Friday; none on Monday 27 April, the King's day; eight on Tuesday,
            # and seven on Wednesday.
            Owed("receive", IMPORTER, "2026-04-29 16:00", "open")
        ]
        told = await scene.told(ORDER)
        # Five working days and an hour from Friday 10:00, without the Monday: seven hours, and 33 from Tuesday on make
        # Monday 4 May 10:00. The first of May is a working day there.
        assert [(message.kind, message.next_news_by) for message in told] == [("opened", "2026-05-04 17:00")]
        await scene.play(
            [
                said("2026-04-29 11:00", IMPORTER, "item.received", **{"from": SHOP}),
                said("2026-04-30 12:00", IMPORTER, "item.handed_over", to=BENCH),
            ]
        )
        assert (await scene.owed(ORDER, "receive"))[1:] == [
            # Two of its working days, which have eight hours (five days of eight, one of three: the median). Four on
            # Thursday until 16:00; none on Friday, the first of May; three on Saturday; eight on Monday; one left.
            Owed("receive", BENCH, "2026-05-05 09:00", "open")
        ]
        await scene.until("2026-05-05 09:00")
        assert await scene.stalled() == []
        await scene.until("2026-05-05 09:01")
        assert await scene.stalled() == [(ORDER, "receive", BENCH)]
        one_face(scene.letters(), SHOP, CARDS)


@pytest.mark.heavy  # projections/test_commitments.py says it of the read models
async def test_another_policy_holds_for_what_is_open_and_not_for_what_is_over(home: Path) -> None:
    async with at(home, "2026-09-07 08:00") as scene:
        await scene.listen()
        await scene.play(
            [
                opened("2026-09-07 09:00"),
                said("2026-09-07 10:00", SHOP, "item.handed_over", to=IMPORTER),
                said("2026-09-08 10:00", IMPORTER, "item.received", **{"from": SHOP}),
                said("2026-09-08 11:00", IMPORTER, "item.handed_over", to=BENCH),
            ]
        )
        first = Owed("receive", IMPORTER, "2026-09-09 10:00", "met", met="2026-09-08 10:00")
        assert await scene.owed(ORDER, "receive") == [first, Owed("receive", BENCH, "2026-09-10 11:00", "open")]
        scene.write_policy('[allow]\nreceive = "4 working hours"\n')
        # The watchdog adopts it at its next beat: on Tuesday, at noon.
        await scene.until("2026-09-08 12:00")
        # The first took eight hours, in time by what held then. The other is due four hours after Tuesday 11:00.
        assert await scene.owed(ORDER, "receive") == [first, Owed("receive", BENCH, "2026-09-08 15:00", "open")]
        assert len(await scene.facts("policy.adopted")) == 1
        await scene.until("2026-09-08 15:01")
        assert await scene.noticed("receive") == [
            # Four fifths of four hours.
            Noticed("2026-09-08 14:12", BENCH, "commitment.nudged", "receive"),
            Noticed("2026-09-08 15:00", BENCH, "commitment.overdue", "receive"),
            Noticed("2026-09-08 15:00", SHOP, "commitment.overdue", "receive"),
        ]
        last = (await scene.told(ORDER))[-1]
        assert (last.at, last.kind) == ("2026-09-08 15:00", "overdue")
        # Seen as of Tuesday morning, what was true then is true still.
        then = await scene.simulation.ask(
            "commitments", {"order": ORDER, "kind": "receive"}, as_of=moment("2026-09-08 11:30").isoformat()
        )
        assert [row["due_at"] for row in then["commitments"] if row["owner"] == BENCH] == ["2026-09-10T09:00:00Z"]


async def test_what_was_said_is_not_said_again_under_a_stricter_policy(home: Path) -> None:
    async with at(home, "2026-09-07 08:00") as scene:
        await scene.listen()
        await scene.play(
            [
                opened("2026-09-07 09:00"),
                said("2026-09-07 10:00", SHOP, "item.handed_over", to=IMPORTER),
            ]
        )
        await scene.until("2026-09-09 10:01")
        before = await scene.noticed("receive"), await scene.told(ORDER)
        assert [(message.at, message.kind) for message in before[1]][1:] == [("2026-09-09 10:00", "overdue")]
        # Late on Wednesday at ten by two working days; by one it was late on Tuesday.
        scene.write_policy('[allow]\nreceive = "1 working day"\n')
        await scene.until("2026-09-09 17:00")
        assert len(await scene.facts("policy.adopted")) == 1
        assert (await scene.noticed("receive"), await scene.told(ORDER)) == before
        # What comes next is said by the new due time: a person, two working days after it.
        await scene.until("2026-09-10 10:01")
        assert [(notice.at, notice.person) for notice in (await scene.noticed("receive"))[len(before[0]) :]] == [
            ("2026-09-10 10:00", "Ms Castellan")
        ]


async def test_a_receipt_that_is_scanned_late_takes_back_what_was_said(home: Path) -> None:
    async with at(home, "2026-09-07 08:00") as scene:
        await scene.listen()
        await scene.play(
            [
                opened("2026-09-07 09:00"),
                said("2026-09-07 10:00", SHOP, "item.handed_over", to=IMPORTER),
            ]
        )
        # Two working days: Wednesday at ten.
        await scene.until("2026-09-09 10:01")
        assert await scene.stalled() == [(ORDER, "receive", IMPORTER)]
        # It came in on Tuesday, and the scanner handed that in on Wednesday at noon.
        await scene.say(said("2026-09-09 12:00", IMPORTER, "item.received", **{"from": SHOP}), "2026-09-08 16:00")
        assert await scene.owed(ORDER, "receive") == [
            Owed("receive", IMPORTER, "2026-09-09 10:00", "met", met="2026-09-08 16:00")
        ]
        assert await scene.stalled() == []
        withdrawn = await scene.facts("commitment.withdrawn")
        assert [(event["data"]["kind"], event["data"]["owed_by"], event["data"]["level"]) for event in withdrawn] == [
            ("receive", IMPORTER, 1)
        ]
        # What was said stays said: the log forgets nothing.
        assert len(await scene.facts("commitment.overdue")) == 1
        assert (await scene.noticed("receive"))[1:] == [
            Noticed("2026-09-09 10:00", IMPORTER, "commitment.overdue", "receive"),
            Noticed("2026-09-09 10:00", SHOP, "commitment.overdue", "receive"),
            Noticed("2026-09-09 12:00", IMPORTER, "commitment.withdrawn", "receive"),
            Noticed("2026-09-09 12:00", SHOP, "commitment.withdrawn", "receive"),
        ]
        await scene.until("2026-09-09 17:00")
        assert len(await scene.facts("commitment.withdrawn")) == 1
        told = await scene.told(ORDER)
        assert [(message.at, message.kind) for message in told] == [
            ("2026-09-07 09:00", "opened"),
            ("2026-09-09 10:00", "overdue"),
            ("2026-09-09 12:06", "received"),
        ]
        assert "The delay that we wrote to you about is over" in told[2].body
        one_face(scene.letters(), SHOP, CARDS)
