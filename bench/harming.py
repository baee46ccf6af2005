"""A partner that means harm, in a process of its own: ``python -m bench.harming HOME OPERATIONS`` (bench/hostile.py).

It prints a line when it begins, and how many operations it has tried when it ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from services.connecting import connect
from services.logs import configure_logs
from services.settings import load_settings
from tests.access.hostile import BAD, harm


async def run(home: Path, operations: int) -> None:
    client = await connect(load_settings(home=home), BAD)
    print("at work", flush=True)
    print(await harm(client, operations), flush=True)
    await client.close()


if __name__ == "__main__":
    configure_logs("harming", level="error")
    os.nice(10)  # in the field it computes on a machine of its own: what is measured is what it does to ours
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
