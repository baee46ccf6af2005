"""Forgetting a customer on a real server: her name and addresses are found nowhere any more, in no file of the home."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import duckdb
import orjson
import pytest

from events import names
from events.subjects import intake_subject
from services.answering import ask, asker
from services.desk.book import Book
from services.desk.problems import DeskError
from services.desk.record import Customer
from services.desk.service import Desk
from services.desk.traces import erase_expired
from services.desk.unfinished import Unfinished
from services.settings import load_settings
from tests.chainserver import ChainServer, refusals
from tests.ready import projectors_borrow
from tests.services.desk.office import CONTACT, EMAIL, NAME, SHOP, Office
from tests.waiting import eventually

REF = f"{SHOP} C-77"


@pytest.fixture
async def office(chain_server: ChainServer) -> AsyncIterator[Office]:
    async with Office(chain_server) as office:
        yield office
    assert refusals(chain_server.home) == []


@pytest.fixture
async def quick_office(chain_server: ChainServer) -> AsyncIterator[Office]:
    """One whose read models are no file of its home, for tests that look for nothing in that file."""
    with projectors_borrow():
        async with Office(chain_server) as office:
            yield office
    assert refusals(chain_server.home) == []


def first_word(name: str) -> str:
    return name.split()[-1]


async def planted(office: Office) -> None:
    """Two orders of hers, letters to her, a word of hers with her name in it, and submissions that were rejected."""
    await office.open("W-1")
    await office.open("W-2")
    # Rejected, with her contact in it, and one that is not even of a known type.
    faulty = {"product": {"model": "Meridian"}, "customer": "C-77", "contact": CONTACT, "colour": "red"}
    assert (await office.say("order.opened", "W-3", faulty))["outcome"] == "rejected"
    assert (await office.say("order.opned", "W-4", {"contact": CONTACT}))["outcome"] == "rejected"
    # Held for an order to come, and with an address where none belongs.
    assert (await office.say("item.received", "W-9", {"condition": f"ask {EMAIL}"}))["outcome"] == "held"
    said = await office.desk("reply", order="W-1", text=f"This is {NAME}, call me at 06-87654321 or {EMAIL}. All well.")
    assert said["outcome"] == "accepted"
    await eventually(lambda: len(list((office.home / "outbox").glob("*.eml"))) >= 2, "letters to her")


async def everywhere(office: Office) -> list[str]:
    return await office.lies_on_the_disk(first_word(NAME), EMAIL, "87654321")


async def test_while_the_order_lives_the_log_and_all_that_is_made_of_it_hold_nothing_personal(office: Office) -> None:
    await planted(office)
    streams = "nats/store/jetstream/CHAIN/streams"

    async def only_where_it_belongs() -> bool:
        allowed = (f"{streams}/KV_CUSTOMERS/", f"{streams}/REJECTED/", "outbox/")
        return all(place.startswith(allowed) for place in await everywhere(office))

    # What was settled leaves the intake stream, and the disk, within a moment.
    await eventually(only_where_it_belongs, "names only in the book, in what was rejected, and in letters")
    found = await everywhere(office)
    assert {place.split("/")[0] for place in found} == {"nats", "outbox"}  # the scan does find what is there
    assert any("KV_CUSTOMERS" in place for place in found)
    assert any("REJECTED" in place for place in found)


async def test_a_forgotten_customer_is_found_in_no_file_while_everything_runs(office: Office, tmp_path: Path) -> None:
    await planted(office)
    await office.desk("set", ref=REF, quiet="21:00-8:00")  # an older version of her record
    result = await office.desk("forget", ref=REF)
    assert (result["rejected"], sorted(result["orders"])) == (3, ["W-1", "W-2"])
    assert result["letters"] >= 2
    await eventually(lambda: _nowhere(office), "nothing of hers on the disk")
    shown = await office.desk("show", ref=REF)
    assert (shown["forgotten"], shown["contact"]) == (True, None)
    # Compressed, the bytes would not be seen: ask the tables, of a snapshot too.
    snapshot = tmp_path / "snapshot.duckdb"
    await ask(office.operator, "snapshot", {"file": str(snapshot)})
    assert _texts_with(snapshot, (first_word(NAME), EMAIL, "87654321")) == []


async def test_what_was_rejected_long_ago_is_erased_and_not_merely_dropped(office: Office) -> None:
    faulty = {"product": {}, "customer": "C-1", "contact": CONTACT, "colour": "red"}
    await office.say("order.opened", "W-1", faulty)
    await office.say("order.opened", "W-2", faulty)
    js, now = office.keeper.jetstream(), datetime.now(UTC)
    assert await erase_expired(js, now + timedelta(days=89)) == 0
    assert any("REJECTED" in place for place in await office.lies_on_the_disk(EMAIL))
    assert await erase_expired(js, now + timedelta(days=91)) == 2
    await eventually(lambda: _nowhere(office), "nothing of hers on the disk")
    assert (await js.stream_info(names.REJECTED)).state.messages == 0


async def test_a_letter_that_was_being_written_goes_too(quick_office: Office) -> None:
    await quick_office.open("W-1")
    other = a_desk(quick_office)
    await other.start()
    late = quick_office.home / "outbox" / "msg-late.eml"
    await other.customers.forget({"ref": REF})
    late.write_text(f"From: shop@shop.example\nTo: {EMAIL}\n\nDear {NAME}\n", encoding="utf-8")
    await eventually(lambda: not late.exists(), "found by a second look")
    await other.customers.forget({"ref": REF})
    await other.stop()  # which does not wait for its time


async def test_whom_somebody_began_to_forget_anew_whoever_began_before_does_not_cross_out(quick_office: Office) -> None:
    unfinished = Unfinished(quick_office.keeper.jetstream())
    await unfinished.open()
    first, second = [await unfinished.begin(Customer(SHOP, "C-77")) for _ in range(2)]
    await unfinished.end(first)
    assert [whom async for whom in unfinished.all()] == [(SHOP, "C-77")]
    await unfinished.end(second)
    assert [whom async for whom in unfinished.all()] == []


class KilledError(BaseException):
    """As if the process had been killed there."""


@pytest.mark.parametrize("before", ["find", "forget", "end"])
async def test_whoever_starts_after_it_was_cut_off_forgets_her_to_the_end(
    quick_office: Office, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    await planted(quick_office)
    cut_off = AsyncMock(side_effect=KilledError)
    monkeypatch.setattr(Unfinished if before == "end" else Book, before, cut_off)
    desk = a_desk(quick_office)
    await desk.start()
    with suppress(KilledError):
        await desk.customers.forget({"ref": REF, "even_if_unknown": True})
    if before != "end":
        late = quick_office.home / "outbox" / "msg-late.eml"
        late.write_text(f"From: shop@shop.example\nTo: {EMAIL}\n\nDear {NAME}\n", encoding="utf-8")
    await eventually(lambda: cut_off.await_count, "killed")
    monkeypatch.undo()
    unfinished = Unfinished(quick_office.keeper.jetstream())
    await unfinished.open()
    assert [whom async for whom in unfinished.all()] == [(SHOP, "C-77")]
    other = a_desk(quick_office)
    await other.start()
    await eventually(lambda: _nowhere(quick_office), "nothing of hers on the disk")

    async def ended() -> bool:
        return not [whom async for whom in unfinished.all()]

    await eventually(ended, "nothing left to do")
    await other.stop()
    await desk.stop()


def a_desk(office: Office) -> Desk:
    return Desk(office.keeper, asker(office.keeper), office.clock, [office.home / "outbox"], look_again=0.05)


async def _nowhere(office: Office) -> bool:
    return not await everywhere(office)


def _texts_with(file: Path, needles: tuple[str, ...]) -> list[str]:
    found = []
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        assert tables
        for schema, table in tables:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                found += [f"{table}: {needle}" for needle in needles if needle.casefold() in str(row).casefold()]
    return found


async def test_it_stays_so_after_the_server_was_killed_and_started_again(chain_server: ChainServer) -> None:
    async with Office(chain_server) as office:
        await planted(office)
        await office.desk("forget", ref=REF)
    os.kill(chain_server.embedded.pid, 9)
    await chain_server.embedded.wait()
    await chain_server.embedded.start()
    async with Office(chain_server) as office:
        assert (await office.desk("show", ref=REF))["forgotten"]
        await eventually(lambda: _nowhere(office), "nothing of hers on the disk")


async def test_nothing_brings_her_back(office: Office) -> None:
    await office.open("W-1", id="first")
    await office.desk("forget", ref="W-1")
    assert (await office.open("W-1", id="first"))["outcome"] == "duplicate"
    assert (await office.open("W-5"))["outcome"] == "accepted"
    with pytest.raises(DeskError, match="open her next order under a new number"):
        await office.desk("set", ref=REF, language="de")
    assert (await office.desk("show", ref="W-5"))["contact"] is None
    # Nor may what is wrong lie about with her name in it.
    faulty = {"product": {}, "customer": "C-77", "contact": CONTACT, "colour": "red"}
    assert (await office.say("order.opened", "W-6", faulty))["outcome"] == "rejected"
    await eventually(lambda: _nowhere(office), "nothing of hers on the disk")
    # Another customer of that shop is another one.
    await office.open("W-7", "C-78")
    assert (await office.desk("show", ref="W-7"))["contact"]["name"] == NAME


async def test_a_submission_that_comes_again_after_a_crash_does_not_revive_her(chain_server: ChainServer) -> None:
    """Acknowledged to the shop, and taken in by nobody yet, when she is forgotten."""
    async with Office(chain_server, ("projector", "notifier")) as office:
        await office.hand_in("order.opened", "W-1", {"product": {}, "customer": "C-77", "contact": CONTACT})
        await office.keeper.jetstream().publish(
            "repairs.W-0.order.opened",
            orjson.dumps(
                {
                    "specversion": "1.0",
                    "id": "w0",
                    "source": SHOP,
                    "type": "repairchain.order.opened.v1",
                    "subject": "W-0",
                    "time": "2026-03-02T09:00:00Z",
                    "recordedtime": "2026-03-02T09:00:00Z",
                    "data": {"product": {}, "customer": "C-77"},
                }
            ),
        )
        await office.ask("status", order="W-0")
        assert (await office.desk("forget", ref="W-0"))["forgotten"]
    async with Office(chain_server) as office:
        await eventually(lambda: _status(office, "W-1"), "taken in")
        assert (await office.desk("show", ref=REF))["forgotten"]
        await eventually(lambda: _nowhere(office), "nothing of hers on the disk")


async def test_what_waited_for_a_service_that_stood_still_does_not_bring_her_back(chain_server: ChainServer) -> None:
    """In the shop's own box, and in the stream of its role; of orders that nobody knows of when she is forgotten."""
    order = {"product": {}, "customer": "C-77", "contact": CONTACT}
    async with Office(chain_server, ("projector", "notifier")) as office:
        shop = await chain_server.connect(SHOP)
        waiting = [event_of("box-1", "W-1", order), event_of("box-2", "W-2", order | {"colour": "red"})]
        for document in waiting:
            await shop.jetstream().publish(intake_subject(SHOP), document)
        await office.hand_in("order.opened", "W-3", order)
        await office.hand_in("order.opened", "W-4", order | {"customer": "C-78"})
        answer = await office.desk("forget", ref=REF, even_if_unknown=True)
        assert (answer["forgotten"], answer["orders"]) == (True, []), "by the shop and its number for her alone"
    async with Office(chain_server) as office:
        for each in ("W-1", "W-3", "W-4"):
            await eventually(lambda each=each: _status(office, each), "taken in")  # type: ignore[misc]
        await eventually(lambda: _rejected(office), "the faulty one is kept")
        assert (await office.desk("show", ref=REF))["forgotten"]
        assert (await office.desk("show", ref="W-1"))["contact"] is None
        # Under a number of its own somebody is another customer: so comes back whoever wants to be written to again.
        assert (await office.desk("show", ref="W-4"))["contact"]["name"] == NAME
        await office.desk("forget", ref="W-4")
        await eventually(lambda: _nowhere(office), "nothing of hers on the disk")


def event_of(id: str, order: str, data: dict[str, Any]) -> bytes:
    """That the shop opens an order."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": id,
            "source": SHOP,
            "type": "repairchain.order.opened.v1",
            "subject": order,
            "time": "2026-03-02T11:00:00Z",
            "data": data,
        }
    )


async def _rejected(office: Office) -> bool:
    return (await office.keeper.jetstream().stream_info(names.REJECTED)).state.messages == 1


async def _status(office: Office, order: str) -> bool:
    return bool((await office.ask("find", order=order))["orders"])


async def test_one_record_lies_on_the_disk_however_often_it_changes(quick_office: Office) -> None:
    await quick_office.open("W-1")
    await asyncio.gather(
        *(
            quick_office.desk("set", ref=REF, channels=[{"kind": "email", "address": f"old{n}@kooi.example"}])
            for n in range(5)
        )
    )
    await quick_office.desk("set", ref=REF, channels=[{"kind": "email", "address": "new@kooi.example"}])
    places = await quick_office.lies_on_the_disk(EMAIL, *(f"old{n}@kooi.example" for n in range(5)))
    assert [place for place in places if "KV_CUSTOMERS" in place] == []
    assert await quick_office.lies_on_the_disk("new@kooi.example")
    js = quick_office.keeper.jetstream()
    assert (await js.stream_info(f"KV_{names.CUSTOMERS}")).state.messages == 1


async def test_no_message_is_planned_any_more(quick_office: Office) -> None:
    await quick_office.open("W-1")
    await eventually(lambda: list((quick_office.home / "outbox").glob("*.eml")), "a letter")
    await quick_office.desk("forget", ref="W-1")
    await quick_office.say("repair.completed", "W-1", {"summary": "a new crown"})
    await quick_office.open("W-2", "C-78")  # what comes after it in the log is told by then
    await eventually(lambda: list((quick_office.home / "outbox").glob("*.eml")), "a letter to another")
    assert [row["kind"] for row in (await quick_office.ask("messages", order="W-1"))["messages"]] == ["opened"]


def test_settings_know_where_letters_lie(tmp_path: Path) -> None:
    from services.wiring import letter_folders

    assert letter_folders(load_settings(home=tmp_path)) == (tmp_path / "outbox",)
    elsewhere = load_settings(home=tmp_path, email_url=f"outbox://{tmp_path}/post%20office")
    assert letter_folders(elsewhere)[1] == tmp_path / "post office"
