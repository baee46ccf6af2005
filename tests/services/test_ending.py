"""Tasks end for certain: also one that swallows a cancellation, as who waits for an answer may when it comes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import nats.errors
import pytest
from structlog.testing import capture_logs

from events.clock import SimulatedClock
from events.log import Appended
from services import connecting, ending
from services.connecting import leave, note, while_there
from services.ending import end, within
from services.watchdog import Watchdog

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

#: Waits for a step no longer than it says.
Wait = Callable[[Coroutine[Any, Any, None]], Awaitable[None]]


class Swallowing:
    """Swallows as many cancellations, and ends at the next."""

    def __init__(self, many: int) -> None:
        self.left = many
        self.waits = asyncio.Event()

    async def run(self) -> None:
        while True:
            self.waits.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not self.left:
                    raise
                self.left -= 1


async def test_what_swallows_a_cancellation_is_cancelled_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_ONCE_MORE", 0.01)
    several = [Swallowing(many) for many in (0, 1, 3)]
    tasks = [asyncio.create_task(each.run()) for each in several]
    for each in several:
        await each.waits.wait()
    await within(5, end(*tasks))
    assert all(task.cancelled() for task in tasks)


async def test_who_has_ended_is_left_alone() -> None:
    async def fails() -> None:
        raise ValueError("seen by whoever looks")

    task = asyncio.create_task(fails())
    with suppress(ValueError):
        await task
    await end(task)
    await end()


async def test_a_step_that_never_ends_is_waited_for_no_longer_than_was_said() -> None:
    stubborn = Swallowing(1)
    with pytest.raises(TimeoutError):
        await within(0.01, stubborn.run())
    assert stubborn.left == 1  # it was told, and did not listen yet
    with pytest.raises(ZeroDivisionError):
        await within(5, _divide(0))
    assert await within(5, _divide(2)) == 0.5


async def _divide(by: int) -> float:
    return 1 / by


async def test_a_watchdog_whose_answer_comes_as_it_is_stopped_stops() -> None:
    """On a clock that stands still it would have waited for its next beat for ever."""
    answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    asked = asyncio.Event()

    async def ask(name: str, args: Any = None, at_least: int | None = None) -> dict[str, Any]:
        asked.set()
        return await asyncio.wait_for(answer, 30)  # as nats-py waits for one

    async def append(event: object) -> Appended:
        raise AssertionError

    async def notify(party: str, notice: object) -> None:
        raise AssertionError

    async def last_position() -> int:
        return 0

    watchdog = Watchdog(ask, append, notify, SimulatedClock(NOW), 5.0, last_position)
    await watchdog.start()
    await asked.wait()
    await asyncio.sleep(0)
    answer.set_result({"sweep": []})  # the watchdog has not seen it yet
    await within(5, watchdog.stop())


class Server:
    """As much of a connection as says whether there is a server: only from so many looks on, and it tells of each."""

    def __init__(self, there_from: int, look: Callable[[int], None] = lambda _: None) -> None:
        self._there_from = there_from
        self._look = look
        self._looks = 0

    @property
    def is_connected(self) -> bool:
        self._looks += 1
        self._look(self._looks)
        return self._looks >= self._there_from


NEVER = 1_000_000


async def test_what_needs_a_server_is_not_waited_for_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_BACK_WITHIN", 0.1)
    with pytest.raises(TimeoutError, match="no server"):
        await within(5, while_there(Server(NEVER), 30, asyncio.Event().wait()))


async def test_no_longer_than_was_said_is_waited_with_one_either() -> None:
    with pytest.raises(TimeoutError, match="not done"):
        await within(5, while_there(Server(0), 0.01, asyncio.Event().wait()))


async def test_a_server_that_is_back_in_time_has_all_the_time_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_BACK_WITHIN", 0.4)
    monkeypatch.setattr(connecting, "_LOOK_EVERY", 0.01)
    settled = asyncio.Event()
    # It is away for one look, and then there for longer than it may be away.
    server = Server(2, lambda looks: settled.set() if looks == 60 else None)
    assert await within(20, while_there(server, 30, settled.wait()))


@pytest.mark.parametrize(
    "wait",
    [
        lambda step: within(0.01, step),
        lambda step: while_there(Server(0), 0.01, step),
    ],
    ids=["within", "while_there"],
)
async def test_nobody_is_told_of_a_fault_that_comes_when_nobody_waits_any_more(wait: Wait) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def fails_when_it_is_told_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set_result(None)
            raise ValueError("made up")

    with pytest.raises(TimeoutError):
        await wait(fails_when_it_is_told_to_end())
    await ended
    await asyncio.sleep(0)
    gc.collect()  # Python tells of a task that failed when it is gone
    assert told == []


async def test_a_connection_that_does_not_close_is_left_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "LEAVING", 0.01)
    monkeypatch.setattr(connecting, "CLOSING", 0.01)

    class Stuck:
        is_connected = True

        def __init__(self) -> None:
            self.drain, self.close = Swallowing(1).run, Swallowing(1).run

    await within(5, leave(Stuck()))


async def test_a_lost_connection_is_noted_quietly_and_a_fault_of_ours_aloud() -> None:
    def hears(message: dict[str, Any]) -> None:
        message["receipts"]

    with capture_logs() as lines:
        await note(nats.errors.StaleConnectionError())
        await note(ConnectionRefusedError())
        with pytest.raises(KeyError) as fault:
            hears({})
        await note(fault.value)
    assert [line["log_level"] for line in lines] == ["debug", "debug", "error"]
    assert lines[-1]["exc_info"] is fault.value
