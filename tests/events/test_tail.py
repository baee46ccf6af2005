"""The tail on a real server: it begins anywhere, leaves nothing out, and tells when the log became another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from events import names
from events import tail as tail_module
from events.log import append, append_batch, last_position
from events.tail import LogReplacedError, Tail, read_until
from tests.chainserver import ChainServer
from tests.events.facts import declared, fact
from tests.waiting import eventually


async def positions(js: JetStreamContext, after: int = 0) -> list[int]:
    end = await last_position(js)
    return [position async for batch in read_until(js, end, after=after) for position, _ in batch]


async def test_the_tail_begins_anywhere_and_goes_on_with_what_comes(js: JetStreamContext) -> None:
    await append_batch(js, [fact(n) for n in range(10)])
    assert await positions(js) == list(range(1, 11))
    assert await positions(js, after=7) == [8, 9, 10]
    assert await positions(js, after=10) == []
    async with Tail(js, after=8) as tail:
        seen = [position for position, _ in await tail.next_batch()]
        await append(js, fact(99))
        while seen[-1] < 11:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == [9, 10, 11]


async def test_the_tail_reads_no_further_while_much_waits_to_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_MOST_WAITING", 1_000)
    tail = Tail(Client().jetstream())

    async def deliver() -> None:
        for position in range(1, 6):
            reply = f"$JS.ACK.{names.REPAIRS}.tail.1.{position}.{position}.0.0"
            await tail._take(Msg(cast("Client", None), "repairs.W-1.item.received", reply, b"x" * 600))

    delivering = asyncio.create_task(deliver())
    batches = [await tail.next_batch() for _ in range(3)]
    await delivering
    assert [[position for position, _ in batch] for batch in batches] == [[1, 2], [3, 4], [5]]


async def test_the_tail_survives_the_loss_of_its_consumer(js: JetStreamContext) -> None:
    await append_batch(js, [fact(n) for n in range(3)])
    async with Tail(js, check_every=0.2) as tail:
        seen = [position for position, _ in await tail.next_batch()]
        for consumer in await js.consumers_info(names.REPAIRS):
            await js.delete_consumer(names.REPAIRS, consumer.name)
        await append_batch(js, [fact(n) for n in range(3, 6)])
        while len(seen) < 6:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_what_comes_while_the_tail_asks_where_the_log_ends_is_no_other_log(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_batch(js, [fact(n) for n in range(3)])
    async with Tail(js, check_every=0.05) as tail:
        while tail.position < 3:
            await tail.next_batch()

        async def answered_late(js: JetStreamContext) -> int:
            end = await last_position(js)
            await append(js, fact(end))
            await eventually(lambda: tail.position > end)
            return end

        monkeypatch.setattr(tail_module, "last_position", answered_late)
        assert await tail.next_batch() == []
        assert [position for position, _ in await tail.next_batch()] == [4]


@pytest.mark.parametrize("anew", [1, 2, 3], ids=["shorter", "as long", "longer"])
async def test_the_tail_tells_that_the_log_came_back_as_another_one(
    chain_server: ChainServer, tmp_path: Path, anew: int
) -> None:
    js = await declared(chain_server)
    await append_batch(js, [fact(n) for n in range(3)])
    await chain_server.back_up(tmp_path / "backup")
    await append_batch(js, [fact(n) for n in range(3, 5)])
    async with Tail(js, check_every=0.2) as tail:
        while tail.position < 5:
            await tail.next_batch()
        await chain_server.restore(tmp_path / "backup")
        other = await declared(chain_server)
        await append_batch(other, [fact(n) for n in range(10, 10 + anew)])
        with pytest.raises(LogReplacedError):
            await anext(aiter(tail))  # nothing of the other log is handed out


async def test_the_tail_reads_on_over_a_restart_of_the_server(chain_server: ChainServer) -> None:
    js = await declared(chain_server)
    await append_batch(js, [fact(n) for n in range(3)])
    seen: list[int] = []
    async with Tail(js, check_every=0.2) as tail:
        for start in (3, 6):
            while len(seen) < start:
                seen += [position for position, _ in await tail.next_batch()]
            await chain_server.embedded.stop()
            await chain_server.embedded.start()
            await append_batch(await declared(chain_server), [fact(n) for n in range(start, start + 3)])
        while len(seen) < 9:
            seen += [position for position, _ in await tail.next_batch()]
    assert seen == list(range(1, 10))
