"""Whatever goes wrong: one sentence on stderr, the right exit code, never a traceback."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from nats.js.errors import ServerError

from cli import orders
from cli.errors import complain, unforeseen
from services import running
from services.home import HomeFolder
from tests.cli.running import call, process, sentence
from tests.cli.story import give_operator_login, make_home


def test_no_command_shows_what_there_is() -> None:
    result = call()
    assert result.exit_code == 0
    assert "timeline" in result.stdout


def test_what_the_server_refuses_is_said_in_its_words() -> None:
    full = ServerError(code=503, err_code=10047, description="insufficient storage resources available")
    assert unforeseen(full).startswith("the server refused this: insufficient storage resources available (")
    assert unforeseen(KeyError("box")).startswith("this went wrong in a way that repairchain did not foresee: KeyError")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["timelin"], "no such command 'timelin'. Did you mean 'timeline'? See 'repairchain --help'."),
        (["timeline"], "missing argument 'ORDER'. See 'repairchain timeline --help'."),
        (["orders", "--limit", "0"], "invalid value for '--limit': "),
        (["orders", "--colour"], "no such option: --colour"),
        (["timeline", "W-1", "--as-of", "soon"], "'soon' is not a moment for --as-of: write an ISO date"),
        (["run", "postman"], "there is no service 'postman': there are projector"),
        (["schema", "item.recieved"], "there is no fact 'item.recieved': did you mean item.received?"),
        (["schema", "order.opened", "--asyncapi"], "name a type, or ask for --asyncapi"),
        (
            ["partner", "add", "juno"],
            "'juno' is not a party: write role:name, with a role of retailer, importer, re",
        ),
        (["partner", "add", "customer:me"], "'customer:me' cannot be a partner"),
        (["import", "none.toml", "log.csv"], "none.toml cannot be read: No such file or directory."),
        (["publish", "none.json"], "none.json cannot be read: no such file or directory."),
        (["rejected", "show", "x"], "invalid value for 'NUMBER'"),
    ],
)
def test_mistakes_in_what_was_asked(args: list[str], said: str, free_home: Path) -> None:
    assert sentence(call(*args, home=free_home)).startswith(said)


@pytest.mark.parametrize(
    "args", [["status"], ["find"], ["customer", "show"], ["partner", "add", "retailer:x", "--phone"]]
)
def test_what_was_typed_in_another_encoding(args: list[str], free_home: Path) -> None:
    assert sentence(call(*args, "Zo\udceb", home=free_home)).startswith("'Zo\ufffd' is no text in UTF-8")


@pytest.mark.parametrize(
    "args",
    [
        ["timeline", "W-1001"],
        ["status", "W-1001"],
        ["orders"],
        ["handoffs"],
        ["stalled"],
        ["messages"],
        ["stats"],
        ["rebuild"],
        ["snapshot", "copy.duckdb"],
    ],
)
def test_without_a_chain_and_without_read_models(args: list[str], free_home: Path) -> None:
    said = sentence(call(*args, home=free_home))
    assert said.startswith(f"no chain runs on {free_home}, and {free_home} holds no read models: ")
    assert f"'repairchain --home {free_home} up'" in said
    assert not free_home.exists()


@pytest.mark.parametrize("args", [["watch"], ["rejected", "list"], ["rejected", "retry", "1"]])
def test_what_only_a_running_chain_can_tell(args: list[str], free_home: Path) -> None:
    said = sentence(call(*args, home=free_home))
    assert said.startswith(f"no chain runs on {free_home}: start ")
    assert f"'repairchain --home {free_home} up'" in said


def test_a_server_that_is_gone(free_home: Path) -> None:
    make_home(free_home)
    HomeFolder(free_home).server_file.write_text('{"url": "nats://127.0.0.1:9", "pid": 0}')
    give_operator_login(free_home)
    assert call("status", "W-1001", home=free_home).exit_code == 0  # the file is asked instead
    assert "nothing answers at nats://127.0.0.1:9" in sentence(call("watch", home=free_home))


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is damaged ("), ("[]", "is damaged (it holds no JSON object)"), ("\x00", "is damaged (")]
)
def test_a_damaged_file_of_the_home(free_home: Path, text: str, said: str) -> None:
    make_home(free_home)
    HomeFolder(free_home).server_file.write_text(text)
    assert said in sentence(call("orders", home=free_home))


def test_a_damaged_database(free_home: Path) -> None:
    make_home(free_home)
    database = HomeFolder(free_home).database
    database.write_bytes(b"no database" * 1_000)
    said = sentence(call("orders", home=free_home))
    assert "cannot be read" in said
    assert f"'repairchain --home {free_home} up' makes it anew" in said
    assert database.read_bytes().startswith(b"no database")  # asking changes nothing


HELLO = b'INFO {"server_id":"x","version":"2.15.1","proto":1,"max_payload":1048576,"headers":true}\r\n'


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "MSG {reply} 1 9\r\nnot JSON!\r\n",
        "MSG {reply} 1 2\r\n[]\r\n",
        "MSG {reply} 1 2\r\n{{}}\r\n",
        "-ERR 'no'\r\n",
    ],
)
def test_a_server_that_fails_in_the_middle(answer: str, free_home: Path) -> None:
    """It lets us in, takes the question, and then answers nonsense or nothing and hangs up."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(HELLO)
            for line in lines:
                if line.startswith(b"PING"):
                    connection.sendall(b"PONG\r\n")
                elif line.startswith(b"PUB"):
                    connection.sendall(answer.format(reply=line.split()[2].decode()).encode())
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        HomeFolder(free_home).create()
        give_operator_login(free_home)
        url = f"nats://127.0.0.1:{listener.getsockname()[1]}"
        HomeFolder(free_home).server_file.write_text(json.dumps({"url": url, "pid": 0}))
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        assert url in sentence(call("orders", home=free_home))
        server.join()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        running = process("schema", "--asyncapi", stdout=full)
        _, said = running.communicate(timeout=20)
    assert running.returncode == 2
    assert said == "repairchain: something could not be read or written: [Errno 28] No space left on device.\n"


def test_a_wrong_setting(free_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("repairchain.toml").write_text("home = [")
    assert sentence(call("orders")).startswith("repairchain.toml cannot be read (")
    Path("repairchain.toml").write_text("beat = 3")
    assert "beat" in sentence(call("up", home=free_home))


def test_a_chain_that_cannot_run_says_what_it_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "new"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("REPAIRCHAIN_NATS_PORT", str(taken.getsockname()[1]))
        said = sentence(call("up", home=home))
        assert said.endswith(f"(the new home {home} is kept).")
        assert "is kept" not in sentence(call("up", home=home))


def test_what_nobody_foresaw_is_a_sentence_too(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(orders, "ask", break_down)
    said = sentence(call("orders", home=free_home))
    assert "ZeroDivisionError: division" in said
    assert "--traceback" in said
    assert isinstance(call("--traceback", "orders", home=free_home).exception, ZeroDivisionError)


def test_ctrl_c_is_quiet(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(orders, "ask", interrupt)
    result = call("orders", home=free_home)
    assert (result.exit_code, result.output) == (130, "")


#: Runs a command and presses Ctrl-C when the module that is named first is about to be imported.
_INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
from cli.main import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "cli.watch", "cli.reading", None])
def test_ctrl_c_is_quiet_from_the_first_moment_on(module: str | None, free_home: Path) -> None:
    command = [sys.executable, "-c", _INTERRUPTED, str(module), "--home", str(free_home), "orders"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if module is None:
        assert (done.returncode, "no chain runs" in done.stderr) == (2, True)
    else:
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_is_quiet_before_the_program_has_begun(tmp_path: Path) -> None:
    """As soon as anything of ours is imported: before that, Python itself has the word."""
    script = tmp_path / "repairchain"  # as the installed program is called
    script.write_text(_INTERRUPTED)
    done = subprocess.run([sys.executable, script, "cli.main"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_reader_that_goes_away_early(free_home: Path) -> None:
    running = process("schema", "--asyncapi")
    assert running.stdout is not None
    assert running.stdout.readline() == "{\n"
    running.stdout.close()
    assert running.stderr is not None
    said = running.stderr.read()
    assert (running.wait(timeout=20), said) == (141, "")


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        ("--help >/dev/full", 2, "repairchain: something could not be read or written: "),
        ("schema >/dev/full", 2, "repairchain: something could not be read or written: "),
        ("schema >&-", 0, ""),
        ("--help <&- >&-", 0, ""),
        ("nothing 2>&-", 2, ""),
        ("nothing 2>/dev/full", 2, ""),
    ],
)
def test_what_is_said_cannot_be_written(redirected: str, code: int, said: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m cli.main {redirected}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said) if said else not done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_of_help_that_is_not_there() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "cli.main", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_hint_that_is_a_question_has_one_end_mark(capsys: pytest.CaptureFixture[str]) -> None:
    complain("nats_prt is not a setting: did you mean nats_port?.")
    assert capsys.readouterr().err == "repairchain: nats_prt is not a setting: did you mean nats_port?\n"


def test_a_service_that_fails_as_nobody_foresaw_may_be_tried_again(
    free_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise duckdb.TransactionException("No space left on device")

    monkeypatch.setattr(running, "run_service", full)
    assert "No space left on device" in sentence(call("run", "projector", home=free_home), code=1)
    with pytest.raises(duckdb.TransactionException):
        raise call("--traceback", "run", "projector", home=free_home).exception or AssertionError
