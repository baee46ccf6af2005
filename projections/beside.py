"""What is not done in SQL between two models: rows go out as arrays, tables come back that the next ones read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from projections import custody, marks, matching
from projections.book import Book
from projections.matching import Rules
from projections.story import Story
from projections.terms import terms_of

#: The columns of `facts` that a story is made of.
STORY: Final = (
    "SELECT position, first_position, occurred_at, fact, source, party, word, name, topic, by_when, "
    "serial, brand, model, fault_text, aside FROM facts"
)
#: Facts that say something of what is owed.
_NOTES: Final = ("commitment.overdue", "commitment.nudged", "commitment.withdrawn")
#: Kinds for which the chain may wait for the customer.
_WAITS: Final = ("decide", "answer")


def after(model: str, rows: pa.Table, rules: Rules, book: Book) -> dict[str, pa.Table]:
    """The tables that the models after ``model`` read besides, by name, given its rows in their order."""
    match model:
        case "facts":
            return _told(rows, rules)
        case "owed":
            return {"terms": terms_of(book, rows)}
    return {}


def _told(facts: pa.Table, rules: Rules) -> dict[str, pa.Table]:
    story = Story(facts)
    handoffs, agreed = custody.handoffs_of(story), marks.agreed_in(story)
    expected, restated = matching.match(story, agreed, handoffs, rules)
    return {
        "handoffs": custody.as_arrow(story, handoffs),
        "marks": marks.marks_of(story, agreed, handoffs, rules.statuses),
        "expected": expected,
        "restated": restated,
    }


def idle(facts: pa.Table, told: Mapping[str, pa.Table]) -> frozenset[str]:
    """The models that can have no rows, given the facts and what was made of them."""
    kinds = told["expected"]["kind"]
    has_rows = {
        "promised": len(told["restated"]) > 0,
        "waits": _any_of(kinds, _WAITS),
        "noted": _any_of(facts["fact"], _NOTES),
        "told_elsewhere": _any_of(kinds, ("promise",)),
    }
    return frozenset(model for model, has in has_rows.items() if not has)


def _any_of(column: Any, values: tuple[str, ...]) -> bool:
    found = pc.any(pc.is_in(column.cast(pa.string()), pa.array(values, pa.string())))
    return bool(found.as_py())


def put(cursor: DuckDBPyConnection, model: str, rows: pa.Table, rules: Rules, book: Book) -> dict[str, pa.Table]:
    """Let the cursor's SQL have the tables that are made of ``model``. Returns them."""
    made = after(model, rows, rules, book)
    for name, table in made.items():
        cursor.register(name, table)
    return made
