"""docs/import.md tells the truth: its example says what its table says, and every key is in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from services.importing import ImportReport, facts_from, read_mapping
from services.importing.mapping import Custody, Log, Mapping, Order, PartyOf, Rule, Status
from tests.services.importing.helpers import everything_was_used

DOCUMENT = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_worked_example_says_what_its_table_says(tmp_path: Path) -> None:
    path = tmp_path / "workshop.csv"
    path.write_text(_block("csv"), encoding="utf-8")
    mapping = read_mapping(tomllib.loads(_block("toml")))
    report = ImportReport()
    said = [
        (
            each.event["id"].split(":")[3],
            each.party,
            each.event["type"].removeprefix("repairchain.").removesuffix(".v1"),
        )
        for each in facts_from(mapping, [path], report)
    ]
    told = [
        tuple(cell.strip() for cell in line.split("|")[1:4])
        for line in DOCUMENT.splitlines()
        if re.match(r"\| \d \| \w", line)
    ]
    assert said == told
    assert everything_was_used(report)


def test_every_key_of_the_language_is_told() -> None:
    for section in (Mapping, Log, PartyOf, Order, Custody, Status, Rule):
        for key in section.model_fields:
            assert re.search(rf"`[\[]*(\w+\.)?{key}\b", DOCUMENT), f"docs/import.md does not tell of {key}"
