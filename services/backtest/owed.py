"""All steps that somebody owed, in numpy columns: how long each took, which were late, and who was told of that.

Moments and lengths are int64 microseconds, moments since 1970 UTC. Lengths are in the time that the step's rule counts:
the opening hours of whoever owes it, or around the clock; that in which a step's time stood still is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from duckdb import DuckDBPyConnection

from projections.book import Book, Terms
from projections.terms import level_at, nudge_at

Micros = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

#: What is finished so soon after it was said to be late would have been finished without a word.
GRACE: Final = timedelta(hours=4) // timedelta(microseconds=1)

_NEVER: Final = np.iinfo(np.int64).max

#: The columns that are texts.
_TEXTS: Final = ("kind", "owner", "owed_to", "counterpart", "accountable", "category", "urgency")

#: News and the question whether all is well are ours to send: they are simulated, or come after the close.
_STEPS: Final = """
SELECT
    c.first_position, c.position, c.kind, c.owner, c.owed_to, c.counterpart, c.accountable, o.category, o.urgency,
    epoch_us(c.opened_at) AS opened, epoch_us(c.due_at) AS due, epoch_us(c.ended_at) AS ended,
    c.state = 'met' AS met, c.promises > 0 AS promised
FROM commitments c
LEFT JOIN orders o ON o.first_position = c.first_position
WHERE c.kind NOT IN ('update', 'check')
ORDER BY c.first_position, c.opened_at, c.position, c.kind
"""
_WAITS: Final = """
SELECT position, kind, epoch_us(w."from"), epoch_us(w."until")
FROM (SELECT position, kind, unnest(waits) AS w FROM commitments)
ORDER BY position, kind, w."from"
"""


@dataclass(frozen=True)
class Steps:
    """One row a step; all arrays have the same length. ``position`` is that of the fact which it began with.

    ``due`` is _NEVER for a step that stands still, ``end`` is the end of the log for one that is still open.
    ``allowed`` is the rule's time, ``took`` how long the step took, ``late_by`` how long it went on after it was due.
    ``promised``: somebody named a date, so that the rule did not decide. ``group`` is an index into ``terms``.
    """

    order: Micros
    position: Micros
    kind: Texts
    owner: Texts
    owed_to: Texts
    counterpart: Texts
    accountable: Texts
    opened: Micros
    due: Micros
    end: Micros
    met: Flags
    promised: Flags
    allowed: Micros
    took: Micros
    late_by: Micros
    group: npt.NDArray[np.intp]
    terms: tuple[Terms, ...]

    @property
    def late(self) -> Flags:
        """Which were still owed when they were due: of each a notice was given."""
        return self.due < self.end

    @property
    def idle(self) -> Flags:
        """Which were finished soon after the notice all the same."""
        return self.late & self.met & (self.late_by <= GRACE)

    def rules(self) -> Texts:
        """The name of the rule of each step."""
        names = np.array([terms.rule.name for terms in self.terms], object)
        return names[self.group] if len(names) else np.empty(0, object)

    def of_group(self, number: int) -> npt.NDArray[np.intp]:
        """The rows of one group."""
        return np.flatnonzero(self.group == number)

    def levels(self) -> Iterator[tuple[npt.NDArray[np.intp], Micros, frozenset[str]]]:
        """Each level of each rule: the rows that reached it before they ended, when, and whom it tells."""
        for number, terms in enumerate(self.terms):
            rows = self.of_group(number)
            rows = rows[self.late[rows]]
            for level, each in enumerate(terms.rule.levels, 1):
                at = level_at(terms, self.due[rows], level)
                reached = at < self.end[rows]
                yield rows[reached], at[reached], each.tell

    def nudged(self) -> npt.NDArray[np.intp]:
        """The rows whose owner was reminded before they were due."""
        found = [np.empty(0, np.intp)]
        for number, terms in enumerate(self.terms):
            rows = self.of_group(number)
            rows = rows[self.due[rows] != _NEVER]
            if terms.rule.nudge is not None and rows.size:
                at = nudge_at(terms, self.opened[rows], self.due[rows])
                found.append(rows[(at < self.due[rows]) & (at < self.end[rows])])
        return np.concatenate(found)


def read_steps(cursor: DuckDBPyConnection, book: Book, log_end: int) -> Steps:
    """The steps of all orders, by order and then by when they began."""
    columns = cursor.execute(_STEPS).fetchnumpy()
    numbers = {name: _numbers(columns[name]) for name in ("first_position", "position", "opened", "due", "ended")}
    names = {name: _texts(columns[name]) for name in _TEXTS}
    end = np.where(numbers["ended"] == _NEVER, np.maximum(log_end, numbers["opened"]), numbers["ended"])
    due, opened = numbers["due"], numbers["opened"]
    group, terms = _grouped(book, names)
    waits = _Waits(cursor, numbers["position"], names["kind"])
    took, late_by, after_hours = (np.zeros(len(end), np.int64) for _ in range(3))
    for number, each in enumerate(terms):
        rows = np.flatnonzero(group == number)
        # What ends after hours took a little longer than what ended at the closing, though no opening time has passed.
        after_hours[rows] = each.clock.moment_at(each.clock.worked_at(end[rows])) < end[rows]
        took[rows] = each.clock.between(opened[rows], end[rows]) - waits.worked(each, rows, opened, end)
        rows = rows[due[rows] < end[rows]]
        late_by[rows] = each.clock.between(due[rows], end[rows]) - waits.worked(each, rows, due, end)
    took, late_by = took + after_hours, late_by + after_hours * (due < end)
    allowed = np.array([each.allowed for each in terms], np.int64)
    return Steps(
        order=numbers["first_position"],
        position=numbers["position"],
        kind=names["kind"],
        owner=names["owner"],
        owed_to=names["owed_to"],
        counterpart=names["counterpart"],
        accountable=names["accountable"],
        opened=opened,
        due=due,
        end=end,
        met=_flags(columns["met"]),
        promised=_flags(columns["promised"]),
        allowed=allowed[group] if len(terms) else np.empty(0, np.int64),
        took=took,
        late_by=late_by,
        group=group,
        terms=terms,
    )


def _grouped(book: Book, names: dict[str, Texts]) -> tuple[npt.NDArray[np.intp], tuple[Terms, ...]]:
    """Steps that have the same rule and the same clock are counted together."""
    edition = book.edition(None)
    questions = zip(*(names[name] for name in ("kind", "owner", "counterpart", "category", "urgency")), strict=True)
    known: dict[tuple[Any, ...], int] = {}
    groups: dict[tuple[str, int, timedelta], int] = {}
    terms: list[Terms] = []
    found = []
    for question in questions:
        number = known.get(question)
        if number is None:
            each = book.terms(edition, *question)
            key = (each.rule.name, id(each.clock), each.day_length)
            number = known[question] = groups.setdefault(key, len(groups))
            if number == len(terms):
                terms.append(each)
        found.append(number)
    return np.array(found, np.intp), tuple(terms)


class _Waits:
    """When the time of steps stood still."""

    def __init__(self, cursor: DuckDBPyConnection, positions: Micros, kinds: Texts) -> None:
        waits: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for position, kind, begin, end in cursor.execute(_WAITS).fetchall():
            known = waits.setdefault((position, kind), [])
            last = _NEVER if end is None else end
            if known and begin <= known[-1][1]:
                known[-1] = (known[-1][0], max(known[-1][1], last))
            else:
                known.append((begin, last))
        standing = np.flatnonzero(np.isin(positions, [position for position, _ in waits])).tolist()
        rows = [(row, *wait) for row in standing for wait in waits.get((int(positions[row]), kinds[row]), ())]
        self._rows, self._begins, self._ends = np.array(rows, np.int64).reshape(-1, 3).T

    def worked(self, terms: Terms, rows: npt.NDArray[np.intp], begin: Micros, end: Micros) -> Micros:
        """How much of the time of ``rows`` between ``begin`` and ``end`` (of all rows) was such a wait."""
        waited = np.zeros(len(begin), np.int64)
        mine = np.isin(self._rows, rows)
        which = self._rows[mine]
        begins, ends = np.maximum(self._begins[mine], begin[which]), np.minimum(self._ends[mine], end[which])
        np.add.at(waited, which, terms.clock.between(begins, np.maximum(begins, ends)))
        return waited[rows]


def _numbers(column: Any) -> Micros:
    filled = np.ma.filled(column, _NEVER)
    return np.asarray(filled, np.int64)


def _flags(column: Any) -> Flags:
    return np.asarray(np.ma.filled(column, False), np.bool_)


def _texts(column: Any) -> Texts:
    """The column with None where there is nothing; numpy's own filling would write a text there."""
    texts = np.array(np.ma.getdata(column), object)
    texts[np.ma.getmaskarray(column)] = None
    return texts
