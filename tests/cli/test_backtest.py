"""repairchain backtest: what it prints, the picture, and its one-sentence complaints."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.backtest import backtest
from cli.errors import Chain
from services.backtest import BacktestReport
from tests.cli.running import sentence
from tests.ready import lent_database
from tests.services.backtest.exports import CLOCK, write_export

JOB = [
    ("1", "2026-03-02 10:00", "in", "Shop"),
    ("1", "2026-03-02 12:00", "sent", "Bench"),
    ("1", "2026-03-03 14:00", "work", "Bench"),
    ("1", "2026-03-09 12:00", "done", "Bench"),
]

app = typer.Typer(cls=Chain, pretty_exceptions_enable=False)


@app.callback()
def _root() -> None:
    """As in cli/commands.py, without a home: the command needs none."""


app.command()(backtest)


@pytest.fixture(autouse=True)
def lent_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database is put where the backtest opens one: making it takes longer."""
    monkeypatch.setattr("services.backtest.run.open_database", lambda *_, **__: lent_database())


def call(*args: str | Path) -> Result:
    given = ["backtest", *map(str, args)]
    return CliRunner().invoke(app, given, env={"COLUMNS": "100"}, prog_name="repairchain")


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return write_export(tmp_path, JOB)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(CLOCK, encoding="utf-8")
    return file


def test_the_report_for_people(export: tuple[Path, Path], policy: Path) -> None:
    result = call(*export, "--policy", policy)
    assert result.exit_code == 0, result.output
    printed = result.stdout
    assert "1 order, 4 facts, 2 parties, 2 March 2026 to 9 March 2026" in printed
    assert "The longest time that a customer heard nothing was 7 days; with this policy, " in printed
    assert "longest of each order, as it was" in printed
    assert re.search(r"^receive +say that it came in +1 ", printed, re.MULTILINE)
    assert "retailer:Shop → repairer:Bench" in printed
    assert "The log never says that a customer was told anything" in printed
    assert printed.index("How long customers heard nothing") < printed.index("Which rules are too tight")
    assert os.listdir(Path.cwd()) == []  # no home was made


def test_days_are_those_of_the_log(export: tuple[Path, Path]) -> None:
    """And not those of UTC, where it was the day before still."""
    mapping = export[0]
    mapping.write_text(mapping.read_text().replace('"UTC"', '"Pacific/Kiritimati"'))
    assert "2 March 2026 to 9 March 2026" in call(*export).stdout


def test_the_report_for_programs_is_the_model(export: tuple[Path, Path], policy: Path) -> None:
    result = call(*export, "--policy", policy, "--json", "--limit", "2")
    assert result.exit_code == 0, result.output
    report = BacktestReport.model_validate_json(result.stdout)
    assert report.policy.source == str(policy)
    assert (len(report.messages.listed), report.messages.total) == (2, 6)
    assert json.loads(result.stdout)["messages"]["listed"][1] == {
        "order": "1",
        "at": "2026-03-03T12:00:00Z",
        "kind": "overdue",
        "cause": "receive",
    }


@pytest.mark.parametrize(
    ("name", "begins"), [pytest.param("p.png", b"\x89PNG", marks=pytest.mark.heavy), ("p.SVG", b"<?xml")]
)
def test_a_picture(export: tuple[Path, Path], policy: Path, name: str, begins: bytes) -> None:
    result = call(*export, "--policy", policy, "--chart", name)
    assert result.exit_code == 0, result.output
    assert f"The picture is in {name}." in result.stdout
    drawn = Path(name).read_bytes()
    assert drawn.startswith(begins)
    if name == "p.SVG":
        assert b"Longest silence for a customer" in drawn
        assert "Shop → Bench: say that it came in".encode() in drawn
        call(*export, "--policy", policy, "--chart", "again.svg")
        assert Path("again.svg").read_bytes() == drawn


def test_a_picture_where_nothing_was_late(tmp_path: Path, export: tuple[Path, Path]) -> None:
    write_export(tmp_path, [("1", "2026-03-02 10:00", "in", "Shop $1 $2")])
    assert call(*export, "--chart", "p.svg").exit_code == 0
    assert b"Nothing was ever late" in Path("p.svg").read_bytes()


@pytest.mark.parametrize(
    ("chart", "complaint"),
    [
        ("p.gif", "p.gif: a picture's name ends in .png or .svg."),
        ("nowhere/p.png", "nowhere/p.png cannot be written: there is no folder nowhere."),
        ("folder.png", "folder.png is a folder: name a file for the picture."),
    ],
)
def test_a_picture_that_cannot_be_written_is_said_before_the_work(
    export: tuple[Path, Path], chart: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder.png").mkdir()
    monkeypatch.setattr("services.backtest.backtest", None)  # it would be called
    assert sentence(call(*export, "--chart", chart)) == complaint


def test_a_missing_log(export: tuple[Path, Path]) -> None:
    assert sentence(call(export[0], "absent.csv")) == "absent.csv is no file."


def test_a_mapping_that_is_none(export: tuple[Path, Path]) -> None:
    assert "no-such.toml cannot be read" in sentence(call("no-such.toml", export[1]))
    assert sentence(call(*reversed(export))).endswith("; the mapping comes first.")


def test_a_log_without_orders(tmp_path: Path, export: tuple[Path, Path]) -> None:
    write_export(tmp_path, [])
    assert "says nothing about any order" in sentence(call(*export))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [('[allow]\nreceive = "soon"\n', "is no length of time"), ("[alow]\n", "alow"), ("\udcff", "not UTF-8")],
)
def test_a_wrong_policy(export: tuple[Path, Path], policy: Path, text: str, complaint: str) -> None:
    policy.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert complaint in sentence(call(*export, "--policy", policy))


def test_a_missing_policy(export: tuple[Path, Path]) -> None:
    assert "repairchain policy show" in sentence(call(*export, "--policy", "absent.toml"))


def test_no_place_for_temporary_files(export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(Path("gone").absolute()))
    assert "could not be read or written" in sentence(call(*export))
