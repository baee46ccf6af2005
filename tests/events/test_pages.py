"""The pages for people: made from the models, one per type, and the committed ones are those."""

from __future__ import annotations

import json
import re
from pathlib import Path

from events.asyncapi import asyncapi
from events.pages import page, pages
from events.schema import event_schema, schemas
from events.vocabulary import FACTS
from tests.about import about

DOCS = Path(__file__).parents[2] / "docs"
AGAIN = "repairchain schema --pages docs/events --out docs/schemas"


def test_the_committed_pages_are_up_to_date() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in (DOCS / "events").iterdir()}
    assert committed == pages(), AGAIN


def test_the_committed_schemas_are_up_to_date() -> None:
    made = {f"{name}.json": schema for name, schema in schemas().items()} | {"asyncapi.json": asyncapi()}
    assert {file.name: json.loads(file.read_text()) for file in (DOCS / "schemas").iterdir()} == made, AGAIN


def test_a_page_tells_every_field() -> None:
    for name in FACTS:
        with about(name):
            told = page(name)
            for field in event_schema(name)["properties"]["data"].get("properties", {}):
                assert f"| `{field}` |" in told
            example = json.loads(re.findall(r"```json\n(.*?)```", told, re.DOTALL)[0])
            assert example["type"] == f"repairchain.{name}.v1"


def test_every_link_within_the_pages_leads_somewhere() -> None:
    for file in (DOCS / "events").iterdir():
        text = file.read_text(encoding="utf-8")
        titles = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
        for target in re.findall(r"\]\(([^)]+)\)", text):
            with about(file.name, target):
                if target.startswith("#"):
                    assert target[1:] in titles
                elif "://" not in target:
                    assert (file.parent / target).exists()


def test_a_page_says_what_is_needed_and_what_is_allowed() -> None:
    told = page("item.handed_over")
    assert "| `to` | required | a party, `role:name` |" in told
    assert "Said by: retailer, importer, repairer, customer." in told
    assert "no partner publishes it" in page("message.sent")
    assert "its" in page("party.closed").lower()
    assert "| `score` |  | a whole number from 0 to 10 |" in page("feedback.given")
    assert "| `at_home` |  | `true` or `false`; without it `false` |" in page("order.opened")
    assert "without it `routine`" in page("order.opened")
    # What stands beside a field in the code is told of the field.
    assert "Customers whom it has to call" in page("party.briefed")
