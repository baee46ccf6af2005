"""Tasks end for certain: also one that swallows a cancellation, as who waits for an answer may when it comes."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from events.clock import SimulatedClock
from events.log import Appended
from services import connecting, ending
from services.connecting import leave, while_there
from services.ending import end, within
from services.watchdog import Watchdog

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


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
    gc.collect()


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


class There:
    """As much of a connection as says whether there is a server."""

    is_connected = True


@pytest.mark.parametrize("comes_back", [False, True])
async def test_what_needs_a_server_is_not_waited_for_without_one(
    monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    monkeypatch.setattr(connecting, "_BACK_WITHIN", 0.1 if not comes_back else 5.0)
    monkeypatch.setattr(connecting, "_LOOK_EVERY", 0.01)
    connection, settled = There(), asyncio.Event()
    connection.is_connected = False
    waiting = asyncio.create_task(while_there(connection, 30, settled.wait()))  # type: ignore[arg-type]
    if comes_back:
        asyncio.get_running_loop().call_soon(settled.set)
        assert await within(5, _end_of(waiting))
    else:
        with pytest.raises(TimeoutError, match="no server"):
            await within(5, _end_of(waiting))
    with pytest.raises(TimeoutError, match="not done"):
        await within(5, while_there(There(), 0.01, asyncio.Event().wait()))  # type: ignore[arg-type]


async def _end_of(task: asyncio.Task[Any]) -> Any:
    return await task


async def test_a_connection_that_does_not_close_is_left_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_LEAVING", 0.01)

    class Stuck:
        is_connected = True

        def __init__(self) -> None:
            self.drain, self.close = Swallowing(1).run, Swallowing(1).run

    await within(5, leave(Stuck()))  # type: ignore[arg-type]  # all that leaving needs of one
