"""The read models: one SELECT each in sql/, and how a SELECT becomes rows.

Every SELECT reads `facts` and the models before it by unqualified name. Temporary tables and views shadow stored ones
of the same name, so the same SELECT serves a live batch and a look back at one order (what lies on a workbench), a
rebuild (a view over a stretch of orders), and "as it was" of all orders (a view over some facts).
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import resources
from importlib.metadata import version
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from events import vocabulary
from projections.beside import PARTS, STORY, Beside
from projections.book import Book, open_book
from projections.policy import DEFAULT_POLICY
from projections.rules import Rules
from projections.statements import read_sql

#: The attached database file, whatever it is called. `main.` would find temporary tables first.
CATALOG: Final = "chain"


@dataclass(frozen=True)
class Model:
    """One read model. Its rows carry `first_position`, the position at which their order begins in the log."""

    name: str
    #: Made of arrays and not by a SELECT (beside.py).
    is_given: bool = False
    #: Follows from more of its order than the facts that speak of it.
    is_linked: bool = False
    #: The facts that its rows of an order follow from, if not from all; and the columns that count whatever fact they
    #: are of. A live batch without any of them leaves the rows as they are.
    facts: frozenset[str] | None = None
    columns: tuple[str, ...] = ()
    #: The facts that lanes.sql names count as well.
    by_lanes: bool = False
    #: Rows that a live batch finds unchanged stay as they are (see kept.py). Else all rows of the order are made anew.
    is_kept: bool = False

    @property
    def select(self) -> str:
        return f"FROM {self.name}" if self.is_given else read_sql(self.name)

    @property
    def stored(self) -> str:
        """The name of its table in the database file."""
        return f"{CATALOG}.{self.name}"


VOIDS: Final = Model("voids")
FACTS: Final = Model("facts")
CLOSURES: Final = Model("closures")
POLICIES: Final = Model("policies")
#: What parties and the chain announce, and due times depend on (see book.py).
ANNOUNCED: Final = (CLOSURES, POLICIES)
#: The facts by which they do.
ANNOUNCING: Final = frozenset({"party.closed", "policy.adopted"})
#: Cheap enough to be views.
CONTACTS: Final = Model("contacts")
PARTIES: Final = Model("parties")
#: Always written with the commitments to receive, and kept in the same rows.
HANDOFFS: Final = Model("handoffs")

_CUSTODY: Final = frozenset({"item.handed_over", "item.received", "order.closed", "order.reopened"})
#: What the watchdog says of commitments, and what they read of the order: its opening, and that it was handed on.
_OWED: Final = _CUSTODY | {"order.opened", "commitment.overdue", "commitment.nudged", "commitment.withdrawn"}
COMMITMENTS: Final = Model("commitments", is_given=True, is_linked=True, facts=_OWED, by_lanes=True, is_kept=True)
ORDERS: Final = Model("orders", is_given=True, is_linked=True)
MESSAGES: Final = Model(
    "messages", is_given=True, facts=frozenset(name for name in vocabulary.FACTS if name.startswith("message."))
)
#: Models of single orders.
ORDER_MODELS: Final[tuple[Model, ...]] = (
    ORDERS,
    COMMITMENTS,
    MESSAGES,
    Model(
        "names",
        facts=frozenset({"order.opened", "order.referenced", "unit.replaced"}),
        columns=("serial", "items"),
    ),
)
#: The tables that hold read models.
STORED_MODELS: Final = (VOIDS, *ANNOUNCED, *ORDER_MODELS)
#: What is read straight from those and from the facts; each may read those before it.
_VIEWS: Final = (HANDOFFS, CONTACTS, PARTIES)
#: In a file of a version of which one of those was a table.
_TABLE_OF_THAT_NAME: Final = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?"


@lru_cache
def models_version() -> str:
    """Changes with any model and with how due times are counted: stored rows made by older ones are made anew."""
    models = (VOIDS, *ANNOUNCED, *ORDER_MODELS, FACTS, *_VIEWS)
    counting = [
        resources.files("projections").joinpath(f"{name}.py").read_text(encoding="utf-8")
        for name in (
            *("calendar", "clock", "book", "terms", "story", "custody", "agreed", "rules", "circumstances"),
            *("things", "turns", "turns_of_things", "expected", "matching", "orders", "messages", "commitments"),
            *("standstill", "owing", "beside"),
        )
    ]
    words = [read_sql(name) for name in ("macros", "statuses", "lanes", *PARTS)]
    texts = [*(model.select for model in models), *words, *counting, DEFAULT_POLICY.digest, version("holidays")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def define_words(cursor: DuckDBPyConnection) -> None:
    """Store what the models' SQL refers to, in place of what there is: macros, words for a status, what facts mean."""
    for name in ("macros", "statuses", "lanes"):
        cursor.execute(read_sql(name))


def define_views(cursor: DuckDBPyConnection) -> None:
    """Store the views over the tables: `facts` and what is read straight from them."""
    cursor.execute(f"CREATE OR REPLACE VIEW facts AS WITH raw AS (FROM events) {FACTS.select}")
    for model in _VIEWS:
        if cursor.execute(_TABLE_OF_THAT_NAME, [CATALOG, model.name]).fetchall():
            cursor.execute(f"DROP TABLE {model.stored}")
        cursor.execute(f"CREATE OR REPLACE VIEW {model.name} AS {model.select}")


def build_temporary(cursor: DuckDBPyConnection, facts_filter: str = "TRUE") -> None:
    """Make every model as a temporary table from the cursor's `raw`, which the caller has made.

    ``facts_filter`` is a condition on the facts that count; corrections and duplicates are settled before it.
    """
    cursor.execute(f"CREATE TEMP TABLE voids AS {VOIDS.select}")
    cursor.execute(f"CREATE TEMP VIEW facts AS SELECT * FROM ({FACTS.select}) WHERE {facts_filter}")
    for model in ANNOUNCED:
        cursor.execute(f"CREATE TEMP TABLE {model.name} AS {model.select}")
    book = open_book(cursor)
    build_orders(cursor, book, told(cursor), partial(_keep_temporary, cursor))


def told(cursor: DuckDBPyConnection) -> pa.Table:
    """What the cursor's `facts` are to ``build_orders``."""
    return _rows(cursor, STORY)


def build_orders(cursor: DuckDBPyConnection, book: Book, facts: pa.Table, store: Callable[[Model, str], None]) -> None:
    """Make the models of single orders from the cursor's `facts`, which are also given as rows (see ``told``).

    ``store`` keeps the rows of a model, whose SELECT it is given. What is made beside SQL is on the cursor by then.
    """
    made = Beside(facts, _subjects(cursor, facts), Rules.read(cursor))
    commitments = made.commitments(book, cursor.register, partial(_rows, cursor))
    for model, rows in ((ORDERS, made.orders), (MESSAGES, made.messages), (COMMITMENTS, commitments)):
        cursor.register(model.name, rows)
    for model in ORDER_MODELS:
        store(model, model.select)


def _subjects(cursor: DuckDBPyConnection, facts: pa.Table) -> pa.Table:
    """The ids of the orders by their first positions."""
    between: Any = pc.min_max(facts["first_position"])
    select = "SELECT order_id, first_position FROM subjects WHERE first_position BETWEEN $min AND $max"
    rows = cursor.execute(select, between.as_py()).to_arrow_table()
    assert rows is not None, "it has just been executed"
    return rows


def _keep_temporary(cursor: DuckDBPyConnection, model: Model, rows: str) -> None:
    if not model.is_given:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {model.name} AS {rows}")


def _rows(cursor: DuckDBPyConnection, select: str) -> pa.Table:
    rows: pa.Table = cursor.sql(select).to_arrow_table()
    return rows
