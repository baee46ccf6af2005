"""Intake when something breaks in the middle of it: the server, the index, or the log itself."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
import pytest
from nats.aio.msg import Msg

from events import log
from events.envelope import make_event
from events.log import last_position
from events.streams import declare_streams
from events.subjects import box_stream
from services import connecting, in_hand, rejected
from services.ending import within
from services.intake import batches, deciding, following, held, judging, rejecting, settling, standstill, taking
from services.intake.background import Background, Left
from services.intake.following import Follower
from services.intake.index import Index
from services.intake.service import Intake
from services.intake.standstill import StandstillError
from services.stopping import CLOSING, LAST_HEARD, LEAVING
from tests.chainserver import ChainServer
from tests.hanging import waiting_in
from tests.services.intakes import IMPORTER, Chain, event
from tests.services.submissions import SHOP
from tests.waiting import eventually


@pytest.fixture
async def chain(chain_server: ChainServer, monkeypatch: pytest.MonkeyPatch) -> Chain:
    for module in (batches, following):
        monkeypatch.setattr(module, "_RETRY_DELAY", 0.05)
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    return Chain(chain_server)


async def test_an_append_without_an_answer_is_not_made_twice_even_when_the_server_has_forgotten_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count()
    answers = iter([nats.errors.TimeoutError()])

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        places = await log.append_batch(*args, **options)
        for trouble in answers:
            raise trouble
        return places

    async def follow_nothing(self: Follower, batch: Any) -> None:
        """The index learns of the append from nobody but the intake itself."""

    shop = await chain.partner(SHOP)
    async with chain.running():
        await shop.say(event("e0"))
    monkeypatch.setattr(log, "message_id", lambda *_: str(next(numbers)))  # nothing is remembered by the server
    monkeypatch.setattr(taking, "append_batch", append_batch)
    monkeypatch.setattr(Follower, "_note", follow_nothing)
    async with chain.running():
        sequences = [await shop.hand_in(event(f"e{number}", "order.reopened")) for number in range(1, 4)]
        outcomes = [(await shop.receipt(sequence))["outcome"] for sequence in sequences]
    assert set(outcomes) <= {"accepted", "duplicate"}
    assert await last_position((await chain.server.connect("keeper")).jetstream()) == 4


@pytest.mark.parametrize(
    "trouble",
    [sqlite3.OperationalError("made up: the disk is full"), nats.js.errors.NoStreamResponseError()],
    ids=["index", "server"],
)
async def test_no_submission_is_blamed_for_trouble_of_ours(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    left = [trouble, trouble]
    appended = Index.appended

    def fail_at_first(self: Index, *args: Any) -> None:
        if left:
            raise left.pop()
        appended(self, *args)

    monkeypatch.setattr(Index, "appended", fail_at_first)
    shop = await chain.partner(SHOP)
    async with chain.running():
        assert (await shop.say(event("e1")))["outcome"] == "duplicate"  # it was in the log since the first attempt
    js = (await chain.server.connect("keeper")).jetstream()
    assert (await last_position(js), await rejected.count_rejected(js)) == (1, 0)


async def test_a_server_that_stores_nothing_is_told_by_the_health_check(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = asyncio.Event()

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        if full.is_set():
            raise nats.errors.TimeoutError
        return await log.append_batch(*args, **options)

    monkeypatch.setattr(taking, "append_batch", append_batch)
    monkeypatch.setattr(standstill, "_LONG", timedelta(0))
    shop = await chain.partner(SHOP)
    async with chain.running() as intake:
        full.set()
        sequence = await shop.hand_in(event("e1"))
        await eventually(lambda: _fails(intake))
        full.clear()
        assert (await shop.receipt(sequence))["outcome"] == "accepted"
        assert not await _fails(intake)


async def _fails(intake: Intake) -> bool:
    try:
        await intake.check()
    except StandstillError:
        return True
    return False


@pytest.mark.parametrize("gone", [True, False], ids=["the server has gone", "nothing comes to its end"])
async def test_a_stop_waits_no_longer_than_it_should(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    """With a batch at hand, and one beside it: nothing of it comes to an end, and all comes again."""
    beside, at_hand, never = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def settle(*_: Any) -> None:
        beside.set()
        await never.wait()

    async def keep_contacts(_: Any, accepted: Iterable[Any]) -> None:
        if list(accepted):
            at_hand.set()
            await never.wait()

    monkeypatch.setattr(connecting, "_BACK_WITHIN", 0.2)
    if not gone:
        monkeypatch.setattr("services.intake.service.AT_HAND", 0.3)  # one allowance for both
    monkeypatch.setattr(settling.Settling, "settle", settle)
    monkeypatch.setattr(taking, "keep_contacts", keep_contacts)
    shop, intake = await chain.partner(SHOP), chain.intake()
    await intake.start()
    await shop.hand_in(event("e1", "nonsense.said"))
    await beside.wait()
    await shop.hand_in(event("e2"))
    await at_hand.wait()
    if gone:
        os.kill(chain.server.embedded.pid, signal.SIGKILL)
        await chain.server.embedded.wait()
    await within(5 if gone else 0.3 + LAST_HEARD + LEAVING + CLOSING + 1, intake.stop())
    left = [where for where in map(waiting_in, asyncio.all_tasks()) if "keep_contacts" in where or "settle" in where]
    assert left == []
    if gone:
        await chain.server.embedded.start()


async def test_a_fault_with_one_submission_is_answered_and_its_neighbours_go_on(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = deciding.decide

    def stumble(fact: Any, *args: Any) -> Any:
        if fact.id == "odd":
            raise ZeroDivisionError("made up")
        return decide(fact, *args)

    monkeypatch.setattr(judging, "decide", stumble)
    shop = await chain.partner(SHOP)
    ids = ("e1", "odd", "e2")
    sequences = {id: await shop.hand_in(event(id, subject=id)) for id in ids}
    async with chain.running():
        receipts = {id: await shop.receipt(sequence) for id, sequence in sequences.items()}
    assert [receipts[id]["outcome"] for id in ids] == ["accepted", "rejected", "accepted"]
    assert receipts["odd"]["problem"]["type"].endswith("internal")


async def test_what_waits_for_its_order_is_taken_in_although_trouble_came_just_then(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [nats.errors.TimeoutError()]
    resubmit = held.resubmit

    async def fail_at_first(*args: Any, **where: Any) -> int:
        if left:
            raise left.pop()
        return await resubmit(*args, **where)

    monkeypatch.setattr(held, "resubmit", fail_at_first)
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("importer"), chain.running("retailer"):
        early = await north.say(event("r1", "item.received", source=IMPORTER))
        assert early["problem"]["type"].endswith("unknown-order")
        await shop.say(event("e1"))
        assert (await north.heard("r1", "accepted"))["order"] == "W-1"
    assert left == []


async def test_what_was_opened_while_it_was_on_its_way_to_wait_is_taken_in(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided, opened = asyncio.Event(), asyncio.Event()
    keep_together = rejecting.keep_together

    async def slowly(*args: Any) -> None:
        if args[1] and not opened.is_set():
            decided.set()
            await opened.wait()
        await keep_together(*args)

    monkeypatch.setattr(settling, "keep_together", slowly)
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("importer") as intake, chain.running("retailer"):
        await north.hand_in(event("r1", "item.received", source=IMPORTER))
        await decided.wait()
        await shop.say(event("e1"))
        await eventually(lambda: intake._index.names("W-1"))  # nobody will name it to the importer's intake once more
        opened.set()
        assert (await north.heard("r1", "accepted"))["order"] == "W-1"


@pytest.mark.parametrize("trouble", [nats.errors.TimeoutError(), ZeroDivisionError("made up")], ids=["server", "fault"])
async def test_trouble_while_a_batch_is_settled_beside_the_next_leaves_nobody_without_an_answer(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    left = [trouble]
    keep_together = rejecting.keep_together

    async def fail_at_first(*args: Any) -> None:
        if args[1] and left:
            raise left.pop()
        await keep_together(*args)

    monkeypatch.setattr(settling, "keep_together", fail_at_first)
    shop = await chain.partner(SHOP)
    events = [event(f"e{n}", "nonsense.said" if n % 3 else "order.opened", subject=f"W-{n}") for n in range(9)]
    sequences = [await shop.hand_in(each) for each in events]
    async with chain.running():
        outcomes = [(await shop.receipt(sequence))["outcome"] for sequence in sequences]
    assert left == []
    assert [outcome in ("accepted", "duplicate") for outcome in outcomes] == [number % 3 == 0 for number in range(9)]
    js = (await chain.server.connect("keeper")).jetstream()
    assert (await last_position(js), await rejected.count_rejected(js)) == (3, 6)


async def test_an_index_of_another_log_is_made_anew(chain: Chain) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running() as intake:
        path = intake._index_path
        await shop.say(event("a1", subject="A"))
        await shop.say(event("a2", subject="B"))
        await eventually(lambda: intake._index.position == 2)
    other = Index(path.with_suffix(".other"))
    other.follow([(1, event("x1", subject="X")), (2, event("a3", subject="Y"))])
    other.close()
    for file in path.parent.iterdir():
        if file.name.startswith(path.name):
            file.unlink()
    path.with_suffix(".other").replace(path)
    async with chain.running():
        assert (await shop.say(event("a1", subject="A")))["outcome"] == "duplicate"
        assert (await shop.say(event("a3", subject="Y")))["outcome"] == "accepted"


async def test_what_a_backup_has_lost_can_be_handed_in_again_while_intake_runs(chain: Chain, tmp_path: Path) -> None:
    shop = await chain.partner(SHOP)
    async with chain.running() as intake:
        assert (await shop.say(event("kept", subject="A")))["outcome"] == "accepted"
        await chain.server.back_up(tmp_path / "backup")
        await eventually(lambda: shop.connection.is_connected)
        assert (await shop.say(event("lost", subject="B")))["outcome"] == "accepted"
        await eventually(lambda: intake._index.position == 2)
        await chain.server.restore(tmp_path / "backup")
        await eventually(lambda: intake._index.position == 1, "the index shows the log of the backup")
        await eventually(lambda: shop.connection.is_connected)
        assert (await shop.say(event("lost", subject="B")))["outcome"] == "accepted"
        assert (await shop.say(event("kept", subject="A")))["outcome"] == "duplicate"
        js = (await chain.server.connect("keeper")).jetstream()

        async def swept() -> bool:
            return (await js.stream_info(box_stream(SHOP))).state.messages == 0

        await eventually(swept, "the intake stream of the backup is swept too")


async def test_what_the_server_has_lost_is_no_duplicate_although_the_log_has_grown_since(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOK_EVERY", 600.0)  # whoever decides looks, and not by chance the follower before
    shop = await chain.partner(SHOP)
    async with chain.running() as intake:
        assert (await shop.say(event("kept", subject="A")))["outcome"] == "accepted"
        await chain.server.back_up(tmp_path / "backup")
        await eventually(lambda: shop.connection.is_connected)
        lost = [event(f"lost{number}", subject=f"B{number}") for number in range(2)]
        for body in lost:
            assert (await shop.say(body))["outcome"] == "accepted"
        await chain.server.restore(tmp_path / "backup")
        keeper = (await chain.server.connect("keeper")).jetstream()
        for number in range(2):
            other = make_event(
                "item.received", source=IMPORTER, id=f"other{number}", subject="C", time=datetime.now(UTC), data={}
            )
            await log.append(keeper, other)
        await eventually(lambda: intake._connection.is_connected and shop.connection.is_connected)
        assert [(await shop.say(body))["outcome"] for body in lost] == ["accepted", "accepted"]
        assert (await shop.say(event("kept", subject="A")))["outcome"] == "duplicate"
        positions = [intake._index.position_of(SHOP, f"lost{number}") for number in range(2)]
        assert positions == [4, 5]


async def test_what_names_the_number_of_others_waits_and_is_not_tried_again_and_again(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[str] = []
    release = held.Held.release

    async def releasing(self: held.Held, js: Any, index: Index, name: str) -> None:
        released.append(name)
        await release(self, js, index, name)

    monkeypatch.setattr(held.Held, "release", releasing)
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("importer"), chain.running("retailer"):
        product = {"brand": "Example", "serial": "SN-1"}
        await shop.say(event("e1", data={"product": product}))
        early = [event(id, "item.received", source=IMPORTER, subject=of) for id, of in (("r1", "SN-1"), ("r2", "W-2"))]
        receipts = [await north.say(body) for body in early]  # SN-1 is a serial number, which r1 does not say
        assert [receipt["outcome"] for receipt in receipts] == ["held", "held"]
        await shop.say(event("e2", subject="W-2"))
        await north.heard("r2", "accepted")
        assert released == ["W-2"]
        assert [each["outcome"] for heard in north.receipts.values() for each in heard] == ["held", "held", "accepted"]


async def test_after_trouble_what_was_handed_in_first_is_still_taken_first(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    next_has_come = asyncio.Event()

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        nonlocal calls
        calls += 1
        if calls == 2:
            await next_has_come.wait()
            raise nats.errors.TimeoutError
        return await log.append_batch(*args, **options)

    monkeypatch.setattr(taking, "append_batch", append_batch)
    shop = await chain.partner(SHOP)
    async with chain.running():
        await shop.say(event("e1", subject="W-1"))
        opened = await shop.hand_in(event("e2", subject="W-2"))
        await eventually(lambda: calls == 2)
        merged = await shop.hand_in(event("m", "order.merged", subject="W-1", data={"into": "W-2"}))
        next_has_come.set()
        assert (await shop.receipt(opened))["outcome"] == "accepted"
        assert (await shop.receipt(merged))["outcome"] == "accepted"


async def test_what_one_instance_holds_is_let_go_although_another_has_read_that_its_order_was_opened(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_ALL_EVERY", 0.2)
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    monkeypatch.setattr(held.Held, "named_by", lambda *_: [])  # as if the other had appended or read it
    monkeypatch.setattr(held.Held, "named_in", lambda *_: [])
    async with chain.running("importer"), chain.running("retailer"):
        early = await north.say(event("r1", "item.received", source=IMPORTER))
        assert early["outcome"] == "held"
        await shop.say(event("e1"))
        assert (await north.heard("r1", "accepted"))["order"] == "W-1"


async def test_what_was_taken_of_a_half_is_not_taken_once_more(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    troubles: dict[int, Exception] = {1: log.NotFirstError("made up"), 3: ZeroDivisionError("made up")}
    calls = 0

    async def append_batch(*args: Any, **options: Any) -> list[log.Appended]:
        nonlocal calls
        calls += 1
        if calls in troubles:
            raise troubles[calls]
        return await log.append_batch(*args, **options)

    monkeypatch.setattr(taking, "append_batch", append_batch)
    shop = await chain.partner(SHOP)
    sequences = [await shop.hand_in(event(f"e{number}", subject=f"W-{number}")) for number in range(16)]
    async with chain.running():
        outcomes = [(await shop.receipt(sequence))["outcome"] for sequence in sequences]
    assert outcomes == ["accepted"] * 16
    assert all(len(heard) == 1 for heard in shop.receipts.values())


async def test_one_that_cannot_be_let_go_does_not_keep_another_waiting_for_ever(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both fail, one at once and one later: what is looked through after the first must find the second, too."""
    handed_in, release_known = held.resubmit, held.Held.release_known
    failing = {"W-1", "W-2"}
    looked = asyncio.Event()

    async def looking(self: held.Held, *args: Any) -> None:
        await release_known(self, *args)
        if "W-1" not in failing:
            looked.set()

    async def resubmit(js: Any, rejected: Any, **where: Any) -> int:
        name = next((name for name in failing if name in rejected.payload.decode()), None)
        if name is None:
            return await handed_in(js, rejected, **where)
        failing.discard(name)
        if name == "W-2":
            with suppress(TimeoutError):  # after the look that follows the first, if it did not wait for this
                await asyncio.wait_for(looked.wait(), 0.2)
        raise nats.errors.TimeoutError

    monkeypatch.setattr(held, "resubmit", resubmit)
    monkeypatch.setattr(held.Held, "release_known", looking)
    shop, north = await chain.partner(SHOP), await chain.partner(IMPORTER)
    async with chain.running("importer"):
        for number in (1, 2):
            early = await north.say(event(f"r{number}", "item.received", source=IMPORTER, subject=f"W-{number}"))
            assert early["outcome"] == "held"
        for number in (1, 2):
            await shop.hand_in(event(f"e{number}", subject=f"W-{number}"))
        async with chain.running("retailer"):
            await north.heard("r1", "accepted")
            await north.heard("r2", "accepted")
    assert not failing


async def test_what_waits_until_others_are_settled_is_not_handed_out_once_more(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy disk may keep it waiting for longer than the server does: so the server is told that it is worked on."""
    may_end = asyncio.Event()
    lefts: list[Left] = []
    said: list[str] = []
    add, in_progress, keep_together = Background.add, Msg.in_progress, rejecting.keep_together

    def adding(self: Background, left: Left) -> None:
        lefts.append(left)
        add(self, left)

    async def saying(self: Msg) -> None:
        said.append(self.reply)
        await in_progress(self)

    async def slowly(*args: Any) -> None:
        await may_end.wait()
        await keep_together(*args)

    monkeypatch.setattr(Background, "add", adding)
    monkeypatch.setattr(Msg, "in_progress", saying)
    monkeypatch.setattr(settling, "keep_together", slowly)
    monkeypatch.setattr(in_hand, "_SAY_SO_EVERY", 0.02)
    shop = await chain.partner(SHOP)
    async with chain.running():
        sequences = []
        for number in (1, 2):
            sequences.append(await shop.hand_in(event(f"bad{number}", "nonsense.said")))
            await eventually(lambda number=number: len(lefts) == number, "it is left for later")  # type: ignore[misc]
        [waiting] = lefts[1].taken.messages
        said.clear()
        await eventually(lambda: waiting.reply in said, "it is said to be worked on", patience=5)
        may_end.set()
        for sequence in sequences:
            assert (await shop.receipt(sequence))["outcome"] == "rejected"
