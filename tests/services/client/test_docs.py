"""The program in docs/client.md does what the text around it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from events.clock import SystemClock
from events.streams import declare_streams
from services.credentials import credential_file
from services.home import HomeFolder
from tests.chainserver import ChainServer
from tests.services.intakes import Chain

DOCS = Path(__file__).parents[3] / "docs" / "client.md"


async def test_the_example_runs(chain_server: ChainServer, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", await asyncio.to_thread(DOCS.read_text), re.DOTALL)
    await chain_server.add_party("retailer:juno")
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    chain = Chain(chain_server)
    chain.clock = SystemClock()  # type: ignore[assignment]  # the example says what happens now
    file = credential_file(HomeFolder(chain_server.home), "retailer:juno")
    program = program.replace("nats://127.0.0.1:4222", chain_server.url)
    program = program.replace(".repairchain/credentials/retailer.juno.nk", str(file))
    async with chain.running():
        await asyncio.to_thread(exec, compile(program, "docs/client.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "accepted 2"
    assert "'shipment-13' was rejected" in second
    assert second.endswith("urn:repairchain:problem:invalid")
