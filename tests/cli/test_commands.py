"""Commands that need no chain, or whose chain is played by a test."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli import verify
from cli.commands import app
from events.vocabulary import FACTS
from projections.compare import Difference
from services.home import HomeFolder
from services.verifying import Verdict
from tests.about import about
from tests.cli.running import answer, call, sentence

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_version() -> None:
    assert call("--version").stdout.startswith("repairchain")


def _helps(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, each in getattr(command, "commands", {}).items():
        yield from _helps(each, *path, name)


def test_help_names_arguments_by_what_is_written_there() -> None:
    """Not by types of Python, and not in braces that somebody might type."""
    for path in _helps(get_command(app)):
        with about(*path):
            shown = call(*path, "--help", columns=80).stdout
            assert shown.startswith(f"Usage: {' '.join(('repairchain', *path))} ")
            assert re.findall(r"[{}]|<[a-z]", shown) == []
            assert max(len(line) for line in shown.splitlines()) <= 80


def test_help_says_which_arguments_may_be_left_out_or_given_several_times() -> None:
    assert "find [OPTIONS] NAME...\n" in call("find", "--help").stdout
    assert "commitments [OPTIONS] [ORDER]\n" in call("commitments", "--help").stdout


def test_the_schemas(tmp_path: Path) -> None:
    listed = call("schema").stdout
    assert all(name in listed for name in FACTS)
    for name in ("item.received", "item.received.v1", "repairchain.item.received.v1"):
        document = json.loads(call("schema", name).stdout)
        assert document["title"] == "repairchain.item.received.v1"
    assert json.loads(call("schema", "--asyncapi").stdout)["asyncapi"].startswith("3.")
    assert call("schema", "--out", tmp_path / "all").exit_code == 0
    assert len(list((tmp_path / "all").glob("*.json"))) == len(FACTS) + 1


def test_an_unknown_version_of_a_type() -> None:
    assert sentence(call("schema", "item.received.v9")).startswith("there is no fact 'item.received.v9'")


def test_parties(free_home: Path) -> None:
    assert "No partner is registered yet" in call("partner", "list", home=free_home).stdout
    said = call("partner", "add", "retailer:juno & co", "--name", "Juno", "--phone", "555", home=free_home).stdout
    assert "--as 'retailer:juno & co'" in said
    added = answer("partner", "add", "retailer:juno & co", home=free_home)
    assert Path(added["credentials"]).name == f"{added['user']}.nk"
    assert answer("partner", "list", home=free_home)["parties"][0]["party"] == "retailer:juno & co"


def test_a_party_with_a_very_long_name(free_home: Path) -> None:
    added = answer("partner", "add", "retailer:" + "é" * 60, home=free_home)
    assert Path(added["credentials"]).exists()


def test_a_log_is_read_without_a_chain(free_home: Path) -> None:
    args = ("import", "--dry-run", EXAMPLES / "returns.toml", EXAMPLES / "returns.csv")
    result = answer(*args, home=free_home)
    assert (result["orders"], result["facts"], result["rows_skipped"]) == (3, 13, 0)
    assert "Nothing was said to the chain." in call(*args, home=free_home).stdout
    assert "no chain runs on" in sentence(call("import", *args[2:], home=free_home))


def test_a_log_with_a_row_that_cannot_be_used(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    lines = (EXAMPLES / "returns.csv").read_text().splitlines()
    log.write_text("\n".join([*lines, lines[1].replace("2025", "soon", 1)]) + "\n")
    told = call("import", "--dry-run", EXAMPLES / "returns.toml", log).stdout
    assert "1 row or fact left out:" in told


def test_a_log_whose_times_are_written_otherwise(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    header, first, *_ = (EXAMPLES / "returns.csv").read_text().splitlines()
    wrong = first.replace("2025-03-03", "3-3-2025")
    log.write_text(f"{header}\n{wrong}\n")
    told = " ".join(call("import", "--dry-run", EXAMPLES / "returns.toml", log).stdout.split())
    assert "0 orders" in told
    assert 'such as time_format = "%d-%m-%Y %H:%M"' in told
    log.write_text(f"{header}\n{wrong}\n{first}\n")  # one that is written otherwise says nothing about the mapping
    assert "such as time_format" not in call("import", "--dry-run", EXAMPLES / "returns.toml", log).stdout


def test_a_log_that_breaks_off_is_read_as_far_as_it_goes_and_not_taken_for_whole(tmp_path: Path) -> None:
    header, *lines = (EXAMPLES / "returns.csv").read_text().splitlines()
    packed = gzip.compress("\n".join([header, *(lines * 400)]).encode(), mtime=0)
    (log := tmp_path / "log.csv.gz").write_bytes(packed[: len(packed) // 2])
    result = call("import", "--dry-run", EXAMPLES / "returns.toml", log)
    assert result.exit_code == 1
    assert "1 file could not be read to the end" in " ".join(result.stdout.split())
    assert "3 orders" in " ".join(result.stdout.split())


def _verdict(*differences: Difference) -> Any:
    return lambda *_, **__: Verdict(41, list(differences))


def test_what_verify_says(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_verdict", _verdict())
    assert "equal to a fresh rebuild" in call("verify", home=free_home).stdout
    monkeypatch.setattr(verify, "_verdict", _verdict(Difference("orders", "second", "{'order_id': W-1}")))
    result = call("verify", home=free_home)
    assert result.exit_code == 1
    assert "in the rebuild only  orders {'order_id': W-1}" in result.stdout
    document = json.loads(call("verify", "--json", home=free_home).stdout)
    assert document["differences"] == [{"table": "orders", "only_in": "rebuild", "row": "{'order_id': W-1}"}]


def test_that_nobody_answers_who_verifies_is_one_sentence(free_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.verifying._ATTEMPTS", 1)
    database = HomeFolder(free_home).database
    database.parent.mkdir(parents=True)
    database.touch()
    (free_home / "repairchain.toml").write_text(
        'nats_url = "nats://127.0.0.1:1"\nnats_user = "operator"\nnats_password = "p"\n'
    )
    result = call("verify", home=free_home)
    assert "the read models cannot be compared: nats: no servers available" in sentence(result)
    assert result.stdout == ""


def test_nothing_to_verify(free_home: Path) -> None:
    assert "holds no read models to compare" in sentence(call("verify", home=free_home))
