"""Whoever asks what takes long does not wait for an answer that will never come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli import asking
from cli.errors import Problem
from cli.place import Place
from services.home import HomeFolder, write_json


async def test_the_projector_ends_before_it_answers(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_LOOK_EVERY", 0.001)
    folder = HomeFolder(free_home)
    folder.create()
    write_json(folder.service_file("projector"), {"url": "http://127.0.0.1:1", "pid": 1})
    never: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer() -> str:
        return await never

    waiting = asyncio.create_task(asking._unless_it_ends(Place(free_home), answer()))
    await asyncio.wait({waiting}, timeout=0.01)
    assert not waiting.done()
    write_json(folder.service_file("projector"), {"url": "http://127.0.0.1:1", "pid": 2})
    with pytest.raises(Problem, match="ended before it had answered"):
        await asyncio.wait_for(waiting, 5)
    assert never.cancelled()
