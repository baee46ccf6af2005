"""The projector on a real server: it answers, waits, catches up, and makes anew whatever was lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from events.clock import SimulatedClock
from events.envelope import Event, make_event
from events.log import append_batch, last_position
from events.streams import declare_streams
from projections.compare import compare
from projections.database import Database, open_database
from projections.queries import QUERIES
from projections.schema import InUseError
from services import projector as projector_module
from services import story
from services.answering import ENCODING, NoAnswerError, QuestionError, ask, query_subject, unpack
from services.projector import Projector
from tests.chainserver import ChainServer
from tests.ready import projectors_borrow, put_empty_database
from tests.waiting import eventually

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def told(language: str = "en") -> list[Event]:
    """The watch story as facts of the log."""
    facts = []
    for step in story.watch_story(language):
        event = Event.model_validate(step.as_event() | {"recordedtime": step.at})
        facts.append(event.model_copy(update={"subject": story.ORDER if event.name[:5] != "party" else event.subject}))
    return facts


def small_orders(count: int, first: int = 0, text: str = "") -> list[Event]:
    """Two facts each of ``count`` orders."""
    facts = []
    for number in range(first, first + count):
        at = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(minutes=number)
        common: dict[str, Any] = {"source": "retailer:acme", "subject": f"S-{number}", "recordedtime": at, "time": at}
        opened = {"product": {"brand": "Example", "serial": f"N-{number}"}, "fault_text": text or "does not start"}
        facts.append(make_event("order.opened", id=f"o{number}", data=opened, **common))
        facts.append(make_event("item.handed_over", id=f"h{number}", data={"to": "importer:north"}, **common))
    return facts


class Chain:
    """A log, and projectors that follow it."""

    def __init__(self, server: ChainServer) -> None:
        self.server = server
        self.path = server.home / "readmodels" / "test.duckdb"
        self.running: Projector | None = None

    async def connect(self) -> None:
        put_empty_database(self.path)
        self.client = await self.server.connect("keeper", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
        self.js = self.client.jetstream()
        await declare_streams(self.js)

    async def append(self, facts: Sequence[Event]) -> int:
        """Returns the position of the last one."""
        return (await append_batch(self.js, facts))[-1].position

    @asynccontextmanager
    async def projector(self, path: Path | None = None, **options: Any) -> AsyncIterator[Projector]:
        async def connection() -> Any:
            return await self.server.connect("projector", max_reconnect_attempts=-1, reconnect_time_wait=0.05)

        self.running = Projector(connection, path or self.path, SimulatedClock(NOW), **options)
        await self.running.start()
        try:
            yield self.running
        finally:
            await self.running.stop()

    async def ask(self, name: str, args: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
        """Ask about everything that the log has by now, unless it is said otherwise."""
        rest.setdefault("at_least", await last_position(self.js))
        return await ask(self.client, name, args, **rest)

    def arrived(self) -> int:
        """How far the projector has read the log, applied or not."""
        assert self.running is not None
        assert self.running._tail is not None
        return self.running._tail.position

    async def orders(self) -> int:
        """How many there are in all that the log has by now."""
        return int((await self.ask("orders", {"limit": 1}))["total"])

    async def raw(self, name: str, body: bytes) -> dict[str, Any]:
        """The answer as it comes, errors too."""
        answer: dict[str, Any] = orjson.loads((await self.client.request(query_subject(name), body, timeout=5)).data)
        return answer


@pytest.fixture
async def chain(chain_server: ChainServer) -> Chain:
    chain = Chain(chain_server)
    await chain.connect()
    return chain


@pytest.fixture
def lent() -> Iterator[None]:
    """The projector works in a lent database, for tests that are not about its file."""
    with projectors_borrow():
        yield


@pytest.mark.usefixtures("lent")
async def test_it_answers_every_question(chain: Chain, tmp_path: Path) -> None:
    async with chain.projector():
        end = await chain.append(told())
        args: dict[str, dict[str, Any]] = {
            name: {"order": story.SERIAL} for name in ("find", "status", "timeline", "messages")
        }
        args["closures"] = args["briefing"] = args["changed"] = {"party": story.SHOP}
        args["parcels"] = {"numbers": ["3S1"]}
        args["customer"] = {"opener": story.SHOP, "customer": "C-17"}
        args["customers"] = {"openers": [story.SHOP], "customers": ["C-17"]}
        args["message"] = {"message": "msg-0"}
        args["histories"] = {"orders": [story.ORDER], "letters_since": "2026-01-01T00:00:00Z"}
        answers = {name: await chain.ask(name, args.get(name)) for name in QUERIES}
        position = await chain.ask("position")
        rebuilt = await chain.ask("rebuild")
        copied = await chain.ask("snapshot", {"file": str(tmp_path / "copy.duckdb")})
    assert answers["find"] == {"orders": [story.ORDER]}
    assert (answers["status"]["status"], answers["status"]["holder"]) == ("closed", "customer")
    assert len(answers["timeline"]["entries"]) == end - 1  # one fact is about the shop, not about the order
    assert answers["orders"]["total"] == 1
    assert answers["handoffs"]["totals"]["received"] == 3
    # The story lies long past: nobody has asked her whether it holds.
    assert [row["kind"] for row in answers["stalled"]["stalled"]] == ["check"]
    assert answers["messages"] == {"messages": []}
    assert set(answers["histories"]["histories"]) == {story.ORDER}
    assert answers["audit"]["balanced"]
    assert [row["order_id"] for row in answers["customer"]["orders"]] == [story.ORDER]
    assert answers["customers"]["orders"] == [answers["customer"]["orders"]]
    assert answers["message"] == {"orders": []}
    assert [row["order_id"] for row in answers["changed"]["orders"]] == [story.ORDER]
    assert answers["parcels"] == {"handovers": [], "tracked": []}
    assert (answers["stats"]["facts"], answers["stats"]["orders"]) == (end, 1)
    shop = next(row for row in answers["parties"]["parties"] if row["party"] == story.SHOP)
    assert len(shop["closures"]) == 1
    assert answers["closures"]["closures"] == shop["closures"]
    assert position == {"position": end, "mirrored": end}
    assert rebuilt == {"position": end}
    assert copied == {"file": str(tmp_path / "copy.duckdb"), "position": end}


@pytest.mark.usefixtures("lent")
async def test_an_answer_waits_for_the_position_that_was_asked_for(chain: Chain) -> None:
    async with chain.projector():
        facts = told()
        end = await chain.append(facts[:3])
        early = asyncio.create_task(chain.ask("stats", at_least=end + 2))
        assert (await chain.ask("stats", at_least=end))["facts"] == end
        assert not early.done()
        await chain.append(facts[3:5])
        assert (await early)["facts"] == end + 2


@pytest.mark.usefixtures("lent")
async def test_who_asks_for_what_is_not_there_yet_is_told_so(chain: Chain) -> None:
    async with chain.projector(patience=0.05) as projector:
        end = await chain.append(told())
        await eventually(lambda: projector.position == end)
        with pytest.raises(QuestionError, match=f"the read models are at {end}, not yet at {end + 1}: ask again"):
            await chain.ask("stats", at_least=end + 1)


BAD_QUESTIONS = [
    ("stats", b"what?", "JSON"),
    ("stats", b"\xff", "UTF-8"),
    ("stats", b"[1]", "a question is a JSON object"),
    ("stats", b'{"at_least":"all"}', "'at_least' must be a position"),
    ("stats", b'{"at_least":true}', "'at_least' must be a position"),
    ("stats", b'{"args":[1]}', "'args' must be a JSON object"),
    ("stats", b'{"args":{"order":"W"}}', "'stats' knows no argument 'order'"),
    ("status", b"", "'order' is missing"),
    ("status", b'{"args":{"order":"none"}}', "no order, reference or serial number 'none' is known"),
    ("status", b'{"args":{"order":"W"},"as_of":"soon"}', "'as_of' must be a moment"),
    ("status", b'{"args":{"order":"W"},"as_of":5}', "'as_of' must be a moment"),
    ("stats", b'{"as_of":"2026-01-01T00:00:00Z"}', "cannot be asked about another moment"),
    ("snapshot", b"", "needs the absolute path"),
    ("snapshot", b'{"args":{"file":"copy.duckdb"}}', "needs the absolute path"),
    ("snapshot", b'{"args":{"file":"/proc/nowhere/copy.duckdb"}}', "/proc/nowhere"),
]


@pytest.mark.usefixtures("lent")
async def test_a_bad_question_gets_one_clear_sentence(chain: Chain) -> None:
    async with chain.projector():
        for name, body, detail in BAD_QUESTIONS:
            answer = await chain.raw(name, body)
            assert set(answer) == {"error"}
            assert answer["error"]["title"] != "Fault", answer
            assert detail in answer["error"]["detail"]
        assert (await chain.ask("stats"))["facts"] == 0


async def test_nobody_answers_when_it_does_not_run(chain: Chain) -> None:
    with pytest.raises(NoAnswerError, match="the projector does not run"):
        await chain.ask("stats")


@pytest.mark.usefixtures("lent")
async def test_long_answers_come_gzipped(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(small_orders(100, text="it does not start any more " * 4))
        question = orjson.dumps({"args": {"limit": 1_000}, "at_least": 200})
        reply = await chain.client.request(query_subject("orders"), question, timeout=5)
        assert reply.headers == {ENCODING: "gzip"}
        assert len(unpack(reply)["result"]["orders"]) == 100
        short = await chain.client.request(query_subject("stats"), b"", timeout=5)
        assert not short.headers


async def test_catching_up_gives_what_following_gives(chain: Chain, tmp_path: Path) -> None:
    live, caught_up = tmp_path / "live.duckdb", tmp_path / "caught-up.duckdb"
    async with chain.projector():
        for facts in (told()[:5], small_orders(20), told()[5:], told()[:2], small_orders(15, first=12)):
            await chain.append(facts)
            await chain.ask("position")
        await chain.ask("snapshot", {"file": str(live)})
    async with chain.projector(tmp_path / "other.duckdb", far_behind=5, catch_up_batch=20):
        await chain.ask("snapshot", {"file": str(caught_up)})
        assert await chain.orders() == 28
    assert compare(live, caught_up) == []


@pytest.mark.usefixtures("lent")
async def test_large_facts_end_a_batch_of_catching_up_before_it_fills_the_memory(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = small_orders(6)
    most = 3 * len(facts[0].to_json())
    monkeypatch.setattr("services.projector._MOST_BYTES", most)
    monkeypatch.setattr("events.tail._MOST_WAITING", 1)  # the facts come one at a time
    batches: list[list[int]] = []
    mirror_only = Database.mirror_only

    def note(self: Database, batch: Any) -> int:
        batches.append([len(payload) for _, payload in batch])
        return mirror_only(self, batch)

    monkeypatch.setattr(Database, "mirror_only", note)
    await chain.append(facts)
    async with chain.projector(far_behind=5):
        assert await chain.orders() == 6
    assert sum(len(batch) for batch in batches) == len(facts)
    assert all(sum(batch[:-1]) < most for batch in batches)
    assert all(sum(batch) >= most for batch in batches[:-1])
    assert len(batches) > 2


@pytest.mark.parametrize("far_behind", [pytest.param(10, marks=pytest.mark.heavy), 20_000])
async def test_killed_between_mirroring_and_computing_it_goes_on(chain: Chain, far_behind: int) -> None:
    facts = told() + small_orders(50)
    await chain.append(facts)
    with open_database(chain.path) as database:
        database.mirror_only([(number, fact.to_json()) for number, fact in enumerate(facts[:60], 1)])
        assert (database.position, database.mirrored) == (0, 60)
    async with chain.projector(far_behind=far_behind):
        stats = await chain.ask("stats")
    assert (stats["facts"], stats["orders"]) == (len(facts), 51)


async def test_what_was_only_mirrored_of_another_log_is_not_gone_on_with(chain: Chain) -> None:
    await chain.append(told())
    with open_database(chain.path) as database:
        database.mirror_only([(number, fact.to_json()) for number, fact in enumerate(small_orders(2, first=40), 1)])
        assert (database.position, database.mirrored > 0) == (0, True)
    async with chain.projector():
        stats = await chain.ask("stats")
    assert (stats["facts"], stats["orders"]) == (len(told()), 1)


async def test_stopped_in_the_middle_of_catching_up_it_goes_on(chain: Chain) -> None:
    end = await chain.append(told() + small_orders(100))
    async with chain.projector(far_behind=10, catch_up_batch=1) as projector:
        await eventually(lambda: projector._models.mirrored > 2)
    with open_database(chain.path) as database:
        assert database.position == 0
        assert 0 < database.mirrored < end
    async with chain.projector(far_behind=10, catch_up_batch=90):
        assert await chain.orders() == 101


async def test_a_deleted_file_is_made_anew(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(told())
        before = await chain.ask("timeline", {"order": story.ORDER})
    chain.path.unlink()
    async with chain.projector():
        assert await chain.ask("timeline", {"order": story.ORDER}) == before


@pytest.mark.parametrize(
    "damage",
    [
        "truncated",
        pytest.param("emptied", marks=pytest.mark.heavy),
        pytest.param("overwritten", marks=pytest.mark.heavy),
        pytest.param("not a database", marks=pytest.mark.heavy),
    ],
)
async def test_a_damaged_file_is_set_aside_and_made_anew(chain: Chain, damage: str) -> None:
    async with chain.projector():
        await chain.append(told())
        before = await chain.ask("timeline", {"order": story.ORDER})
    content = chain.path.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "overwritten": content[:20_000] + bytes(reversed(content[20_000:])),
        "emptied": b"",
        "not a database": b"something else" * 1_000,
    }[damage]
    chain.path.write_bytes(damaged)

    async def answer() -> dict[str, Any] | None:
        try:
            return await chain.ask("timeline", {"order": story.ORDER})
        except QuestionError as error:
            assert str(error) == "the read models could not be read: ask again later"  # noqa: PT017 - of several tries
            return None

    async with chain.projector():
        assert await eventually(answer) == before
    if damaged:
        assert chain.path.with_name(chain.path.name + ".unreadable").read_bytes() == damaged


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(small_orders(3), marks=pytest.mark.heavy, id="ahead"),
        pytest.param(small_orders(60), id="behind"),
        pytest.param(small_orders(60)[: len(told())], id="beside"),
    ],
)
async def test_a_file_of_another_log_is_made_anew(chain: Chain, others: list[Event]) -> None:
    chain.path.parent.mkdir(exist_ok=True)
    with open_database(chain.path) as database:
        database.apply([(number, fact.to_json()) for number, fact in enumerate(others, 1)])
    await chain.append(told())
    async with chain.projector():
        stats = await chain.ask("stats")
        assert (stats["facts"], stats["orders"]) == (len(told()), 1)


@pytest.mark.usefixtures("lent")
async def test_a_snapshot_is_a_whole_file_of_its_own(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "copy.duckdb"
    async with chain.projector():
        await chain.append(told())
        await chain.ask("snapshot", {"file": str(file)})
        with duckdb.connect(str(file), read_only=True) as copy:
            assert copy.execute("SELECT order_id, status FROM orders").fetchall() == [(story.ORDER, "closed")]
        content = file.read_bytes()
        with pytest.raises(QuestionError, match="exists already: name a new file"):
            await chain.ask("snapshot", {"file": str(file)})
        assert file.read_bytes() == content


@pytest.mark.usefixtures("lent")
async def test_readers_never_see_empty_tables_while_all_is_made_anew(chain: Chain) -> None:
    async with chain.projector():
        end = await chain.append(small_orders(50))
        await chain.ask("position")
        seen = []
        for _ in range(2):
            rebuild = asyncio.create_task(chain.ask("rebuild"))
            while not rebuild.done():
                orders, handoffs = await asyncio.gather(chain.orders(), chain.ask("handoffs", {"limit": 1}))
                seen.append((orders, handoffs["totals"]["count"]))
            assert await rebuild == {"position": end}
    assert set(seen) == {(50, 50)}


@pytest.mark.usefixtures("lent")
async def test_facts_that_come_while_all_is_made_anew_are_not_lost(chain: Chain) -> None:
    async with chain.projector():
        await chain.append(small_orders(100))
        rebuild = asyncio.create_task(chain.ask("rebuild"))
        for number in range(5):
            await chain.append(small_orders(10, first=100 + 10 * number))
        await rebuild
        assert await chain.orders() == 150


async def test_a_batch_that_cannot_be_applied_is_tried_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = 2
    apply = Database.apply

    def fail_at_first(self: Database, batch: Any) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise duckdb.FatalException("made up: the file has to be opened again")
        return apply(self, batch)

    monkeypatch.setattr("services.projector._RETRY_DELAY", 0.01)
    monkeypatch.setattr(Database, "apply", fail_at_first)
    async with chain.projector():
        await chain.append(told())
        assert await chain.orders() == 1
    assert failures == 0


async def test_a_file_that_cannot_be_opened_again_is_tried_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chain.projector() as projector:
        await chain.append(told()[:4])
        await chain.ask("position")
        left = [OSError("made up: no space left"), duckdb.IOException("made up: no space left")]

        def fail(path: Path) -> Database:
            if left:
                raise left.pop()
            return open_database(path)

        monkeypatch.setattr("services.projector._RETRY_DELAY", 0.01)
        monkeypatch.setattr("services.readmodels.open_database", fail)
        await projector._models.write(Database.close)  # whatever it tries to write now fails
        await chain.append(told()[4:])
        assert (await chain.ask("stats"))["facts"] == len(told())
    assert left == []


async def test_a_file_that_others_have_open_is_waited_for_and_not_for_ever(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [InUseError("made up: is open in another process")] * 2

    def open_at_last(path: Path) -> Database:
        if left:
            raise left.pop()
        return open_database(path)

    monkeypatch.setattr("services.projector._LOOK_AGAIN", 0.0)
    monkeypatch.setattr("services.readmodels.open_database", open_at_last)
    async with chain.projector():
        await chain.append(told())
        assert await chain.orders() == 1
    left.extend([InUseError("made up: is open in another process")] * 2)
    monkeypatch.setattr("services.projector._GIVEN_FREE_WITHIN", 0.0)
    with pytest.raises(InUseError):
        async with chain.projector():
            pass


@pytest.mark.usefixtures("lent")
async def test_it_follows_a_killed_server_that_comes_back(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.tail._HEARTBEAT", 0.2)  # after two that are missed it reads anew
    facts = told() + small_orders(20)
    async with chain.projector() as projector:
        await chain.append(facts[:6])
        await chain.ask("position")
        os.kill(chain.server.embedded.pid, signal.SIGKILL)
        await chain.server.embedded.wait()
        await chain.server.embedded.start()
        await eventually(lambda: chain.client.is_connected)
        end = await chain.append(facts[6:])
        assert (await eventually(lambda: projector.position == end)) is True
        assert await chain.orders() == 21
        assert await projector.check() == "0 facts behind"


async def test_it_follows_a_log_that_was_put_back_from_a_backup(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "_RETRY_DELAY", 0.05)  # instead of a second
    await chain.append(told())
    await chain.server.back_up(tmp_path / "backup")
    async with chain.projector() as projector:
        await eventually(lambda: chain.client.is_connected)
        await chain.append(small_orders(10))
        assert await chain.orders() == 11
        await chain.server.restore(tmp_path / "backup")
        await eventually(lambda: projector.position == len(told()), "the read models show the log of the backup")
        await chain.append(small_orders(3, first=100))
        assert await chain.orders() == 4


async def test_it_notices_another_log_that_has_grown_beyond_where_it_stands(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "_RETRY_DELAY", 0.05)  # instead of a second
    await chain.append(told())
    await chain.server.back_up(tmp_path / "backup")
    async with chain.projector():
        await eventually(lambda: chain.client.is_connected)
        await chain.append(small_orders(2))
        assert await chain.orders() == 3
        await chain.server.restore(tmp_path / "backup")
        await chain.append(small_orders(5, first=100))
        orders = {row["order_id"] for row in (await chain.ask("orders", {"limit": 100}))["orders"]}
        assert {order for order in orders if order.startswith("S-")} == {f"S-{number}" for number in range(100, 105)}


@pytest.mark.usefixtures("lent")
async def test_while_facts_keep_coming_a_batch_grows_until_somebody_waits_for_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it would grow for as long as the test may take."""
    monkeypatch.setattr("services.projector._COLLECT_TIMES", 1e6)
    monkeypatch.setattr("services.projector._COLLECT_AT_MOST", 1e6)
    sizes: list[int] = []
    apply = Database.apply

    def count(self: Database, batch: Any) -> Any:
        sizes.append(len(batch))
        return apply(self, batch)

    monkeypatch.setattr(Database, "apply", count)
    facts = small_orders(5)
    async with chain.projector() as projector:
        await chain.append(facts[:1])
        await eventually(lambda: projector.position == 1, "whoever comes when all is quiet does not wait")
        for fact in facts[1:]:
            await chain.append([fact])
        await eventually(lambda: chain.arrived() == len(facts))
        assert sizes == [1]
        assert (await chain.ask("timeline", {"order": "S-4"}))["order"]["order_id"] == "S-4"
    assert sizes == [1, len(facts) - 1]
