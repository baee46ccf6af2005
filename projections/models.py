"""The read models: one SELECT each in sql/, and how a SELECT becomes rows.

Every SELECT reads `facts` and the models before it by unqualified name. Temporary tables shadow stored ones of the same
name, so the same SELECT serves a live batch (temporary `facts` of the touched orders), a rebuild (a view over a stretch
of orders), and "as it was" (a view over some).
"""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

from duckdb import DuckDBPyConnection

from projections.calendar import NEWS_HOURS, RECEIPT_HOURS
from projections.statements import read_sql

#: The attached database file, whatever it is called. `main.` would find temporary tables first.
CATALOG: Final = "chain"


@dataclass(frozen=True)
class Model:
    """One read model. Its rows carry `first_position`, the position at which their order begins in the log."""

    name: str
    #: Kept in a table of the file; otherwise made anew where it is needed.
    is_stored: bool = True
    #: Later models read it.
    is_read: bool = False
    #: Reads other models of single orders besides `facts`, or is read by them.
    is_linked: bool = False

    @property
    def select(self) -> str:
        return read_sql(self.name)

    @property
    def stored(self) -> str:
        """The name of its table in the database file."""
        return f"{CATALOG}.{self.name}"


VOIDS: Final = Model("voids", is_read=True)
FACTS: Final = Model("facts", is_stored=False, is_read=True)
CLOSURES: Final = Model("closures", is_read=True)
CLOSED_SPANS: Final = Model("closed_spans", is_read=True)
#: Cheap enough to be views.
CONTACTS: Final = Model("contacts", is_stored=False)
PARTIES: Final = Model("parties", is_stored=False)

#: Models of single orders, each after those that it reads.
ORDER_MODELS: Final = (
    Model("handoffs", is_read=True, is_linked=True),
    Model("orders", is_read=True, is_linked=True),
    Model("commitments", is_linked=True),
    Model("messages"),
    Model("names"),
)
#: The tables that hold read models.
STORED_MODELS: Final = (VOIDS, CLOSURES, *(model for model in ORDER_MODELS if model.is_stored))


@lru_cache
def models_version() -> str:
    """Changes with any model and with the calendar, so that stored rows made by older ones are made anew."""
    models = (VOIDS, CLOSURES, CLOSED_SPANS, *ORDER_MODELS, FACTS, CONTACTS, PARTIES)
    calendar = resources.files("projections").joinpath("calendar.py").read_text(encoding="utf-8")
    texts = [*(model.select for model in models), read_sql("macros"), read_sql("statuses"), calendar]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def define_words(cursor: DuckDBPyConnection) -> None:
    """Store what the models' SQL refers to, in place of what there is: macros, and the words for a status."""
    cursor.execute(f"CREATE OR REPLACE MACRO receipt_hours() AS {RECEIPT_HOURS}")
    cursor.execute(f"CREATE OR REPLACE MACRO news_hours() AS {NEWS_HOURS}")
    cursor.execute(read_sql("macros"))
    cursor.execute(read_sql("statuses"))


def define_views(cursor: DuckDBPyConnection) -> None:
    """Store the views over the tables: `facts` and what is read straight from them."""
    cursor.execute(f"CREATE OR REPLACE VIEW facts AS WITH raw AS (FROM events) {FACTS.select}")
    for model in (CONTACTS, PARTIES):
        cursor.execute(f"CREATE OR REPLACE VIEW {model.name} AS {model.select}")


def build_temporary(cursor: DuckDBPyConnection, facts_filter: str = "TRUE") -> None:
    """Make every model as a temporary table from the cursor's `raw`, which the caller has made.

    ``facts_filter`` is a condition on the facts that count; corrections and duplicates are settled before it.
    """
    cursor.execute(f"CREATE TEMP TABLE voids AS {VOIDS.select}")
    cursor.execute(f"CREATE TEMP VIEW facts AS SELECT * FROM ({FACTS.select}) WHERE {facts_filter}")
    for model in (CLOSURES, CLOSED_SPANS, *ORDER_MODELS):
        cursor.execute(f"CREATE TEMP TABLE {model.name} AS {model.select}")
