"""The whole backtest: an old export and a policy in, a report out. Nothing is sent, and nothing is left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from projections.book import Book, open_book
from projections.clock import moment_of
from projections.database import Database, open_database
from projections.policy import DEFAULT_POLICY, Policy
from projections.schema import DatabaseError
from services.backtest.judging import first, hours, judged_lanes, judged_rules, kinds_of, notices_of, spread, stalls_of
from services.backtest.loading import Loaded, Progress, load
from services.backtest.owed import Micros, read_steps
from services.backtest.predict import TooManyMessagesError, predict
from services.backtest.records import Message, gaps
from services.backtest.report import (
    BacktestReport,
    Gaps,
    LogRead,
    MessageCount,
    Messages,
    PolicyUsed,
    Predicted,
    Silence,
    Stall,
)
from services.backtest.stories import Order, read_log_span, read_orders
from services.importing import Mapping
from services.notifying.decency import Manners
from services.notifying.records import MessagePolicy

_THREADS: Final = 2
_BUILT_IN: Final = "built-in"


class BacktestError(Exception):
    """The backtest cannot be done; the message is one sentence that says why."""


@dataclass(frozen=True)
class Backtest:
    """The report, and for the picture all stalls and the longest silence of each order (microseconds)."""

    report: BacktestReport
    longest_before: Micros
    longest_with: Micros
    stalls: tuple[Stall, ...]


@dataclass
class _Customers:
    """What customers heard, gathered order by order; lengths in microseconds."""

    before: list[list[int]]
    afterwards: list[list[int]]
    contacts: int
    messages: list[tuple[Order, list[Message]]]


def backtest(
    mapping: Mapping,
    files: Sequence[Path],
    policy: Policy | None = None,
    policy_source: str = _BUILT_IN,
    *,
    limit: int = 1_000,
    on_read: Progress = lambda _: None,
) -> Backtest:
    """What would have happened under ``policy`` (None: the built-in one); lists hold ``limit`` rows.

    Raises LogError (services.importing) or BacktestError, both with one sentence.
    """
    with _temporary_database() as database:
        loaded = load(database, mapping, files, policy, on_read)
        return _examine(database, loaded, files, policy or DEFAULT_POLICY, policy_source, limit)


@contextmanager
def _temporary_database() -> Iterator[Database]:
    try:
        with (
            TemporaryDirectory(prefix="repairchain-backtest-") as folder,
            open_database(Path(folder) / "backtest.duckdb", threads=_THREADS) as database,
        ):
            yield database
    except DatabaseError as error:
        raise BacktestError(str(error)) from None


def predicted(orders: Iterable[Order], book: Book) -> Iterator[tuple[Order, list[Message]]]:
    """Orders, and what the customer of each would have been told. Raises TooManyMessagesError."""
    rules = book.policy.messages.model_dump()
    manners, of_messages = Manners.of(None, rules), MessagePolicy().under(rules)
    for order in orders:
        shop = book.clock_of(order.story.accountable)
        yield order, predict(order.story, order.news, manners, of_messages, shop)


def _examine(
    database: Database, loaded: Loaded, files: Sequence[Path], policy: Policy, source: str, limit: int
) -> Backtest:
    cursor = database.cursor()
    try:
        span = read_log_span(cursor)
        if span is None:
            raise BacktestError("the log says nothing about any order: see what 'repairchain import --dry-run' reports")
        book = open_book(cursor)
        steps = read_steps(cursor, book, span.last_at)
        customers = _customers(read_orders(cursor, book, steps, span), book)
    except TooManyMessagesError as error:
        raise BacktestError(str(error)) from None
    finally:
        cursor.close()
    orders = [order for order, _ in customers.messages]
    longest = [np.array([max(each, default=0) for each in some]) for some in (customers.before, customers.afterwards)]
    stalls, lanes = stalls_of(steps), judged_lanes(steps)
    rules, others = judged_rules(steps)
    report = BacktestReport(
        log=LogRead(
            files=tuple(map(str, files)),
            rows=loaded.read.rows,
            rows_skipped=loaded.read.rows_skipped,
            orders=len(orders),
            orders_never_closed=sum(order.never_closed for order in orders),
            facts=loaded.facts,
            facts_left_out=loaded.read.facts_left_out,
            facts_refused=loaded.refused,
            parties=span.parties,
            first_at=moment_of(span.first_at),
            last_at=moment_of(span.last_at),
        ),
        policy=PolicyUsed(source=source, digest=policy.digest),
        silence=Silence(
            contacts=customers.contacts,
            before=_gaps(customers.before, longest[0]),
            with_policy=_gaps(customers.afterwards, longest[1]),
        ),
        kinds=tuple(kinds_of(steps)),
        stalls_total=len(stalls),
        stalls=first(stalls, limit),
        messages=_messages(customers, limit),
        notices=notices_of(steps, np.array(sorted(order.number for order in orders), np.int64)),
        rules=tuple(rules),
        rules_not_judged=tuple(others),
        lanes_total=len(lanes),
        lanes=first(lanes, limit),
    )
    return Backtest(report, longest[0], longest[1], tuple(stalls))


def _customers(orders: Iterable[Order], book: Book) -> _Customers:
    found = _Customers([], [], 0, [])
    for order, told in predicted(orders, book):
        spans, contacts = order.story.open_spans(), order.story.contacts()
        found.contacts += len(contacts)
        found.before.append(gaps(spans, contacts))
        found.afterwards.append(gaps(spans, [*contacts, *(message.at for message in told)]))
        found.messages.append((order, told))
    return found


def _gaps(lengths: Sequence[Sequence[int]], longest: Micros) -> Gaps:
    return Gaps(longest=hours(longest), every=hours(length for some in lengths for length in some))


def _messages(customers: _Customers, limit: int) -> Messages:
    counts = Counter((message.kind, message.cause) for _, told in customers.messages for message in told)
    listed = [
        # To the second: what is late is told when its due time is past, a microsecond after it.
        Predicted(
            order=order.name, at=moment_of(message.at).replace(microsecond=0), kind=message.kind, cause=message.cause
        )
        for order, message in _first_messages(customers, limit)
    ]
    return Messages(
        total=counts.total(),
        per_order=spread(len(told) for _, told in customers.messages),
        by_cause=tuple(
            MessageCount(kind=kind, cause=cause, count=count)
            for (kind, cause), count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        ),
        listed=tuple(listed),
    )


def _first_messages(customers: _Customers, limit: int) -> Iterator[tuple[Order, Message]]:
    left = limit
    for order, told in customers.messages:
        for message in told[:left]:
            yield order, message
        left -= min(left, len(told))
        if not left:
            return
