"""A service that does nothing but be well, for tests of what starts and stops services.

``python -m tests.services.fake_service NAME``: ``stubborn`` ignores requests to end, ``short`` ends at once with exit
code 3, ``wrong`` with 2. It imports little, since it is started often; real ones are started by test_readme.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from services.home import HomeFolder, write_json


def command(service: str) -> Sequence[str]:
    """What starts it."""
    return (sys.executable, "-m", "tests.services.fake_service", service)


async def main(name: str) -> int:
    if name in ("short", "wrong"):
        return 3 if name == "short" else 2
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, ending.set if name != "stubborn" else lambda: print("no")
    )
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as health:
        url = f"http://127.0.0.1:{health.sockets[0].getsockname()[1]}"
        file = HomeFolder(Path(os.environ["REPAIRCHAIN_HOME"])).service_file(name)
        write_json(file, {"url": url, "pid": os.getpid()})
        await ending.wait()
        file.unlink()
    return 0


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """It is ready while the server can be reached at the address that it was started with."""
    await reader.readuntil(b"\r\n\r\n")
    server = urlsplit(os.environ["REPAIRCHAIN_NATS_URL"])
    try:
        _, connection = await asyncio.open_connection(server.hostname, server.port)
        connection.close()
        status = b"200 OK"
    except OSError:
        status = b"503 Service Unavailable"
    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
