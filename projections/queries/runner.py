"""From a question's name to its answer."""

# ruff: noqa: S608 - SQL is put together from this package's own names; values that come from outside are bound

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypedDict

import duckdb
from duckdb import DuckDBPyConnection

from projections.database import Database
from projections.models import CATALOG
from projections.queries import briefing, chain, customer, histories, order, owed, parcels, parts
from projections.queries.arguments import Arguments, QueryError, read_moment
from projections.queries.reading import Reading, Row
from projections.statements import execute


class Answer(TypedDict):
    """A result, and the position of the log that it shows."""

    position: int
    result: Row


@dataclass(frozen=True)
class Query:
    """One question: its function, its arguments, whether it can be asked about another moment, and whether it looks at
    one order or few, whatever the history."""

    function: Callable[[Reading, Arguments], Row]
    arguments: frozenset[str]
    travels: bool = False
    is_small: bool = False


#: Every question by name.
QUERIES: Final[Mapping[str, Query]] = MappingProxyType(
    {
        "find": Query(order.find, frozenset({"order"}), is_small=True),
        "customer": Query(customer.customer, frozenset({"opener", "customer"}), is_small=True),
        "customers": Query(customer.customers, frozenset({"openers", "customers"}), is_small=True),
        "message": Query(customer.message, frozenset({"message"})),
        "status": Query(order.status, frozenset({"order", "now"}), travels=True, is_small=True),
        "timeline": Query(
            order.timeline, frozenset({"order", "raw", "limit", "offset", "now"}), travels=True, is_small=True
        ),
        "orders": Query(
            chain.orders, frozenset({"open", "holder", "status", "sort", "limit", "offset", "now"}), travels=True
        ),
        "handoffs": Query(chain.handoffs, frozenset({"from", "to", "limit"}), travels=True),
        "stalled": Query(chain.stalled, frozenset({"now", "likely", "limit"}), travels=True),
        "commitments": Query(
            owed.commitments, frozenset({"order", "owner", "kind", "states", "late", "limit", "now"}), travels=True
        ),
        "ball": Query(owed.ball, frozenset({"party", "limit", "now"}), travels=True),
        "promises": Query(owed.promises, frozenset({"party", "limit", "now"}), travels=True),
        "time_spent": Query(owed.spent, frozenset({"order", "now"})),
        "sweep": Query(owed.sweep, frozenset({"now"})),
        "policy": Query(owed.policy, frozenset(), is_small=True),
        "briefings": Query(briefing.briefings, frozenset({"now"})),
        "briefing": Query(briefing.briefing, frozenset({"party", "limit", "now"})),
        "histories": Query(histories.histories, frozenset({"orders", "letters_since"}), is_small=True),
        "pending": Query(chain.pending, frozenset({"after", "limit"})),
        "audit": Query(chain.audit, frozenset({"now", "limit"})),
        "messages": Query(chain.messages, frozenset({"order", "limit"})),
        "stats": Query(chain.stats, frozenset()),
        "changed": Query(parts.changed, frozenset({"party", "after", "limit"})),
        "parcels": Query(parcels.parcels, frozenset({"numbers", "since", "now"})),
        "closures": Query(chain.closures, frozenset({"party", "category", "urgency", "now"}), is_small=True),
        "parties": Query(chain.parties, frozenset()),
    }
)

_POSITION: Final = f"SELECT position FROM {CATALOG}.meta"


def answer(
    source: Database | DuckDBPyConnection,
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    now: datetime | None = None,
) -> Answer:
    """Answer one question, with the position that the answer shows.

    ``as_of`` asks how it was at that moment, ``known_at`` what we knew then; ``now`` is what `stalled` counts from
    unless its arguments say. Raises QueryError if the question is not one, or is asked wrongly.
    """
    query = QUERIES.get(name)
    if query is None:
        raise QueryError(f"there is no question '{name}' (there are: {', '.join(QUERIES)})")
    arguments = Arguments(name, args or {}, query.arguments)
    was, knew = read_moment("as_of", as_of), read_moment("known_at", known_at)
    if (was or knew) and not query.travels:
        raise QueryError(f"'{name}' cannot be asked about another moment than now")
    cursor = source.cursor()
    try:
        if not isinstance(source, Database):  # whose cursors do so already
            cursor.execute(f"USE {CATALOG}")
        elif not query.is_small:
            source.large_question(cursor)
        execute(cursor, "BEGIN")
        result = query.function(Reading(cursor, was, knew, now), arguments)
        position = execute(cursor, _POSITION).fetchall()[0][0]
        return Answer(position=int(position), result=result)
    except duckdb.ConversionException as error:
        raise QueryError(f"'{name}' was asked with something that cannot be read: {error}") from error
    finally:
        # Ends the transaction too, and with it every temporary table.
        cursor.close()


def run(
    source: Database | DuckDBPyConnection,
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    now: datetime | None = None,
) -> Row:
    """The result alone of ``answer``."""
    return answer(source, name, args, as_of=as_of, known_at=known_at, now=now)["result"]
