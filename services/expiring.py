"""Ending secrets that were replaced when their time is up: the server is told, which cuts what they opened.
So it is told of accounts that somebody changed who was cut off before it knew, or while it hung.

Whoever runs the server does it, and looks again and again, so that neither a restart nor a clock that was put right
makes a secret work for longer. A server that starts is not given those that are past their time in the first place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from services.credentials import write_accounts
from services.home import HomeFolder, read_json
from services.reloading import ServerReloadError, tell_server
from services.replaced import read_replaced, working, write_replaced

#: So often we look whether the time of one is up (seconds).
_LOOK_EVERY: Final = 1.0


def end_replaced(home: Path, now: datetime) -> list[str]:
    """Let in nobody any more with a secret whose time is up at ``now``; the parties of which one was. What the server
    has not heard of is told to it, too.

    Raises ServerReloadError if the server does not take it, ValueError if a file is broken, OSError: then do it again.
    """
    folder = HomeFolder(home)
    if not (_ended(folder, now) or folder.untold_file.exists()):  # without the lock, which others hold for a while
        return []
    with folder.changing():
        ended = _ended(folder, now)
        if ended or folder.untold_file.exists():
            write_accounts(folder, list(read_json(folder.parties_file) or {}))
            tell_server(folder)
            # Last of all: where we are killed before this, it is done again.
            write_replaced(folder, working(read_replaced(folder), now))
    return ended


def _ended(folder: HomeFolder, now: datetime) -> list[str]:
    return [party for party, all in read_replaced(folder).items() if any(now >= each.until for each in all)]


async def end_in_time(home: Path, say: Callable[[str], None]) -> NoReturn:
    """Look for ever; ``say`` is told whose secret was ended, and what keeps us from doing so (once, while it lasts)."""
    trouble = ""
    while True:
        try:
            ended = await asyncio.to_thread(end_replaced, home, datetime.now(UTC))
        except (ServerReloadError, OSError, ValueError) as error:
            if str(error) != trouble:
                trouble = str(error)
                say(f"the accounts cannot be brought up to date: {trouble}")
        else:
            trouble = ""
            for party in ended:
                say(f"the old secret of {party} has come to its end")
        await asyncio.sleep(_LOOK_EVERY)
