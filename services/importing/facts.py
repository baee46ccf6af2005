"""A log becomes submissions: cases are told apart, rows numbered, and what each says is put into its envelope.

A fact's id is made of the mapping's name, the case, the row's number within its case and the fact's number within the
row. So the same log gives the same ids whenever, and in whichever format, it is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from events.envelope import check_id, full_type, iso
from events.vocabulary import FACTS
from services.importing.follow import Case, Follower, RowProblem, Said
from services.importing.mapping import Mapping
from services.importing.reading import read_rows
from services.importing.report import ImportReport, LogError
from services.importing.rows import Row
from services.submission import Submission

#: What is left of an id for the numbers of row and fact.
_ROOM_FOR_NUMBERS: Final = ":" + "9" * 12 + ":" + "9" * 4

_TYPES: Final = {name: full_type(name, fact.VERSION) for name, fact in FACTS.items()}


def facts_from(mapping: Mapping, files: Sequence[Path], report: ImportReport | None = None) -> Iterator[Submission]:
    """The facts of a log in its own order; ``report`` fills while they are taken.

    With ``log.cases = "spread"`` a few hundred bytes are kept for each case; with "together" for one. Sorting by time
    keeps the rows of a case (together) or of the whole log (spread). Raises LogError before the first row of a file.
    """
    report = ImportReport() if report is None else report
    for path in files:
        if not path.is_file():
            raise LogError(f"{path} is no file")
    follower = Follower(mapping)
    cases: dict[str, Case] = {}
    together = mapping.log.cases == "together"
    finished: set[int] = set()
    current = ""
    for row in _arranged(mapping, read_rows(mapping, files, report)):
        report.rows += 1
        if not row.case:
            report.skip_row(row.file, row.line, row.problem or "it names no case")
            continue
        if together:
            if row.case != current:
                cases.clear()
                finished.add(hash(current))
                current = row.case
            if hash(current) in finished:
                reason = f'case {current[:60]} comes back after another one: set log.cases = "spread"'
                report.skip_row(row.file, row.line, reason)
                continue
        case = cases.get(row.case)
        if case is None:
            case = cases[row.case] = Case()
        case.number += 1
        said = _said(mapping, follower, case, row, report)
        if said:
            yield from _submissions(mapping.log.name, case, row, said, report)


def _said(mapping: Mapping, follower: Follower, case: Case, row: Row, report: ImportReport) -> list[Said]:
    """What the row says; a row that cannot be used is reported and says nothing."""
    opened = bool(case.holder)
    try:
        if row.problem is not None:
            raise RowProblem(row.problem)
        if not case.order:
            case.order = _order(mapping, row)
        turn = follower.follow(case, row)
    except RowProblem as problem:
        report.skip_row(row.file, row.line, str(problem))
        return []
    if not opened:
        report.cases += 1
    for reason in turn.missing:
        report.leave_fact_out(row.file, row.line, reason)
    return turn.said


def _submissions(log: str, case: Case, row: Row, said: list[Said], report: ImportReport) -> Iterator[Submission]:
    assert row.time is not None  # a row without a time has a problem, and says nothing
    time, prefix = iso(row.time), f"import:{log}:{row.case}:{case.number}:"
    for number, (name, party, data) in enumerate(said, 1):
        report.facts += 1
        report.facts_by_type[name] += 1
        event = {
            "specversion": "1.0",
            "id": f"{prefix}{number}",
            "source": party,
            "type": _TYPES[name],
            "subject": case.order,
            "time": time,
            "datacontenttype": "application/json",
            "data": data,
        }
        role, _, short = party.partition(":")
        yield Submission(role, short, event)


def _order(mapping: Mapping, row: Row) -> str:
    """The order's id. The case must be fit for a fact's id as well."""
    order = mapping.order.id.of(row.values)
    if order is None:
        raise RowProblem("order.id needs a column that this row has no value for")
    try:
        check_id(f"import:{mapping.log.name}:{row.case}{_ROOM_FOR_NUMBERS}")
        return check_id(str(order))
    except ValueError as error:
        raise RowProblem(f"its case {row.case[:60]!r} is no id: it {error}") from None


def _arranged(mapping: Mapping, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of each case by time where the mapping asks for it (equal times as they stand), else as they come."""
    return rows if mapping.log.sort == "none" else _sorted(mapping, rows)


def _sorted(mapping: Mapping, rows: Iterator[Row]) -> Iterator[Row]:
    if mapping.log.cases == "together":
        for _, of_case in groupby(rows, key=attrgetter("case")):
            yield from _by_time(list(of_case))
        return
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row)
    for gathered in cases.values():
        yield from _by_time(gathered)


def _by_time(rows: list[Row]) -> list[Row]:
    """Rows that have no time come last: they are only counted, and must not move the numbers of the others."""
    timed = [row for row in rows if row.time is not None]
    return sorted(timed, key=attrgetter("time")) + [row for row in rows if row.time is None]
