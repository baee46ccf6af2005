"""A partner in another language: examples/partner.mjs publishes the watch story.

Needs node, and @nats-io/transport-node in examples/node_modules (``npm ci --prefix examples``) or in a folder that
NODE_PATH names.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.connecting import running_url
from services.credentials import credential_file
from services.settings import load_settings
from services.simulation import Simulation, simulate
from services.story import CARDS, END, IMPORTER, ORDER, REPAIRER, SHOP, watch_story
from services.userkeys import new_seed
from tests.ready import put_empty_database
from tests.waiting import eventually

EXAMPLES = Path(__file__).parents[1] / "examples"
PACKAGE = Path("@nats-io") / "transport-node"
MODULES = [
    folder
    for folder in (
        EXAMPLES / "node_modules",
        *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep))),
    )
    if (folder / PACKAGE).is_dir()
]


pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node"),
    pytest.mark.skipif(not MODULES, reason=f"{PACKAGE} is not installed: npm ci --prefix examples"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program and what it needs."""
    shutil.copy(EXAMPLES / "partner.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES[0])
    return tmp_path


async def test_a_program_in_another_language_tells_the_watch_story(folder: Path) -> None:
    settings = load_settings(home=folder / "home", nats_port=0)
    put_empty_database(settings.folder.database)
    story = [step.as_event() for step in watch_story("en")]
    async with simulate(settings, END, CARDS) as chain:
        # Not in their order: whoever speaks of what is not known yet is held until it is.
        for party in (REPAIRER, IMPORTER, SHOP):
            said = await publish(chain, folder, party, [event for event in story if event["source"] == party])
            assert "rejected" not in said
            assert "held" in said or party == SHOP
        about_it = {event["id"] for event in story if event["subject"] != event["source"]}

        async def all_is_told() -> bool:
            timeline = await chain.ask("timeline", {"order": ORDER})
            return about_it <= {entry["id"] for entry in timeline["entries"]}

        # What was held is let go by and by: that nobody has anything in hand does not say that it was.
        await eventually(all_is_told, "what was held is in the timeline")
        await chain.settle()
        assert (await chain.ask("timeline", {"order": ORDER}))["order"]["status"] == "closed"


async def publish(chain: Simulation, folder: Path, party: str, events: list[dict[str, Any]]) -> str:
    (folder / "events.json").write_text(json.dumps(events))
    url = running_url(chain.settings)
    assert url is not None
    credentials = credential_file(chain.settings.folder, party)
    program = await asyncio.create_subprocess_exec(
        *("node", "partner.mjs", url, str(credentials), "events.json"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    assert program.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.parametrize(
    ("secret", "events", "said"),
    [
        (None, "[]", "retailer.acme.nk cannot be read (ENOENT)."),
        ("no seed", "[]", "retailer.acme.nk holds no secret: that is a line that begins with SU."),
        (new_seed(), "an event", "events.json holds no JSON event, and no array of them."),
        (new_seed(), "[{}, 1]", "events.json holds no JSON event, and no array of them."),
        (new_seed(), "{}", "nats://127.0.0.1:1 cannot be reached (connection refused)."),
        (new_seed(), "[]", "nats://127.0.0.1:1 cannot be reached (connection refused)."),
    ],
    ids=["no file", "no secret", "no JSON", "no event", "no server for one event", "no server"],
)
def test_it_says_in_a_sentence_what_is_missing(folder: Path, secret: str | None, events: str, said: str) -> None:
    if secret is not None:
        (folder / "retailer.acme.nk").write_text(secret)
    (folder / "events.json").write_text(events)
    command = ["node", "partner.mjs", "nats://127.0.0.1:1", "retailer.acme.nk", "events.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"partner.mjs: {said}\n")
