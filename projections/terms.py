"""Which rule holds for what is owed, when it is due by that, and when it comes up next.

All rows at once, as arrays: those that have the same rule and the same clock are counted together, so the cost grows
with the number of rules and calendars, and hardly with the rows. SQL would have to search the opening hours for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from projections.book import Book, Terms
from projections.clock import NEWS_AHEAD
from projections.story import Numbers

Moments = npt.NDArray[np.int64]

#: A moment that there is not.
NONE: Final = int(np.iinfo(np.int64).min)

_FOR_EVER: Final = int(np.iinfo(np.int64).max)

#: A column of a table of Arrow.
Column = Any


#: Names, and by row which of them it is, or -1.
Named = tuple[Sequence[str], Moments]


@dataclass(frozen=True)
class Owed:
    """What is owed, row by row, as due times follow from it.

    By row number, where there is anything: ``waiting``, the stretches in which its time stands still, and ``noted``,
    what was said already (a due time, and how far it was said to be overdue; 0 is a nudge).
    """

    opened: Moments
    ended: Moments
    promised: Moments
    promised_on: Moments
    kind: Named
    owner: Named
    counterpart: Named
    category: Named
    urgency: Named
    waiting: dict[int, list[tuple[int, int]]]
    noted: dict[int, list[tuple[int, int]]]


def judge(book: Book, owed: Owed) -> Judged:
    """What holds for each row."""
    results = Judged(len(owed.opened))
    for terms, rows in _grouped(book, owed):
        _judge(terms, rows, owed, results)
    return results


def _grouped(book: Book, owed: Owed) -> Iterator[tuple[Terms, npt.NDArray[np.intp]]]:
    """The rows that have the same terms, together."""
    if not len(owed.ended):
        return
    named = [
        ([*range(len(book.policies))], _editions(book, owed.ended)),
        _codes(owed.kind, lambda kind: kind),
        _codes(owed.owner, book.owner),
        _codes(owed.counterpart, book.lane),
        _codes(owed.category, book.about),
        _codes(owed.urgency, lambda urgency: urgency),
    ]
    code, size = np.zeros(len(owed.ended), np.int64), 1
    for values, codes in named:
        code, size = code * len(values) + codes, size * len(values)
    found = _different(code, size)
    terms: dict[Terms, int] = {}
    number_of = np.zeros(len(found), np.int64)
    for place, each in enumerate(found.tolist()):
        key = []
        for values, _ in reversed(named):
            each, number = divmod(each, len(values))
            key.append(values[number])
        number_of[place] = terms.setdefault(book.terms(*reversed(key)), len(terms))
    group = number_of[np.searchsorted(found, code)]
    rows = np.argsort(group.astype(np.uint16) if len(terms) < 2**16 else group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=len(terms)))
    yield from zip(terms, np.split(rows, ends[:-1]), strict=True)


def _different(codes: Moments, size: int) -> Moments:
    """The different ones among ``codes``, which are below ``size``, in order."""
    if size > 4 * len(codes) + 1_024:
        return np.unique(codes)
    seen = np.zeros(size, np.bool_)
    seen[codes] = True
    return np.flatnonzero(seen)


def _codes(named: Named, meaning: Callable[[str | None], str | None]) -> tuple[list[Any], Moments]:
    """What the names that occur mean, each meaning once, and the number of its meaning for each row."""
    names, codes = named
    meanings: dict[str | None, int] = {}
    number_of = np.zeros(len(names) + 1, np.int64)  # the last is for no name
    found = _different(codes + 1, len(names) + 1) - 1
    of_found = (meaning(names[code] if code >= 0 else None) for code in found.tolist())
    number_of[found] = [meanings.setdefault(each, len(meanings)) for each in of_found]
    return list(meanings), number_of[codes]


class Judged:
    """Row by row, when it is ``due``; ``next_at``, when something is to be said of it, while it is open; the ``levels``
    that were reached; how much of the owner's opening hours it may take (``allowed``), and took (``worked``).

    ``rules`` are numbers, of ``names``.
    """

    def __init__(self, rows: int) -> None:
        self.due, self.next_at = np.full(rows, NONE), np.full(rows, NONE)
        self.allowed, self.worked = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.levels, self.nudged = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
        self.rules = np.zeros(rows, np.int64)
        self.names: list[str] = []

    def note(self, row: int, said: Sequence[tuple[int, int]]) -> None:
        """Take up what was said of the due time that the row has now, or of a later one: if it was late by that, it is
        by this, too, and nobody needs to hear so twice because the policy became stricter."""
        levels = [level for due, level in said if due >= self.due[row]]
        self.levels[row] = max(levels, default=0)
        self.nudged[row] = 0 in levels

    def noted(self, rows: npt.NDArray[np.intp]) -> tuple[Moments, npt.NDArray[np.bool_]]:
        """Levels, and whether there was a nudge."""
        return self.levels[rows], self.nudged[rows]


def before_news(terms: Terms, due: Numbers, promised: Numbers) -> Numbers:
    """When news is due of which she was named a date, some time ahead of that: sooner if the rule has it sooner.

    But the rule for urgent orders does not know that nobody writes at night, nor of what lies ready while the shop is
    closed. Whoever named the date did.
    """
    ahead: Numbers = promised - NEWS_AHEAD
    return ahead if terms.hurried else np.minimum(due, ahead)


def _judge(
    terms: Terms,
    rows: npt.NDArray[np.intp],
    columns: Owed,
    results: Judged,
) -> None:
    """The results of ``rows``, which all have the same terms."""
    clock, waiting = terms.clock, columns.waiting
    opened, ended, promised = columns.opened[rows], columns.ended[rows], columns.promised[rows]
    since = clock.worked_at(opened)
    due = clock.later(opened, since, terms.allowed)
    if waiting:
        for place, row in enumerate(rows):
            if row in waiting:
                # What she was waited for afterwards kept nobody from anything.
                last = int(ended[place]) if ended[place] != NONE else _FOR_EVER
                waits = [(begin, min(end, last)) for begin, end in waiting[int(row)] if begin < last]
                due[place] = _due_after_waits(terms, int(opened[place]), waits)
                promised[place] = _moved(promised[place], int(columns.promised_on[row]), waits)
    is_promised = promised != NONE
    if is_promised.any():
        due = np.where(is_promised, before_news(terms, due, promised) if terms.kind == "update" else promised, due)
    results.due[rows] = due
    for row in rows if columns.noted else ():
        if row in columns.noted:
            results.note(int(row), columns.noted[int(row)])
    results.rules[rows] = len(results.names)
    results.names.append(terms.rule.name)
    by_rule = not (waiting or is_promised.any())
    results.allowed[rows] = terms.allowed if by_rule else clock.between(opened, due)
    done, under_way = np.flatnonzero(ended != NONE), np.flatnonzero(ended == NONE)
    results.worked[rows[done]] = np.maximum(clock.worked_at(ended[done]) - since[done], 0)
    if under_way.size:
        of_open = rows[under_way]
        opened, since, due = opened[under_way], since[under_way], due[under_way]
        results.next_at[of_open] = _next_at(terms, opened, since, due, *results.noted(of_open))


def _next_at(
    terms: Terms, opened: Moments, since: Moments, due: Moments, noted: Moments, nudged: npt.NDArray[np.bool_]
) -> Moments:
    """When something is to be said next of commitments that are open."""
    moments = np.full(len(due), NONE)
    for noted_last in np.unique(noted):
        if noted_last < len(terms.rule.levels):
            moments = np.where(noted == noted_last, level_at(terms, due, int(noted_last) + 1), moments)
    if terms.rule.nudge is not None:
        nudge = _nudge_at(terms, opened, since, due)
        moments = np.where((noted == 0) & ~nudged & (nudge < due), nudge, moments)
    return moments


def level_at(terms: Terms, due: Moments, level: int) -> Moments:
    """When ``level`` (1 is the due time itself) is reached."""
    after = terms.rule.levels[level - 1].after
    if not after.count:
        return due
    if after.around_the_clock:
        return np.asarray(due + after.microseconds(terms.day_length))
    return np.asarray(terms.own.add(due, after.microseconds(terms.day_length)))


def nudge_at(terms: Terms, opened: Moments, due: Moments) -> Moments:
    """When whoever owes it is reminded, before it is late: as long as there is any opening time until ``due``."""
    return _nudge_at(terms, opened, terms.clock.worked_at(opened), due)


def _nudge_at(terms: Terms, opened: Moments, since: Moments, due: Moments) -> Moments:
    """See ``nudge_at``. ``since`` is the opening time passed at ``opened``."""
    assert terms.rule.nudge is not None
    left = np.maximum(terms.clock.worked_at(due) - since, 0)
    # In whole percents: a fraction of a number that large would be a microsecond off, and so a minute on the clock.
    return terms.clock.later(opened, since, left * round(terms.rule.nudge * 100) // 100)


def _due_after_waits(terms: Terms, opened: int, waits: Sequence[tuple[int, int]]) -> int:
    """The due time if the clock stands still during ``waits``."""
    clock = terms.clock
    target = int(clock.worked_at(np.int64(opened))) + terms.allowed
    for begin, end in _merged(waits, opened):
        began = int(clock.worked_at(np.int64(begin)))
        if began >= target:
            break
        target += int(clock.worked_at(np.int64(end))) - began
    return int(clock.moment_at(np.int64(target)))


def _moved(promised: int, since: int, waits: Sequence[tuple[int, int]]) -> int:
    """A promised date, later by as long as the chain waited for the customer after it was promised."""
    if promised == NONE:
        return promised
    for begin, end in _merged(waits, since):
        if begin >= promised:
            break
        promised += end - begin
    return promised


def _merged(waits: Sequence[tuple[int, int]], since: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(waits):
        begin = max(begin, since)
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _editions(book: Book, ended: Moments) -> Moments:
    """Which policy holds for each row."""
    if len(book.policies) == 1:
        return np.zeros(len(ended), np.int64)
    adopted = np.array([moment for moment, _ in book.policies])
    when = np.where(ended == NONE, np.iinfo(np.int64).max, ended)
    return np.asarray(np.searchsorted(adopted, when, side="right") - 1, np.int64)


def moments_of(array: Column) -> Moments:
    """A column of timestamps as microseconds since 1970, or NONE."""
    return np.asarray(array.cast(pa.int64()).fill_null(NONE).to_numpy(zero_copy_only=False), np.int64)


def as_timestamps(moments: Moments) -> Column:
    """Microseconds since 1970, or NONE, as a column of timestamps."""
    return pa.array(moments, pa.int64(), mask=moments == NONE).cast(pa.timestamp("us"))
