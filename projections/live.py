"""A live batch: the models of the touched orders made anew, in place of the rows that they had."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from typing import Final

from duckdb import DuckDBPyConnection

from events.party import POLICY
from projections.beside import put_after
from projections.book import Book, open_book
from projections.matching import Rules
from projections.models import CLOSURES, FACTS, ORDER_MODELS, OWED, TOLD, VOIDS, Model
from projections.statements import execute, read_sql

#: The events of the touched orders. The join tells the scan which blocks of older rows to skip. The order's id comes
#: from `touched`, which is short, and not from the mirror, where it would have to be unpacked.
_RAW: Final = """
SELECT e.* EXCLUDE (order_id, type, recorded_at, correlation_id, causation_id, data), t.order_id
FROM chain.events e
JOIN touched t ON t.first_position = e.first_position
"""
#: Is one of them about policies?
_POLICIES: Final = f"SELECT count(*) > 0 FROM touched WHERE order_id = '{POLICY}'"
#: Are there any among them that may not count?
_DOUBTS: Final = """
SELECT count(*) > count(DISTINCT fact_key) OR coalesce(bool_or(fact = 'fact.corrected'), false) FROM facts
"""


class PolicyChangedError(Exception):
    """The batch adopts another policy, or takes one back: everything that is open has to be made anew."""


def apply_models(cursor: DuckDBPyConnection, book: Book) -> Book:
    """Bring the stored models of the orders in the temporary table `touched` up to the mirror.

    The cost grows with those orders and with how long ago the oldest of them began, not with the history. Returns the
    book that holds from here on. Raises PolicyChangedError, having changed nothing of the models.
    """
    execute(cursor, f"CREATE OR REPLACE TEMP VIEW raw AS {_RAW}")
    if _is_so(cursor, "SELECT bool_or(announces) FROM touched"):
        book = _spread_closures(cursor, book)
    if _take_facts(cursor):
        _store(cursor, VOIDS)
    rules = Rules.read(cursor)
    for model in ORDER_MODELS:
        if model.is_read:
            execute(cursor, f"CREATE OR REPLACE TEMP TABLE {model.name} AS {model.select}")
        if model in (TOLD, OWED):
            put_after(cursor, model.name, rules, book)
        if model.is_stored:
            _store(cursor, model)
    return book


def _take_facts(cursor: DuckDBPyConnection) -> bool:
    """Make the touched orders' `facts`, and `voids` if there may be any new ones. Tells whether there may."""
    # At first by the stored `voids`: they hold for as long as nothing of the order is doubled or corrected.
    execute(cursor, f"CREATE OR REPLACE TEMP TABLE facts AS {FACTS.select}")
    doubts = _is_so(cursor, _DOUBTS)
    if doubts:
        execute(cursor, f"CREATE OR REPLACE TEMP TABLE voids AS {VOIDS.select}")
        execute(cursor, f"CREATE OR REPLACE TEMP TABLE facts AS {FACTS.select}")
    return doubts


def _spread_closures(cursor: DuckDBPyConnection, book: Book) -> Book:
    """Store the touched parties' closures, and add to `touched` every order whose due times they can move."""
    _take_facts(cursor)
    if _is_so(cursor, _POLICIES):
        raise PolicyChangedError
    execute(cursor, f"CREATE OR REPLACE TEMP TABLE closures AS {CLOSURES.select}")
    execute(cursor, read_sql("moved_by_closures"))
    _store(cursor, CLOSURES)
    # From here on `closures` and `voids` mean the stored ones again.
    execute(cursor, "DROP TABLE temp.closures")
    execute(cursor, "DROP TABLE IF EXISTS temp.voids")
    return open_book(cursor)


def _store(cursor: DuckDBPyConnection, model: Model) -> None:
    """Put the model's rows of the touched orders in the place of those that are stored."""
    execute(cursor, f"DELETE FROM {model.stored} WHERE first_position IN (SELECT first_position FROM touched)")
    execute(cursor, f"INSERT INTO {model.stored} {f'FROM {model.name}' if model.is_read else model.select}")


def _is_so(cursor: DuckDBPyConnection, query: str) -> bool:
    return bool(execute(cursor, query).fetchall()[0][0])
