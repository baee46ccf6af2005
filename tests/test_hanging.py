"""A test that does not end is told of, with where each of its tasks waits."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.hanging import Teller, watched
from tests.waiting import eventually


async def test_what_does_not_end_is_told_of_with_what_it_waits_for() -> None:
    never = asyncio.Event()

    @asynccontextmanager
    async def a_fixture() -> AsyncIterator[None]:
        yield
        await never.wait()

    async def uses_it() -> None:
        async with a_fixture():
            pass

    written = io.StringIO()
    watched(asyncio.get_running_loop())
    task = asyncio.create_task(uses_it(), name="the one")
    with Teller(patience=0.0, look_every=0.01, to=written).of("a test"):
        await eventually(written.getvalue, "a word about it")
    never.set()
    await task
    told = written.getvalue()
    assert "a test does not end" in told
    assert "the one" in told
    for place in ("uses_it", "a_fixture", "Event.wait"):
        assert place in told
