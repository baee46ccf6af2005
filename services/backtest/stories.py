"""The orders of the read models, each with its facts, with what was late, and with the rule for its customer's news."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from duckdb import DuckDBPyConnection

from projections.book import Book, Terms
from services.backtest.lateness import late_by_order
from services.backtest.owed import Steps
from services.backtest.records import Fact, Story


class LogSpan(NamedTuple):
    """When the first and the last fact happened (microseconds since 1970 UTC), and how many parties spoke."""

    first_at: int
    last_at: int
    parties: int
    closes: bool


@dataclass(frozen=True)
class Order:
    """``number`` is the position at which it begins, by which its steps are known; ``news`` is its rule for news."""

    number: int
    name: str
    never_closed: bool
    story: Story
    news: Terms


_SPAN: Final = """
SELECT
    epoch_us(min(occurred_at)), epoch_us(max(occurred_at)), count(DISTINCT source),
    count_if(fact = 'order.closed') > 0
FROM facts
WHERE first_position IN (SELECT first_position FROM orders)
"""
_ORDERS: Final = """
SELECT first_position, order_id, accountable, opened_by, customer, category, urgency, open
FROM orders
WHERE opened_at IS NOT NULL
ORDER BY first_position
"""
_FACTS: Final = """
SELECT e.first_position, e.position, epoch_us(e.occurred_at), e.fact::VARCHAR, e.source, e.id, e.data
FROM chain.events e
ANTI JOIN voids v ON v.position = e.position
WHERE e.fact IS NOT NULL AND e.first_position IN (SELECT first_position FROM orders)
ORDER BY e.first_position, e.occurred_at, e.position
"""
_STATUSES: Final = "SELECT fact::VARCHAR, status::VARCHAR FROM status_of_fact"
_ROWS: Final = 10_000


def read_log_span(cursor: DuckDBPyConnection) -> LogSpan | None:
    """What the log is about in time; None if it has no order."""
    first_at, last_at, parties, closes = cursor.execute(_SPAN).fetchall()[0]
    return None if first_at is None else LogSpan(first_at, last_at, parties, bool(closes))


def read_orders(cursor: DuckDBPyConnection, book: Book, steps: Steps, span: LogSpan) -> Iterator[Order]:
    """All orders that were opened, in the order in which they came into the log.

    One that is not closed was open until the end of the log; in a log that closes none, until its own last fact.
    """
    statuses: dict[str, str] = dict(cursor.execute(_STATUSES).fetchall())
    late = late_by_order(cursor, book, steps, span.last_at)
    known = {row[0]: row[1:] for row in cursor.execute(_ORDERS).fetchall()}
    edition = book.edition(None)
    for number, rows in groupby(_rows(cursor), key=lambda row: row[0]):
        if number not in known:
            continue
        name, accountable, opener, customer, category, urgency, is_open = known[number]
        facts = [Fact(at, fact, source, id, _data(data)) for _, _, at, fact, source, id, data in rows]
        story = Story(
            order=name,
            facts=facts,
            accountable=accountable,
            opener=opener,
            customer=customer or "unknown",
            urgency=urgency,
            until=span.last_at if span.closes else facts[-1].at,
            statuses=statuses,
            late=late.get(number, ()),
        )
        yield Order(
            number, name, bool(is_open), story, book.terms(edition, "update", accountable, None, category, urgency)
        )


def _rows(cursor: DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    cursor.execute(_FACTS)
    while rows := cursor.fetchmany(_ROWS):
        yield from rows


def _data(text: str | None) -> Mapping[str, Any]:
    found = orjson.loads(text) if text else None
    return found if isinstance(found, dict) else {}
