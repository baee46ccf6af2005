"""The read models: one SELECT each in sql/, and how a SELECT becomes rows.

Every SELECT reads `facts` and the models before it by unqualified name. Temporary tables shadow stored ones of the same
name, so the same SELECT serves a live batch (temporary `facts` of the touched orders), a rebuild (a view over all), and
"as it was" (a view over some).
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

from duckdb import DuckDBPyConnection

#: The attached database file, whatever it is called. `main.` would find temporary tables first.
CATALOG: Final = "chain"


@dataclass(frozen=True)
class Model:
    """One read model. ``keys`` tell its rows apart (none: it is kept nowhere and made anew where it is needed)."""

    name: str
    keys: tuple[str, ...] = ()
    #: Rows may vanish although no fact was taken back: a late fact can change what an earlier one meant.
    may_shrink: bool = False

    @property
    def select(self) -> str:
        return read_sql(self.name)

    @property
    def stored(self) -> str:
        """The name of its table in the database file."""
        return f"{CATALOG}.{self.name}"


VOIDS: Final = Model("voids", ("position",), may_shrink=True)
FACTS: Final = Model("facts")
CLOSURES: Final = Model("closures", ("position",))
CLOSED_SPANS: Final = Model("closed_spans")
#: Cheap enough to be a view.
CONTACTS: Final = Model("contacts")

#: Models of single orders, each after those that it reads.
ORDER_MODELS: Final = (
    Model("intakes"),
    Model("handoffs", ("position",)),
    Model("commitments", ("position",), may_shrink=True),
    Model("messages", ("first_position", "message_id")),
    Model("names", ("first_position", "kind", "name", "party")),
    Model("party_orders", ("first_position", "party")),
    Model("orders", ("first_position",)),
)
#: The tables that hold read models.
STORED_MODELS: Final = (VOIDS, CLOSURES, *(model for model in ORDER_MODELS if model.keys))


@lru_cache
def read_sql(name: str) -> str:
    """The text of sql/``name``.sql."""
    return resources.files("projections").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


@lru_cache
def models_version() -> str:
    """Changes with any model, so that stored rows made by older SQL are made anew."""
    models = [model.name for model in (*STORED_MODELS, *ORDER_MODELS, FACTS, CLOSED_SPANS, CONTACTS)]
    texts = [read_sql(name) for name in (*models, "macros", "types", "parties")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def define_macros(cursor: DuckDBPyConnection) -> None:
    """Store what the models' SQL calls: macros and types. They are replaced when they are there already."""
    cursor.execute("DROP TYPE IF EXISTS status_word")
    cursor.execute(read_sql("types"))
    cursor.execute(read_sql("macros"))


def define_views(cursor: DuckDBPyConnection) -> None:
    """Store the views over the tables: `facts` and what is read straight from them."""
    cursor.execute(f"CREATE OR REPLACE VIEW facts AS WITH raw AS (FROM events) {FACTS.select}")
    cursor.execute(f"CREATE OR REPLACE VIEW contacts AS {CONTACTS.select}")
    cursor.execute(f"CREATE OR REPLACE VIEW parties AS {read_sql('parties')}")


def build_stored(cursor: DuckDBPyConnection) -> None:
    """Make every stored model anew from all events of the mirror. Readers keep the old rows until the commit.

    Leaves temporary tables and views on the cursor.
    """
    cursor.execute(f"CREATE TEMP VIEW raw AS SELECT * FROM {CATALOG}.events")
    _store(cursor, VOIDS)
    cursor.execute(f"CREATE TEMP VIEW facts AS {FACTS.select}")
    _store(cursor, CLOSURES)
    _store(cursor, CLOSED_SPANS)
    for model in ORDER_MODELS:
        if model.keys:
            _store(cursor, model)
        else:
            cursor.execute(f"CREATE TEMP TABLE {model.name} AS {model.select}")


def _store(cursor: DuckDBPyConnection, model: Model) -> None:
    cursor.execute(f"CREATE OR REPLACE TABLE {model.stored} AS {model.select}")


def build_temporary(cursor: DuckDBPyConnection, facts_filter: str = "TRUE") -> None:
    """Make every model as a temporary table from the cursor's `raw`, which the caller has made.

    ``facts_filter`` is a condition on the facts that count; corrections and duplicates are settled before it.
    """
    cursor.execute(f"CREATE TEMP TABLE voids AS {VOIDS.select}")
    cursor.execute(f"CREATE TEMP VIEW facts AS SELECT * FROM ({FACTS.select}) WHERE {facts_filter}")
    cursor.execute(f"CREATE TEMP VIEW contacts AS {CONTACTS.select}")
    for model in (CLOSURES, CLOSED_SPANS, *ORDER_MODELS):
        cursor.execute(f"CREATE TEMP TABLE {model.name} AS {model.select}")
