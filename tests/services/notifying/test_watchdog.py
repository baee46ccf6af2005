"""The watchdog says what is overdue once per commitment and level, whatever restarts or second watchdogs do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.clock import SimulatedClock
from events.envelope import Event
from events.log import Appended
from services.answering import NoAnswerError
from services.notices import Notice
from services.watchdog import Watchdog, decide_overdue, level_of, overdue_id
from tests.services.notifying.chain import (
    DAY,
    HOUR,
    IMPORTER,
    MONDAY,
    OPENED,
    ORDER,
    SHOP,
    TO_IMPORTER,
    Chain,
    received,
)


def row(
    kind: str = "receipt", days: float = 0.1, level: int = 0, commitment: str = "receipt/W-1001/x"
) -> dict[str, Any]:
    due = MONDAY
    return {
        "commitment_id": commitment,
        "kind": kind,
        "order_id": ORDER,
        "owed_by": IMPORTER,
        "owed_to": SHOP,
        "accountable": SHOP,
        "since": "2026-10-30T10:00:00Z",
        "due": due.isoformat(),
        "overdue_seconds": days * 86_400,
        "overdue_level": level,
    }


# -- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "days", "level"),
    [
        ("receipt", 0, 1),
        ("receipt", 100, 1),
        ("news", 0, 1),
        ("news", 1.9, 1),
        ("news", 2, 2),
        ("news", 4.5, 3),
        ("news", 400, 6),
    ],
)
def test_levels(kind: str, days: float, level: int) -> None:
    assert level_of(row(kind, days)) == level


def test_what_was_noted_is_not_noted_again() -> None:
    assert decide_overdue([row(level=1)], MONDAY) == []
    assert decide_overdue([row("news", days=1, level=1)], MONDAY) == []
    ((event, _),) = decide_overdue([row("news", days=3, level=1)], MONDAY)
    assert event.data["level"] == 2


def test_the_fact_that_is_said() -> None:
    ((event, _),) = decide_overdue([row()], MONDAY + HOUR)
    assert event.id == "overdue:receipt/W-1001/x:1"
    assert (event.source, event.subject, event.time) == ("chain:watchdog", ORDER, MONDAY + HOUR)
    assert event.data == {
        "commitment": "receipt/W-1001/x",
        "kind": "receipt",
        "level": 1,
        "owed_by": IMPORTER,
        "due": "2026-11-02T10:00:00Z",
    }


def test_an_id_is_never_too_long_for_the_log() -> None:
    ids = {overdue_id("receipt/" + "é" * 200 + end, level) for end in "ab" for level in (1, 2)}
    assert len(ids) == 4
    assert all(len(id.encode()) <= 240 for id in ids)
    ((event, _),) = decide_overdue([row(commitment="é" * 300)], MONDAY)
    assert event.data["commitment"] == "é" * 300


# -- beats over the real read models ----------------------------------------------------------------------------------


class Post:
    """Notices, as the parties would get them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Notice]] = []

    async def __call__(self, party: str, notice: Notice) -> None:
        self.sent.append((party, notice))


def watchdog(chain: Chain, post: Post, **parts: Any) -> Watchdog:
    return Watchdog(
        ask=parts.get("ask", chain.ask),
        append=parts.get("append", chain.append),
        notify=post,
        clock=parts.get("clock", chain.clock),
        beat_seconds=5,
        last_position=chain.last_position,
    )


async def test_both_who_owes_and_who_answers_for_it_are_told(chain: Chain) -> None:
    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post)
    due = datetime(2026, 11, 4, 11, 0, tzinfo=UTC)
    assert await dog.beat(due) == 0
    assert await dog.beat(due + timedelta(seconds=5)) == 1
    assert {party for party, _ in post.sent} == {IMPORTER, SHOP}
    notice = post.sent[0][1]
    assert (notice.notice, notice.order, notice.kind, notice.owed_by) == (
        "commitment.overdue",
        ORDER,
        "receipt",
        IMPORTER,
    )
    assert notice.since == TO_IMPORTER.time
    assert notice.due == due


async def test_what_is_long_past_when_it_is_first_seen_is_believed_at_the_second_beat(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post())
    assert await dog.beat(MONDAY + 3 * DAY) == 0
    assert await dog.beat(MONDAY + 3 * DAY) == 1


async def test_an_upload_of_old_facts_is_not_taken_for_a_stall_while_it_comes_in(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post())
    assert await dog.beat(MONDAY + 3 * DAY) == 0
    chain.given(received(IMPORTER, MONDAY + DAY))
    assert await dog.beat(MONDAY + 3 * DAY) == 0
    assert chain.named("commitment.overdue") == []


async def test_neither_more_beats_nor_restarts_nor_a_second_watchdog_say_it_again(chain: Chain) -> None:
    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post)
    await dog.beat(MONDAY + 3 * DAY)
    await dog.beat(MONDAY + 3 * DAY)
    await dog.beat(MONDAY + 3 * DAY)
    other = watchdog(chain, post)
    await other.beat(MONDAY + 3 * DAY + HOUR)
    await other.beat(MONDAY + 3 * DAY + HOUR)
    assert len(chain.named("commitment.overdue")) == 1
    assert len(post.sent) == 2


async def test_the_server_s_word_that_it_was_said_already_is_believed(chain: Chain) -> None:
    async def append(event: Event) -> Appended:
        return Appended(1, duplicate=True)

    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post, append=append)
    assert [await dog.beat(MONDAY + 3 * DAY) for _ in range(2)] == [0, 0]
    assert post.sent == []


async def test_what_was_met_is_not_overdue(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, received(IMPORTER, MONDAY + DAY))
    dog = watchdog(chain, Post())
    assert [await dog.beat(MONDAY + 4 * DAY) for _ in range(2)] == [0, 0]


async def test_silence_is_noted_and_noted_again_when_it_lasts(chain: Chain) -> None:
    chain.given(OPENED)
    dog = watchdog(chain, Post())
    due = datetime(2026, 11, 9, 10, 0, tzinfo=UTC)
    for moment in (due + HOUR, due + DAY, due + 3 * DAY, due + 3 * DAY + HOUR):
        await dog.beat(moment)
    assert [event.data["level"] for event in chain.named("commitment.overdue")] == [1, 2]


async def test_the_answer_must_know_what_was_said_last(chain: Chain) -> None:
    asked: list[int | None] = []

    async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        asked.append(at_least)
        return await chain.ask(name, args, at_least)

    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post(), ask=ask)
    for _ in range(3):
        await dog.beat(MONDAY + 3 * DAY)
    assert asked == [2, 2, 3]


# -- the loop ---------------------------------------------------------------------------------------------------------


async def test_it_beats_with_the_clock_and_goes_on_after_trouble() -> None:
    clock = SimulatedClock(MONDAY)
    beats: list[datetime] = []
    answers: list[Exception | None] = [None, NoAnswerError("the projector does not run"), ValueError("odd row"), None]
    beaten = asyncio.Event()

    async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        beats.append(clock.now())
        beaten.set()
        if (trouble := answers.pop(0)) is not None:
            raise trouble
        return {"stalled": []}

    async def append(event: Event) -> Appended:
        raise AssertionError("nothing is overdue")

    async def last_position() -> int:
        return 0

    dog = Watchdog(ask, append, Post(), clock, beat_seconds=5, last_position=last_position)
    await dog.start()
    for number in range(1, 5):
        async with asyncio.timeout(5):
            await beaten.wait()
        beaten.clear()
        clock.set(MONDAY + timedelta(seconds=5 * number))
    await dog.stop()
    assert beats == [MONDAY + timedelta(seconds=5 * number) for number in range(4)]
