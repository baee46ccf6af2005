"""When customers are to hear that something is late, by order: each level that tells them, of each date that it had.

A step for which a date was named and moved could be late once for each of its dates. The read models keep the first and
the last of them, so those in between are looked up in the facts that named them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from duckdb import DuckDBPyConnection

from projections.book import Book, Terms
from projections.terms import level_at
from services.backtest.owed import Steps
from services.backtest.records import NEVER, Late

_OPENINGS: Final = "SELECT position, source, id FROM chain.events WHERE position = ANY($positions)"

#: Does it hold? Asked for by the end of the work, not owed by a partner: no step.
_CHECKS: Final = """
SELECT
    c.first_position, c.position, c.owner, c.owed_to, o.category, o.urgency,
    epoch_us(c.opened_at), epoch_us(c.due_at), epoch_us(c.ended_at)
FROM commitments c
JOIN orders o ON o.first_position = c.first_position
WHERE c.kind = 'check' AND c.due_at IS NOT NULL
"""
#: All dates that were named for steps which had more than one, or had one named after they began (see promised.sql).
_DATES: Final = """
SELECT c.position, c.kind, epoch_us(f.occurred_at), epoch_us(f.by_when)
FROM commitments c
JOIN facts opening ON opening.position = c.position
JOIN facts f ON f.first_position = c.first_position
WHERE c.promises > 0
    AND f.by_when IS NOT NULL
    AND (f.occurred_at, f.position) >= (opening.occurred_at, opening.position)
    AND (c.ended_at IS NULL OR f.occurred_at <= c.ended_at)
    AND (
        f.position = opening.position
        OR (
            f.fact IN ('promise.made', 'promise.moved') AND f.source = c.owner
            AND c.kind IN ('forward', 'diagnose', 'repair', 'return', 'cover') AND coalesce(f.word = c.kind, true)
        )
        OR (f.fact = opening.fact AND f.topic IS NOT DISTINCT FROM opening.topic AND f.source = opening.source)
        OR (c.kind = 'promise' AND f.fact IN ('promise.made', 'promise.moved') AND f.source = c.owner)
        OR (c.kind = 'visit' AND f.fact = 'visit.scheduled' AND f.topic = opening.topic)
    )
ORDER BY c.position, c.kind, f.occurred_at, f.position
"""


class _Date(NamedTuple):
    """A due time, and the moments from and until which it held."""

    due: int
    since: int
    until: int


def late_by_order(cursor: DuckDBPyConnection, book: Book, steps: Steps, log_end: int) -> dict[int, list[Late]]:
    """The moments of each order (by the position at which it begins) up to ``log_end``."""
    found: list[tuple[int, int, Late]] = []
    dates = _dates(cursor)
    for row, late in _of_steps(steps, dates):
        found.append((int(steps.order[row]), int(steps.position[row]), late))
    found += _of_checks(cursor, book, log_end)
    openings = _openings(cursor, {position for _, position, _ in found})
    late_of: dict[int, list[Late]] = {}
    for order, position, late in found:
        late_of.setdefault(order, []).append(late._replace(opened_by=openings[position]))
    return late_of


def _of_steps(steps: Steps, dates: dict[tuple[int, str], list[tuple[int, int]]]) -> Iterator[tuple[int, Late]]:
    redated = {
        row
        for row in range(len(steps.order) if dates else 0)
        if len(dates.get((int(steps.position[row]), str(steps.kind[row])), ())) > 0
    }
    for rows, moments, tell in steps.levels():
        if "customer" in tell:
            for row, at in zip(rows.tolist(), moments.tolist(), strict=True):
                if row not in redated:
                    yield row, _late(steps, row, at, int(steps.due[row]))
    for row in sorted(redated):
        terms = steps.terms[steps.group[row]]
        for date in _history_of(steps, row, terms, dates[int(steps.position[row]), str(steps.kind[row])]):
            for at in _levels(terms, date.due):
                if date.since <= at < date.until:
                    yield row, _late(steps, row, at, date.due)


def _history_of(steps: Steps, row: int, terms: Terms, named: list[tuple[int, int]]) -> list[_Date]:
    """The due times that the step had, one after the other; the last is the one that the read models have."""
    opened, end = int(steps.opened[row]), int(steps.end[row])
    dues = [(since, by_when) for since, by_when in named]
    if not dues or dues[0][0] > opened:
        dues.insert(0, (opened, int(terms.clock.add(opened, terms.allowed))))
    dues[-1] = (dues[-1][0], int(steps.due[row]))
    untils = [since for since, _ in dues[1:]] + [end]
    return [_Date(due, since, until) for (since, due), until in zip(dues, untils, strict=True) if due != NEVER]


def _levels(terms: Terms, due: int) -> Iterator[int]:
    """When each level that tells the customer is reached."""
    for number, level in enumerate(terms.rule.levels, 1):
        if "customer" in level.tell:
            yield int(level_at(terms, np.array([due], np.int64), number)[0])


def _late(steps: Steps, row: int, at: int, due: int) -> Late:
    owner, owed_to = str(steps.owner[row]), str(steps.owed_to[row])
    opened, end = int(steps.opened[row]), int(steps.end[row])
    return Late(at, str(steps.kind[row]), owner, owed_to, ("", ""), opened, due, end)


def _of_checks(cursor: DuckDBPyConnection, book: Book, log_end: int) -> Iterator[tuple[int, int, Late]]:
    edition = book.edition(None)
    for order, position, owner, owed_to, category, urgency, opened, due, ended in cursor.execute(_CHECKS).fetchall():
        terms = book.terms(edition, "check", owner, None, category, urgency)
        end = ended if ended is not None else log_end + 1
        for at in _levels(terms, due):
            if at < end:
                yield order, position, Late(at, "check", owner, owed_to, ("", ""), opened, due, end)


def _dates(cursor: DuckDBPyConnection) -> dict[tuple[int, str], list[tuple[int, int]]]:
    found: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for position, kind, since, by_when in cursor.execute(_DATES).fetchall():
        found.setdefault((position, kind), []).append((since, by_when))
    return found


def _openings(cursor: DuckDBPyConnection, positions: set[int]) -> dict[int, tuple[str, str]]:
    """(source, id) of the facts at ``positions``."""
    rows: list[Any] = cursor.execute(_OPENINGS, {"positions": sorted(positions)}).fetchall() if positions else []
    return {position: (source, id) for position, source, id in rows}
