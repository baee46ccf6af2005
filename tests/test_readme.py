"""The README's commands work as printed, one after the other, against a chain that `repairchain up` runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.coming_up import all_ready
from tests.reliability import forked

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"<!-- run(?:: server)? -->\n```sh\n(.*?)```", re.DOTALL)
COMMANDS = [block.strip() for block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the examples in it, and a chain running on its default home."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    chain = subprocess.Popen(
        ["repairchain", "up"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert all_ready(chain)
    try:
        yield tmp_path
    finally:
        chain.send_signal(signal.SIGINT)  # as whoever typed the command ends it
        assert chain.wait(timeout=20) == 0


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "REPAIRCHAIN_NATS_PORT": "0", "REPAIRCHAIN_HEALTH_PORT": "0"}


def shell(folder: Path, commands: str) -> str:
    """What the commands say, one after the other; each must end well.

    A line is what a shell makes of it, for there is nothing but words in it. ``repairchain`` is forked from a process
    that has imported it; that it starts as it is printed, ``repairchain up`` shows.
    """
    said = ""
    for number, line in enumerate(commands.splitlines()):
        assert not set(line) & set("|&;<>()$`*?[]#~=%\\"), f"more than words: {line}"
        words = shlex.split(line)
        if words[0] == "repairchain":
            file = folder / f"said-{number}.txt"
            process = forked.start(words[1:], environment(), file, folder)
            process.join(60)
            code, told = process.exitcode, file.read_text()
            file.unlink()
        else:
            done = subprocess.run(
                words,
                cwd=folder,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=False,
            )
            code, told = done.returncode, done.stdout
        assert code == 0, f"{line}\n{told}"
        said += told
    return said


@pytest.mark.timeout(180)
def test_the_readmes_commands_do_what_it_says(folder: Path) -> None:
    assert len(COMMANDS) == 4
    first, partner, exported, owed = COMMANDS
    assert "accepted" in shell(folder, first)
    outbox = folder / ".repairchain" / "outbox"

    url = json.loads((folder / ".repairchain" / "run" / "nats.json").read_text())["url"]
    said = shell(folder, partner.replace("nats://127.0.0.1:4222", url))
    assert "accepted" in said
    # The program has its receipt a moment before queries show what it said, and before what was said first is a letter.
    for _ in range(100):
        if "importer:noord" in said and any(outbox.rglob("*.eml")):
            break
        said = shell(folder, partner.splitlines()[-1])
    assert "importer:noord" in said
    assert any(outbox.rglob("*.eml"))

    said = shell(folder, exported)
    assert "How long customers heard nothing" in said
    assert "13 rows of 3 orders: 13 facts" in said
    stats = json.loads(shell(folder, "repairchain stats --json"))
    assert (stats["orders"], stats["handoffs"], stats["handoffs_received"]) == (4, 6, 3)
    said = shell(folder, owed)
    assert "importer:noord is to say that it came in" in said
    assert "the built-in policy can be used" in said
    assert "'receive' holds" in said
    assert "All is well." in shell(folder, "repairchain doctor")
    verdict = json.loads(shell(folder, "repairchain verify --json"))
    assert verdict["equal"] is True
    services_have_only_their_own_libraries(folder / ".repairchain" / "run")


def test_the_event_that_the_readme_shows_is_the_one_that_it_publishes() -> None:
    shown = re.search(
        r"^```json\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert shown is not None
    assert shown[1] == (ROOT / "examples" / "first-order.json").read_text(encoding="utf-8")


def services_have_only_their_own_libraries(run: Path) -> None:
    """Those of the read models would take the others longer to import than all the rest of their start."""
    if sys.platform != "linux":
        return
    has = {
        name: "_duckdb" in Path(f"/proc/{json.loads((run / f'{name}.json').read_text())['pid']}/maps").read_text()
        for name in ("retailer", "importer", "repairer", "notifier", "watchdog", "projector")
    }
    assert has == dict.fromkeys(has, False) | {"projector": True}


def test_the_readme_names_every_dependency_with_its_reason() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Dependencies") : text.index("## Measured")]
    named = set(
        re.findall(r"[a-z][a-z0-9-]+", " ".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert listed is not None
    for requirement in re.findall(r'"([A-Za-z0-9-]+)', listed[1]):
        assert requirement in named, f"the README does not say what {requirement} is for"
