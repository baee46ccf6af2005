"""Proof that the read models are what the log says: made anew from the first fact on, they are the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nats.aio.client import Client

from events.log import last_position
from events.tail import read_until
from projections.compare import Difference, compare
from projections.database import Database, open_database
from services.answering import NoAnswerError, ask
from services.connecting import connect
from services.server import EmbeddedServer
from services.settings import Settings

#: A snapshot of a large file takes its time (seconds).
_PATIENCE: Final = 600.0

#: So often a server that does not answer is tried, five times a second (of 0, nats-py makes no end).
_ATTEMPTS: Final = 25

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``position`` is where both were compared; no differences means that they are equal."""

    position: int
    differences: list[Difference]


def _no_progress(done: int, of: int) -> None:
    return None


async def verify(settings: Settings, who: str = "operator", progress: Progress = _no_progress) -> Verdict:
    """Compare the live read models with a fresh rebuild from the log.

    While the chain runs, the projector is asked for a snapshot. When it does not, the file itself is read, and the log
    through a server that is started for the moment. Raises what connecting, asking and reading raise.
    """
    folder = settings.folder
    with tempfile.TemporaryDirectory(dir=folder.database.parent.absolute(), prefix="verify-") as scratch:
        if settings.nats_url is not None or folder.in_use():
            return await _compare(settings, who, Path(scratch), progress)
        async with EmbeddedServer(settings.home):
            return await _compare(settings, who, Path(scratch), progress)


async def _compare(settings: Settings, who: str, scratch: Path, progress: Progress) -> Verdict:
    # Without an end to them, nobody would be told that there is no server.
    connection = await connect(settings, who, name="repairchain verify", max_reconnect_attempts=_ATTEMPTS)
    live, fresh = scratch / "live.duckdb", scratch / "fresh.duckdb"
    try:
        try:
            await ask(connection, "snapshot", {"file": str(live)}, timeout=_PATIENCE)
        except NoAnswerError:
            await asyncio.to_thread(_snapshot_of_file, settings.folder.database, live)
        with open_database(live) as snapshot:
            position = snapshot.position
        await _rebuild(connection, fresh, position, progress)
    finally:
        await connection.close()
    return Verdict(position, await asyncio.to_thread(compare, live, fresh))


def _snapshot_of_file(database: Path, target: Path) -> None:
    with open_database(database) as live:
        live.snapshot(target)


async def _rebuild(connection: Client, fresh: Path, position: int, progress: Progress) -> None:
    """Read the log into a new file up to ``position`` and compute every read model once."""
    js = connection.jetstream()
    end = min(position, await last_position(js))
    database: Database = await asyncio.to_thread(open_database, fresh)
    try:
        async for batch in read_until(js, end):
            await asyncio.to_thread(database.mirror_only, batch)
            progress(batch[-1][0], position)
        await asyncio.to_thread(database.rebuild)
    finally:
        with suppress(Exception):
            await asyncio.to_thread(database.close)
