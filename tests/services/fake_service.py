"""A service that does nothing but be well, for tests of what starts and stops services.

``python -m tests.services.fake_service NAME``: ``stubborn`` ignores requests to end, ``short`` ends at once with exit
code 3, ``wrong`` with 2.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from services.connecting import connect
from services.health import serve_health, server_answers
from services.settings import load_settings


async def main(name: str) -> int:
    if name in ("short", "wrong"):
        return 3 if name == "short" else 2
    settings = load_settings()
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, ending.set if name != "stubborn" else lambda: print("no")
    )
    connection = await connect(settings, "keeper", name=name)
    checks = {"server": server_answers(connection)}
    async with serve_health(settings.folder, name, checks, port=settings.health_port_of(name)):
        await ending.wait()
    await connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
