"""The page for a newcomer, followed to the letter against a chain that runs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.clock import SimulatedClock
from events.party import name_of
from events.streams import declare_streams
from services import welcome
from services.credentials import Identity, credential_file
from services.home import HomeFolder
from services.parties import add_party
from services.userkeys import new_seed
from services.welcome import render_welcome, renew_welcomes, write_welcome
from tests.chainserver import ChainServer
from tests.oldhome import old_partner
from tests.services.intakes import Chain
from tests.services.submissions import SHOP

#: ``nats subscribe SUBJECT`` prints the first message; ``nats request SUBJECT BODY`` waits until somebody subscribed.
_TOOL = """
import asyncio, os, pathlib, sys
import nats
async def main(what, subject, *body):
    if "NATS_NKEY" in os.environ:
        login = {"nkeys_seed": os.environ["NATS_NKEY"]}
    else:
        login = {"user": os.environ["NATS_USER"], "password": os.environ["NATS_PASSWORD"]}
    connection = await nats.connect(os.environ["NATS_URL"], **login)
    listening = pathlib.Path("listening")
    if what == "subscribe":
        heard = await connection.subscribe(subject)
        await connection.flush()
        listening.touch()
        print((await heard.next_msg(timeout=20)).data.decode(), flush=True)
    else:
        while not listening.exists():
            await asyncio.sleep(0.005)
        print((await connection.request(subject, body[0].encode(), timeout=20)).data.decode(), flush=True)
    await connection.close()
asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def chain(chain_server: ChainServer) -> Chain:
    await declare_streams((await chain_server.connect("keeper")).jetstream())
    chain = Chain(chain_server)
    chain.clock = SimulatedClock(datetime.now(UTC))  # the page has the hour at which it was written
    return chain


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


async def handed_over(server: ChainServer, party: str, folder: Path) -> str:
    """Put into ``folder`` what the partner is handed beside the page, which is returned."""
    await server.add_party(party)
    return await page_and_secret(server, party, folder)


async def page_and_secret(server: ChainServer, party: str, folder: Path) -> str:
    page = await asyncio.to_thread(write_welcome, server.home, party, server.url)
    secret = credential_file(HomeFolder(server.home), party)
    (folder / secret.name).write_text(secret.read_text())
    return page.read_text()


@pytest.mark.parametrize("party", ["retailer:acme", 'importer:Zoë & Sons\' "best"'])
async def test_a_newcomer_who_follows_it_has_a_fact_in_the_log(chain: Chain, party: str, tmp_path: Path) -> None:
    page = await handed_over(chain.server, party, tmp_path)
    (program,) = blocks(page, "python")
    async with chain.running(party.partition(":")[0]):
        said = [await run(sys.executable, "-c", program, folder=tmp_path) for _ in range(2)]
        (closing,) = blocks(page, "json")
        closed = await (await chain.partner(party)).say(closing.encode())
    assert [line.split(":")[0] for line in said[0].splitlines()] == ["safe", "receipt"]
    outcomes = [json.loads(each.splitlines()[1].partition(": ")[2])["receipts"][0]["outcome"] for each in said]
    assert outcomes == ["accepted", "duplicate"]
    assert (closed["outcome"], closed["order"]) == ("accepted", f"TRIAL-1~{name_of(party)}")


async def test_where_it_is_not_let_in_or_nobody_answers_the_program_says_so_in_one_line(
    chain_server: ChainServer, tmp_path: Path
) -> None:
    page = await handed_over(chain_server, SHOP, tmp_path)
    (program,) = blocks(page, "python")
    secret = tmp_path / credential_file(HomeFolder(chain_server.home), SHOP).name
    nowhere = program.replace(chain_server.url, "nats://127.0.0.1:1")
    assert "servers" in await complaint(nowhere, tmp_path)
    secret.write_text(new_seed())
    assert "Authorization" in await complaint(program, tmp_path)


async def test_what_the_server_does_not_take_is_not_called_safe(chain_server: ChainServer, tmp_path: Path) -> None:
    page = await handed_over(chain_server, SHOP, tmp_path)
    (program,) = blocks(page, "python")
    refused = program.replace("timeout=10)\n", "timeout=10, headers={'Nats-Expected-Last-Sequence': '9'})\n", 1)
    assert "(not taken, publish it again later: wrong last sequence" in await complaint(refused, tmp_path)


def test_a_page_is_written_anew_where_http_was_opened_or_closed(tmp_path: Path) -> None:
    add_party(tmp_path, "retailer:juno")
    add_party(tmp_path, "importer:noord")
    page = write_welcome(tmp_path, "retailer:juno", None)  # the other's was handed over, and lies here no more
    assert renew_welcomes(tmp_path, None, None) == []
    assert renew_welcomes(tmp_path, None, "http://127.0.0.1:8443") == ["retailer:juno"]
    assert "| over HTTP you publish to | `http://127.0.0.1:8443/events` |" in page.read_text()
    assert renew_welcomes(tmp_path, None, "http://127.0.0.1:8443") == []
    assert renew_welcomes(tmp_path, None, None) == ["retailer:juno"]
    assert "over HTTP" not in page.read_text()


def test_a_page_names_the_server_that_was_known_and_the_one_that_an_operator_put_there(tmp_path: Path) -> None:
    def server() -> str:
        (named,) = re.findall(r"^\| server \| `(.*)` \|$", page.read_text(), re.MULTILINE)
        return str(named)

    add_party(tmp_path, SHOP)
    page = write_welcome(tmp_path, SHOP, None)
    assert server() == "nats://SERVER:4222"
    assert renew_welcomes(tmp_path, "nats://127.0.0.1:4222", None) == [SHOP]
    assert renew_welcomes(tmp_path, "nats://127.0.0.1:4222", None) == []
    write_welcome(tmp_path, SHOP, None)  # while no chain runs
    assert server() == "nats://127.0.0.1:4222"
    assert renew_welcomes(tmp_path, "nats://127.0.0.1:4333", None) == [SHOP]
    assert server() == "nats://127.0.0.1:4333"
    page.write_text(page.read_text().replace("nats://127.0.0.1:4333", "tls://chain.example:4222"))
    write_welcome(tmp_path, SHOP, "nats://127.0.0.1:4333")
    assert renew_welcomes(tmp_path, "nats://127.0.0.1:4333", None) == []
    assert page.read_text().count("tls://chain.example:4222") > 1
    assert "127.0.0.1" not in page.read_text()


def test_the_trial_on_a_page_that_is_written_anew_is_the_same_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # nobody asks for another zone
            return datetime(2031, 1, 5, tzinfo=UTC)

    add_party(tmp_path, SHOP)
    page = write_welcome(tmp_path, SHOP, "nats://127.0.0.1:4222")
    before, written = page.read_text(), page.stat().st_ino
    monkeypatch.setattr(welcome, "datetime", Later)
    write_welcome(tmp_path, SHOP, "nats://127.0.0.1:4222")
    assert (page.read_text(), page.stat().st_ino) == (before, written)  # there was nothing to write
    write_welcome(tmp_path, SHOP, "nats://127.0.0.1:4333")
    assert page.read_text() == before.replace(":4222", ":4333")
    page.write_text(before.replace('"time": "', '"time": "at '))  # what nobody can read is said anew
    write_welcome(tmp_path, SHOP, "nats://127.0.0.1:4222")
    assert '"time": "2031-01-05T00:00:00+00:00"' in page.read_text()


async def complaint(program: str, folder: Path) -> str:
    """The one line that it says, and no traceback."""
    command = [sys.executable, "-c", program]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Not done (")
    return line


@pytest.mark.parametrize(
    ("url", "keyed", "says", "not_so"),
    [
        (None, False, "Nothing else is open to you, and", "over HTTP"),
        ("http://127.0.0.1:8443", False, "`http://127.0.0.1:8443/events`", "Nothing else is open to you, and"),
        ("http://127.0.0.1:8443", False, "the operator makes you one", "https://SERVER"),
        ("http://127.0.0.1:8443", True, "`http://127.0.0.1:8443/events`", "the operator makes you one"),
        (None, True, "`https://SERVER/events`", "Nothing else is open to you, and"),
    ],
)
def test_it_says_what_is_open_over_http(url: str | None, keyed: bool, says: str, not_so: str) -> None:
    login = Identity("r.x", "UA", Path("r.x.nk"))
    page = render_welcome("repairer:x", "X", "r.x.nk", login, None, datetime(2026, 1, 5, tzinfo=UTC), url, keyed)
    assert says in page
    assert not_so not in page


@pytest.mark.parametrize("register", [add_party, old_partner])
async def test_the_shell_hands_the_tool_the_login_and_the_same_event(
    chain: Chain, tmp_path: Path, register: Callable[[Path, str], object]
) -> None:
    """Any program named ``nats`` is given what the page says: here one that does with it what the real one does."""
    await asyncio.to_thread(register, chain.server.home, SHOP)
    page = await page_and_secret(chain.server, SHOP, tmp_path)
    (script,) = blocks(page, "sh")
    tool = tmp_path / "nats"
    tool.write_text(f"#!{sys.executable}\n{_TOOL}")
    tool.chmod(0o755)
    async with chain.running():
        said = await run("bash", "-ec", f"{script}\nwait", folder=tmp_path, path=tmp_path)
    receipt = json.loads(next(line for line in said.splitlines() if "receipts" in line))["receipts"][0]
    assert (receipt["outcome"], receipt["id"]) == ("accepted", "trial-open")


def test_where_no_server_is_known_it_says_so_and_any_name_may_stand_in_it() -> None:
    now, login = datetime(2026, 1, 5, tzinfo=UTC), Identity("repairer.x", "UA", Path("repairer.x.nk"))
    page = render_welcome("repairer:O'Hara", "{{ O'Hara }}", "repairer.x.nk", login, None, now)
    assert "nats://SERVER:4222" in page
    assert page.startswith("# Welcome, {{ O'Hara }}\n")
    compile(blocks(page, "python")[0], "page", "exec")


@pytest.mark.parametrize("login", [Identity("r.x", "UA", None), Identity("r.x", None, Path("r.x.json"))])
def test_it_says_how_each_kind_of_partner_logs_in(login: Identity) -> None:
    page = render_welcome("repairer:x", "X", "r.x.file", login, None, datetime(2026, 1, 5, tzinfo=UTC))
    (program,) = blocks(page, "python")
    compile(program, "page", "exec")
    assert ("nkeys_seed='r.x.file'" in program, "Only you have" in page) == (bool(login.nkey), bool(login.nkey))
    assert ("NATS_PASSWORD" in page, "you were handed `r.x.file`" in page) == (not login.nkey, not login.nkey)


async def run(*command: str, folder: Path, path: Path | None = None) -> str:
    environment = os.environ | ({"PATH": f"{path}:{os.environ['PATH']}"} if path else {})
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
