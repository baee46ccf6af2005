"""The watch: six weeks between three companies, and the customer never has to ask."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from events.log import last_position
from events.tail import read_until
from services.story import BEGIN, CARDS, IMPORTER, ORDER, REPAIRER, SERIAL, SHOP, Step, watch_story
from tests.chainserver import refusals
from tests.scenarios.backtested import backtested
from tests.scenarios.stage import Stage, heard, moment, stage


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "home", BEGIN, CARDS) as running:
        yield running
    # Each service has its own login, and may do all that it needs.
    assert refusals(tmp_path / "home") == []


async def every_message_speaks_for_the_shop_and_names_nobody_else(scene: Stage) -> None:
    letters = scene.letters()
    assert len(letters) == 8
    for letter in letters:
        assert "Bridge Street Jewellers" in letter
        assert "Ms Jansen" in letter
        for other in (IMPORTER, REPAIRER):
            assert CARDS[other]["display_name"] not in letter
            assert other not in letter
        assert "importer" not in letter.lower()
        assert "repairer" not in letter.lower()
        assert "as soon as possible" not in letter.lower()


async def nothing_personal_is_in_the_log(scene: Stage) -> None:
    js = scene.simulation.operator.jetstream()
    payloads = [payload async for batch in read_until(js, await last_position(js)) for _, payload in batch]
    assert payloads
    for payload in payloads:
        assert b"Jansen" not in payload
        assert b"mail.example" not in payload


async def what_was_known_when_can_be_asked(scene: Stage) -> None:
    stalled_then = await scene.status(ORDER, as_of="2026-07-14T14:30:00Z")
    assert (stalled_then["status"], stalled_then["holder"], stalled_then["heading_to"]) == (
        "in_transit",
        SHOP,
        IMPORTER,
    )
    assert (stalled_then["next_owner"], stalled_then["last_told_kind"]) == (IMPORTER, "overdue")


async def the_late_importer_and_the_shop_are_told_at_once(scene: Stage) -> None:
    heard: list[tuple[str, str, str]] = []

    async def hear(message: Msg) -> None:
        notice = json.loads(message.data)
        heard.append((message.subject, notice["notice"], notice["kind"]))

    await scene.simulation.operator.subscribe("notices.>", cb=hear)
    await scene.simulation.operator.flush()
    await scene.play(watch_story()[:3])
    await scene.until("2026-07-14 16:00")
    importer, shop = "notices.importer.lowlands-watch-import", "notices.retailer.bridge-street"
    # Before it is late, only whoever owes it is reminded.
    assert heard == [(importer, "commitment.nudged", "receive")]
    await scene.until("2026-07-14 16:01")
    await scene.simulation.operator.flush()
    assert sorted(heard[1:]) == [(party, "commitment.overdue", "receive") for party in (importer, shop)]
    stalled = (await scene.simulation.ask("stalled", {}))["stalled"]
    assert [(row["owner"], row["kind"], row["due_at"]) for row in stalled] == [
        (IMPORTER, "receive", "2026-07-14T14:00:00Z")
    ]


async def anybody_finds_it_and_sees_the_same(scene: Stage) -> None:
    by_id, by_serial, by_reference = [await scene.status(name) for name in (ORDER, SERIAL, "RMA-20260715")]
    assert by_id == by_serial == by_reference
    assert (by_id["holder"], by_id["status"], by_id["accountable"]) == (REPAIRER, "waiting_for_part", SHOP)


async def test_she_hears_everything_in_time_and_never_has_to_ask(scene: Stage) -> None:
    # Playing six weeks costs seconds: what the whole story shows is looked at in one telling.
    await the_late_importer_and_the_shop_are_told_at_once(scene)
    await scene.play(watch_story()[3:9])
    await anybody_finds_it_and_sees_the_same(scene)
    await scene.play(watch_story()[9:])
    await scene.until("2026-09-30 12:00")

    told = await scene.told(ORDER)
    assert heard(told) == [
        # Taken in on Thursday afternoon; five working days later, the shop's two closed weeks counted.
        ("2026-07-09 14:30", "opened", "order.opened", "email en", "2026-07-30 17:00"),
        # Sent on Friday at 16:00; the importer had until Tuesday at 16:00, sixteen of its opening hours.
        ("2026-07-14 16:00", "overdue", "receive overdue", "email en", "2026-08-03 17:00"),
        ("2026-07-15 11:06", "received", "item.received", "email en", "2026-08-03 17:00"),
        ("2026-07-17 10:06", "received", "item.received", "email en", "2026-08-03 17:00"),
        # Nothing to tell for nearly five working days of the shop, which would be over on Friday at 17:00: two hours
        # before that she hears how it stands, and for when the part is expected.
        ("2026-07-31 15:00", "update", "update nudged", "email en", "2026-08-07 17:00"),
        ("2026-08-06 15:51", "repaired", "repair.completed", "email en", "2026-08-13 17:00"),
        ("2026-08-11 09:36", "ready", "item.received", "email en", "2026-08-18 17:00"),
        # A working day after she has it back: does it hold? After that nothing is due.
        ("2026-08-14 16:00", "check", "check overdue", "email en", ""),
    ]
    # Whatever was promised was kept: each message came before the date that the one before had named.
    for earlier, later in itertools.pairwise(told):
        assert later.at < earlier.next_news_by

    assert await backtested(scene, ORDER) == [(message.at, message.kind) for message in told]
    status = await scene.status(ORDER)
    assert status["contacts_started"] == 0
    assert (status["status"], status["outcome"]) == ("closed", "repaired")
    assert len(scene.letters()) == len(told)
    await every_message_speaks_for_the_shop_and_names_nobody_else(scene)
    await nothing_personal_is_in_the_log(scene)
    await what_was_known_when_can_be_asked(scene)


@pytest.mark.heavy  # notifying/test_every_letter.py says it of each letter
async def test_she_is_written_to_in_her_own_language(scene: Stage) -> None:
    story = watch_story("nl")
    repaired = next(step for step in story if step.name == "repair.completed")
    await scene.play([story[1], replace(repaired, at=moment("2026-07-10 10:00"))])
    await scene.until("2026-07-10 10:10")
    first, last = await scene.told(ORDER)
    assert (first.language, last.language) == ("nl", "nl")
    assert "donderdag 16 juli om 17.00 uur" in first.body
    assert "Wat er is gedaan: “nieuwe kroon en opwindas, getest tot 200 m”." in last.body
    assert all("Beste mevrouw Jansen," in letter for letter in scene.letters())


@pytest.mark.heavy  # test_terms.py tells a longer story of one
async def test_a_closure_announced_later_moves_what_is_due(scene: Stage) -> None:
    story = watch_story()
    closure, opened, handed = story[0], story[1], story[2]
    late = replace(
        closure,
        at=moment("2026-07-13 10:00"),
        party=IMPORTER,
        subject=IMPORTER,
        data={"from": "2026-07-14T00:00:00+02:00", "until": "2026-07-16T00:00:00+02:00"},
    )
    await scene.play([opened, handed, late])
    await scene.until("2026-07-16 15:59")
    # Without its own closure the shop owed her word by Thursday 14:30; the importer, being closed, owes nothing yet.
    assert [message.kind for message in await scene.told(ORDER)] == ["opened", "update"]
    await scene.until("2026-07-16 16:01")
    assert [message.kind for message in await scene.told(ORDER)] == ["opened", "update", "overdue"]


@pytest.mark.heavy  # of its parts notifying/test_messages.py and test_wording.py say it
async def test_her_calls_are_counted_and_a_part_that_cannot_be_had_is_told_with_a_choice(scene: Stage) -> None:
    call = Step(
        moment("2026-07-10 10:00"),
        SHOP,
        "customer.contacted",
        {"channel": "phone", "direction": "inbound", "summary": "asks where her watch is"},
    )
    await scene.play([*watch_story()[:2], call])
    timeline = await scene.timeline(ORDER)
    assert timeline["order"]["contacts_started"] == 1
    assert [contact["direction"] for contact in timeline["contacts"]] == ["inbound"]

    failed = Step(
        moment("2026-07-21 15:00"),
        REPAIRER,
        "repair.failed",
        {"why": "the part is no longer made", "options": ["refund", "exchange", "return_as_is"]},
    )
    await scene.play([*watch_story()[2:8], failed])
    last = (await scene.told(ORDER))[-1]
    assert last.kind == "failed"
    for choice in ("your money back", "a replacement", "unrepaired"):
        assert choice in last.body
