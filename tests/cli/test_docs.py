"""The documents say what the program does: the reference is made from it, and every field it prints is explained."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.reference import reference
from projections.policies.words import KINDS
from services.backtest import BacktestReport
from services.intake.problems import TITLES
from tests.cli.running import answer, call
from tests.cli.story import HISTORY, STORY, make_home

DOCS = Path(__file__).parents[2] / "docs"
TEMPLATES = DOCS.parent / "services" / "templates" / "en"


def test_the_reference_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference(), "python -m cli.reference > docs/cli.md"


def test_every_command_that_prints_json_is_in_json_md() -> None:
    told = (DOCS / "json.md").read_text(encoding="utf-8")
    chapters = re.split(r"^## ", reference(), flags=re.MULTILINE)[1:]
    printing = [
        match[1] for each in chapters if "`--json`" in each and (match := re.match(r"`repairchain (\w+)", each))
    ]
    assert len(printing) > 10
    assert [name for name in printing if f"`{name}" not in told] == []


def test_every_kind_is_named_where_the_fields_are_explained() -> None:
    told = (DOCS / "json.md").read_text(encoding="utf-8")
    chapter = {each.split("`", 1)[0]: each for each in told.split("\n## `")[1:]}
    letters = {file.name.removesuffix(".body.j2") for file in TEMPLATES.glob("*.body.j2")} - {"list"}
    assert [kind for kind in sorted(letters) if f"`{kind}`" not in chapter["messages [ORDER]"]] == []
    owed = next(line for line in chapter["commitments [ORDER]"].splitlines() if line.startswith("| `kind` |"))
    assert [kind for kind in KINDS if f"`{kind}`" not in owed] == []


def test_every_field_of_a_backtest_is_explained() -> None:
    told = (DOCS / "json.md").read_text(encoding="utf-8").split("\n## `backtest`\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?`) \|", told, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == set(BacktestReport.model_fields)
    schema = BacktestReport.model_json_schema()
    fields = {name for part in (schema, *schema["$defs"].values()) for name in part.get("properties", ())}
    assert fields - set(re.findall(r"`(\w+)`", told)) == set()


def test_for_every_problem_it_is_said_what_to_do() -> None:
    told = (DOCS / "client.md").read_text(encoding="utf-8").split("\n## What is rejected\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|.*\|.+\|$", told, re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", " ".join(cells))) == set(TITLES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("docs") / "home", [*STORY, *HISTORY])


@pytest.mark.parametrize(
    "args",
    [
        ["timeline", "W-1001", "--raw"],
        ["status", "W-1001"],
        ["orders"],
        ["handoffs"],
        ["stalled", "--likely", "1", "--as-of", "2026-11-17T15:00Z"],
        ["commitments"],
        ["commitments", "W-1001"],
        ["ball"],
        ["ball", "--party", "retailer:juno"],
        ["promises"],
        ["today"],
        ["today", "retailer:juno"],
        ["calendar", "show"],
        ["calendar", "check", "retailer:juno", "--add", "2 working days"],
        ["policy", "check"],
        ["policy", "explain", "W-1001", "--all"],
        ["messages"],
        ["stats"],
        ["rebuild"],
        ["partner", "list"],
    ],
)
def test_every_field_is_explained(args: list[str], home: Path) -> None:
    explained = set(re.findall(r"`(\w+)`", (DOCS / "json.md").read_text(encoding="utf-8")))
    explained |= set(re.findall(r'"(\w+)"', (DOCS / "json.md").read_text(encoding="utf-8")))
    assert set(_fields(answer(*args, home=home))) - explained == set()


@pytest.mark.parametrize(
    "args",
    [
        ["status", "W-1001"],
        ["timeline", "W-1001", "--raw"],
        ["commitments", "W-1001"],
        ["policy", "explain", "W-1001", "--all"],
        ["stats"],
    ],
)
def test_no_field_is_explained_that_is_not_printed(args: list[str], home: Path) -> None:
    """In the tables: of the sentences nobody knows which words are fields."""
    chapters = (DOCS / "json.md").read_text(encoding="utf-8").split("\n## `")
    (chapter,) = [each for each in chapters if re.match(rf"{args[0]}\b", each)]
    cells = re.findall(r"^\| (`.*?`) \|", chapter, re.MULTILINE)
    assert len(cells) > 3
    assert set(re.findall(r"`(\w+)`", " ".join(cells))) - set(_fields(answer(*args, home=home))) == set()


def _fields(document: Any) -> Iterator[str]:
    """All field names, but not those of a fact's own data or within a policy."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            if name not in ("data", "policy"):
                yield from _fields(value)
    elif isinstance(document, list):
        for each in document:
            yield from _fields(each)


def test_doctor_prints_its_fields(free_home: Path) -> None:
    result = call("doctor", "--json", home=free_home)
    assert result.exit_code == 0
    assert set(_fields(json.loads(result.stdout))) == {"ok", "checks", "name", "found", "advice"}
