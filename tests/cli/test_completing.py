"""Tab completes commands and options, and nobody who does not ask for it pays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer import _completion_shared

from cli import completing
from tests.cli.running import call, sentence

#: What bash does when Tab is pressed behind the words.
_TAB = """
eval "$(cat)"
typed() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _repairchain_completion repairchain; echo "${COMPREPLY[@]}"; }
typed repairchain tim
typed repairchain --version orders --s
"""


@pytest.fixture
def bash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_completion_shared, "_get_shell_name", lambda: "bash")


@pytest.mark.skipif(shutil.which("bash") is None, reason="it is tried in bash")
def test_what_is_shown_completes_commands_and_options(tmp_path: Path, bash: None) -> None:
    (program := tmp_path / "repairchain").write_text(f"#!/bin/sh\nexec {sys.executable} -m cli.main\n")
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "--norc", "-c", _TAB],
        input=call("--show-completion").stdout,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(Path(completing.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("timeline\n--status --sort\n", "")


def test_it_is_installed_where_the_shell_reads_it(tmp_path: Path, bash: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".bashrc").write_text("alias ll='ls -l'\n")
    file = tmp_path / ".bash_completions" / "repairchain.sh"
    said = call("--install-completion")
    assert (said.exit_code, str(file) in said.stdout) == (0, True)
    assert (tmp_path / ".bashrc").read_text().split("\n")[::2] == ["alias ll='ls -l'", f"source '{file}'"]
    assert file.read_text().strip() == call("--show-completion").stdout.strip()


def test_where_it_cannot_be_installed(tmp_path: Path, bash: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (home := tmp_path / "home").write_text("no folder")
    monkeypatch.setenv("HOME", str(home))
    assert "--show-completion prints what to put there" in sentence(call("--install-completion"))


@pytest.mark.parametrize(("shell", "said"), [(None, "this runs in no shell"), ("dash", "this runs in dash")])
def test_in_another_shell(shell: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_completion_shared, "_get_shell_name", lambda: shell)
    for option in ("--show-completion", "--install-completion"):
        assert f"{said}: run it in bash, zsh, fish." in sentence(call(option))


def test_the_help_spends_a_line_on_each() -> None:
    lines = call("--help", columns=80).stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if "--install-completion" in line)
    assert [line.split()[0] for line in lines[first : first + 3]] == [
        "--install-completion",
        "--show-completion",
        "-h,",
    ]
