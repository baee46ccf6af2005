"""The orders of the read models, each with its facts and with the rule for its customer's news."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from duckdb import DuckDBPyConnection

from projections.book import Book
from services.backtest.milestones import NEEDED, Fact, Story
from services.backtest.predict import NewsRule


class LogSpan(NamedTuple):
    """When the first and the last fact happened (microseconds since 1970 UTC), and how many parties spoke."""

    first_at: int
    last_at: int
    parties: int
    closes: bool


@dataclass(frozen=True)
class Order:
    """``number`` is the position at which the order begins, by which its steps are known."""

    number: int
    name: str
    never_closed: bool
    story: Story
    news: NewsRule


_SPAN: Final = """
SELECT
    epoch_us(min(occurred_at)), epoch_us(max(occurred_at)), count(DISTINCT source),
    count_if(fact = 'order.closed') > 0
FROM facts
WHERE first_position IN (SELECT first_position FROM orders)
"""
_ORDERS: Final = """
SELECT
    o.first_position, o.order_id, o.accountable, o.opened_by, o.category, o.urgency, o.open,
    (SELECT epoch_us(max(f.occurred_at)) FROM facts f WHERE f.first_position = o.first_position)
FROM orders o
WHERE o.opened_at IS NOT NULL
ORDER BY o.first_position
"""
_FACTS: Final = """
SELECT first_position, epoch_us(occurred_at), fact::VARCHAR, source, party, word, topic
FROM facts
WHERE list_contains($names, fact::VARCHAR)
ORDER BY first_position, story
"""


def read_log_span(cursor: DuckDBPyConnection) -> LogSpan | None:
    """What the log is about in time; None if it has no order."""
    first_at, last_at, parties, closes = cursor.execute(_SPAN).fetchall()[0]
    return None if first_at is None else LogSpan(first_at, last_at, parties, bool(closes))


def read_orders(cursor: DuckDBPyConnection, book: Book, span: LogSpan) -> Iterator[Order]:
    """All orders that were opened, in the order in which they came into the log.

    One that is not closed was open until the end of the log; in a log that closes none, until its own last fact.
    """
    facts: dict[int, list[Fact]] = {}
    for number, *fact in cursor.execute(_FACTS, {"names": sorted(NEEDED)}).fetchall():
        facts.setdefault(number, []).append(Fact(*fact))
    edition = book.edition(None)
    for number, name, accountable, opener, category, urgency, is_open, last_at in cursor.execute(_ORDERS).fetchall():
        terms = book.terms(edition, "update", accountable, None, category, urgency)
        story = Story(
            facts=facts.get(number, []),
            accountable=accountable,
            opener=opener,
            until=span.last_at if span.closes else last_at,
        )
        yield Order(number, name, bool(is_open), story, NewsRule(terms.clock, terms.allowed))
