"""The watchdog says what is to be said of commitments once, whatever restarts or second watchdogs do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
import pytest

from events.clock import SimulatedClock, SystemClock
from events.envelope import Event
from events.log import Appended
from services import watchdog as watching
from services.adopting import Adopting
from services.answering import NoAnswerError
from services.notices import Notice
from services.watchdog import Watchdog, decide, fact_id, whom_to_notify
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
    corrected,
    fact,
    received,
)


def row(say: str = "overdue", reached: int = 1, commitment: str = "receive/W-1001/x") -> dict[str, Any]:
    return {
        "commitment_id": commitment,
        "order": ORDER,
        "kind": "receive",
        "owner": IMPORTER,
        "owed_to": SHOP,
        "accountable": SHOP,
        "opened_at": "2026-10-30T10:00:00Z",
        "due_at": "2026-11-02T10:00:00Z",
        "ended_at": "2026-11-02T09:00:00Z" if say == "withdraw" else None,
        "said_for": MONDAY.isoformat(),
        "say": say,
        "reached": reached,
        "tell": ["owner"],
    }


# -- the decision -----------------------------------------------------------------------------------------------------


def test_the_fact_that_is_said() -> None:
    ((event, _),) = decide([row()], MONDAY + HOUR)
    assert event.id == "overdue:receive/W-1001/x:1:2026-11-02T10:00:00Z"
    assert (event.name, event.source, event.subject, event.time) == (
        "commitment.overdue",
        "chain:watchdog",
        ORDER,
        MONDAY + HOUR,
    )
    assert event.data == {
        "commitment": "receive/W-1001/x",
        "kind": "receive",
        "level": 1,
        "owed_by": IMPORTER,
        "due": "2026-11-02T10:00:00Z",
        "tell": ["owner"],
    }


@pytest.mark.parametrize(
    ("given", "name", "id"),
    [
        (row("nudge", 0), "commitment.nudged", "nudged:receive/W-1001/x:0:2026-11-02T10:00:00Z"),
        (row("overdue", 2), "commitment.overdue", "overdue:receive/W-1001/x:2:2026-11-02T10:00:00Z"),
        (row("withdraw", 2), "commitment.withdrawn", "withdrawn:receive/W-1001/x:2:2026-11-02T10:00:00Z"),
        # Of a new date it is said anew.
        (
            row() | {"due_at": "2026-11-05T16:00:00Z"},
            "commitment.overdue",
            "overdue:receive/W-1001/x:1:2026-11-05T16:00:00Z",
        ),
    ],
)
def test_each_thing_is_said_by_an_id_of_its_own(given: dict[str, Any], name: str, id: str) -> None:
    ((event, _),) = decide([given], MONDAY + HOUR)
    assert (event.name, event.id) == (name, id)


def test_an_id_is_never_too_long_for_the_log() -> None:
    ids = {
        fact_id("overdue", "receive/" + "é" * 200 + end, level, "2026-11-02T10:00:00Z")
        for end in "ab"
        for level in (1, 2)
    }
    assert len(ids) == 4
    assert all(len(id.encode()) <= 240 for id in ids)
    ((event, _),) = decide([row(commitment="é" * 300)], MONDAY)
    assert event.data["commitment"] == "é" * 300


def test_a_notice_goes_to_partners_whom_the_level_names() -> None:
    assert whom_to_notify(row() | {"tell": ["owner"]}) == {IMPORTER}
    assert whom_to_notify(row() | {"tell": ["accountable", "customer", "owner"]}) == {IMPORTER, SHOP}
    assert whom_to_notify(row() | {"tell": ["person"]}) == {SHOP}
    assert whom_to_notify(row() | {"owner": "customer:C-1", "tell": ["owner"]}) == set()


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
        adopting=parts.get("adopting"),
        person_of={SHOP: "Ms Visser"}.get,
    )


DUE = datetime(2026, 11, 4, 11, 0, tzinfo=UTC)
#: Four fifths of the way there, in opening hours.
NUDGE = datetime(2026, 11, 4, 7, 48, tzinfo=UTC)


def said(chain: Chain, kind: str = "receive") -> list[tuple[str, int | None]]:
    names = ("commitment.nudged", "commitment.overdue", "commitment.withdrawn")
    facts = [event for name in names for event in chain.named(name) if event.data["kind"] == kind]
    return [(event.name.partition(".")[2], event.data.get("level")) for event in sorted(facts, key=lambda e: e.time)]


async def test_a_reminder_then_who_owes_and_who_answers_for_it_then_a_person(chain: Chain) -> None:
    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog, second = watchdog(chain, post), timedelta(seconds=1)
    for moment in (NUDGE, NUDGE + second, NUDGE + 2 * second, DUE, DUE + second, DUE + 2 * second):
        await dog.beat(moment)
    for moment in (DUE + 2 * DAY, DUE + 2 * DAY + second, DUE + 9 * DAY):
        await dog.beat(moment)
    assert said(chain) == [("nudged", None), ("overdue", 1), ("overdue", 2)]
    heard = [
        (party, notice.notice, notice.level, notice.person) for party, notice in post.sent if notice.kind == "receive"
    ]
    assert heard[0] == (IMPORTER, "commitment.nudged", None, None)
    assert sorted(heard[1:3]) == [
        (IMPORTER, "commitment.overdue", 1, None),
        (SHOP, "commitment.overdue", 1, None),
    ]
    assert heard[3:] == [(SHOP, "commitment.overdue", 2, "Ms Visser")]
    notice = next(notice for _, notice in post.sent if notice.level == 1 and notice.kind == "receive")
    assert (notice.order, notice.owner) == (ORDER, IMPORTER)
    assert (notice.opened_at, notice.due_at) == (TO_IMPORTER.time, DUE)


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
    await dog.beat(MONDAY + 3 * DAY)
    assert said(chain) == []


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
    assert said(chain) == [("overdue", 1)]
    assert len(post.sent) == 2


async def test_the_server_s_word_that_it_was_said_already_is_believed(chain: Chain) -> None:
    async def append(event: Event) -> Appended:
        return Appended(1, duplicate=True)

    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post, append=append)
    assert [await dog.beat(MONDAY + 3 * DAY) for _ in range(2)] == [0, 0]
    assert post.sent == []


async def test_the_parties_are_told_though_the_server_s_word_was_lost(chain: Chain) -> None:
    """What it stored and did not confirm comes up in no sweep any more."""
    lost = [True]

    async def append(event: Event) -> Appended:
        known = any(event.id == other.id for other in chain.events)
        if not known:
            await chain.append(event)
        if lost.pop() if lost else False:
            raise nats.errors.TimeoutError
        return Appended(len(chain.events), duplicate=known)

    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post, append=append)
    with pytest.raises(nats.errors.TimeoutError):
        await dog.beat(DUE + timedelta(seconds=1))
    assert post.sent == []
    for _ in range(2):
        await dog.beat(DUE + timedelta(seconds=2))
    assert said(chain) == [("overdue", 1)]
    assert [party for party, _ in post.sent if party == IMPORTER] == [IMPORTER]


async def test_what_was_met_is_not_overdue(chain: Chain) -> None:
    chain.given(OPENED, TO_IMPORTER, received(IMPORTER, MONDAY + DAY))
    dog = watchdog(chain, Post())
    for _ in range(2):
        await dog.beat(MONDAY + 4 * DAY)
    assert said(chain) == []


async def test_a_receipt_that_was_scanned_in_time_takes_back_what_was_said(chain: Chain) -> None:
    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post)
    await dog.beat(DUE + timedelta(seconds=1))
    chain.given(received(IMPORTER, DUE - HOUR))
    for _ in range(3):
        await dog.beat(DUE + HOUR)
    assert said(chain) == [("overdue", 1), ("withdrawn", 1)]
    assert {party for party, notice in post.sent if notice.notice == "commitment.withdrawn"} == {IMPORTER, SHOP}


async def test_what_somebody_took_back_is_not_said_again_and_again(chain: Chain) -> None:
    post = Post()
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, post)
    await dog.beat(DUE + timedelta(seconds=1))
    (noted,) = [event for event in chain.named("commitment.overdue") if event.data["kind"] == "receive"]
    chain.given(corrected(noted, DUE + HOUR))
    for _ in range(5):
        await dog.beat(DUE + 2 * HOUR)
    assert len([event for event in chain.named("commitment.overdue") if event.data["kind"] == "receive"]) == 1
    assert len(post.sent) == 2


async def test_what_it_remembers_to_have_said_has_a_limit(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_REMEMBERED", 2)
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post())
    for hours in range(0, 240, 24):
        await dog.beat(DUE + timedelta(hours=hours, seconds=1))
    assert len(said(chain)) + len(said(chain, "update")) > 2
    assert len(dog._said) <= 2


async def test_who_is_nobody_leaves_it_to_the_accountable_party(chain: Chain) -> None:
    asked = fact("question.asked", SHOP, MONDAY, question="q1", text="Why?", to="the moon")
    chain.given(OPENED, asked)
    dog = watchdog(chain, Post())
    for moment in (MONDAY + 3 * DAY, MONDAY + 3 * DAY + HOUR):
        await dog.beat(moment)
    assert said(chain, "answer") == [("overdue", 1)]
    assert chain.named("commitment.overdue")[-1].data["owed_by"] == SHOP


async def test_silence_is_noted_and_noted_again_when_it_lasts(chain: Chain) -> None:
    chain.given(OPENED)
    dog = watchdog(chain, Post())
    due = datetime(2026, 11, 9, 10, 0, tzinfo=UTC)
    for moment in (due + HOUR, due + DAY, due + 3 * DAY, due + 3 * DAY + HOUR):
        await dog.beat(moment)
        await dog.beat(moment)
    assert said(chain, "update") == [("overdue", 1), ("overdue", 2)]


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


# -- the policy -------------------------------------------------------------------------------------------------------


async def test_a_policy_file_is_adopted_once_and_a_broken_one_changes_nothing(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post(), adopting=Adopting(file))
    await dog.beat(MONDAY + HOUR)
    assert chain.named("policy.adopted") == []

    file.write_text('[allow]\nreceive = "4 working hours"')
    await dog.beat(MONDAY + HOUR)
    await dog.beat(MONDAY + 2 * HOUR)
    await watchdog(chain, Post(), adopting=Adopting(file)).beat(MONDAY + 2 * HOUR)
    (adopted,) = chain.named("policy.adopted")
    assert adopted.data["policy"]["allow"]["receive"] == "4 working hours"
    (receive,) = [row for row in chain.timeline["commitments"] if row["kind"] == "receive"]
    assert receive["due_at"] == "2026-11-02T15:00:00Z"

    file.write_text('[allow]\nrecieve = "4 working hours"')
    await dog.beat(MONDAY + 2 * HOUR)
    assert chain.named("policy.adopted") == [adopted]
    # What is built in may come back, and is another adoption then.
    file.write_text("")
    await dog.beat(MONDAY + 3 * HOUR)
    assert len(chain.named("policy.adopted")) == 2


async def test_a_policy_holds_though_the_clock_was_set_back_since_the_one_before(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    chain.given(OPENED, TO_IMPORTER)
    dog = watchdog(chain, Post(), adopting=Adopting(file))
    for hours, moment in ((4, MONDAY + DAY), (3, MONDAY + HOUR), (2, MONDAY + HOUR)):
        file.write_text(f'[allow]\nreceive = "{hours} working hours"' + "\n" * hours)
        await dog.beat(moment)
        held = (await chain.ask("policy", {}, None))["policy"]["allow"]["receive"]
        assert held == f"{hours} working hours"
    assert len(chain.named("policy.adopted")) == 3


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
        return {"sweep": []}

    async def append(event: Event) -> Appended:
        raise AssertionError("there is nothing to say")

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


async def test_it_goes_on_beating_by_a_clock_that_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_BEAT_ANYWAY", 0.02)

    class Clock(SystemClock):
        ahead = DAY

        def now(self) -> datetime:
            return super().now() + self.ahead

    clock, beats, first, second = Clock(), list[datetime](), asyncio.Event(), asyncio.Event()

    async def ask(name: str, args: dict[str, Any], at_least: int | None) -> dict[str, Any]:
        beats.append(datetime.fromisoformat(args["now"]))
        (second if clock.ahead < DAY else first).set()
        return {"sweep": []}

    async def append(event: Event) -> Appended:
        raise AssertionError("there is nothing to say")

    async def last_position() -> int:
        return 0

    dog = Watchdog(ask, append, Post(), clock, beat_seconds=0.01, last_position=last_position)
    await dog.start()
    async with asyncio.timeout(5):
        await first.wait()
        clock.ahead = timedelta(0)
        await second.wait()
    await dog.stop()
    assert beats[-1] < beats[0] - DAY / 2
