"""What became of a log's rows: counted, and every row that could not be used is named with its place and the reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

#: So many places are kept word for word; beyond that they are only counted.
KEPT: Final = 200

#: So begins what is said of a time that cannot be read. With a wrong format each of them is one: they are one reason.
OF_A_TIME: Final = "its time '"


class ImportProblem(ValueError):
    """The import cannot begin; the message is one sentence that says what to mend."""


class LogError(ImportProblem):
    """A file cannot be read as the log that the mapping describes."""


class Left(NamedTuple):
    """Something that was left out, where it stands (``line`` counts from 1), and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class Often(NamedTuple):
    """How often something was left out for one reason, and where first."""

    times: int
    first: Left

    def __str__(self) -> str:
        if self.times == 1:
            return str(self.first)
        return f"{self.times:,} times: {self.first.reason} (first in {self.first.file}, line {self.first.line})"


@dataclass
class ImportReport:
    """Filled while the log is read. Read it when the facts are exhausted."""

    rows: int = 0  # rows found, readable or not
    cases: int = 0  # orders that were opened
    facts: int = 0
    facts_by_type: Counter[str] = field(default_factory=Counter)
    rows_skipped: int = 0  # rows that became no fact because they could not be read
    facts_left_out: int = 0  # facts that a row was to become, but for which it lacked a value
    damaged: list[Left] = field(default_factory=list)  # files whose reading stopped before their end
    left: list[Left] = field(default_factory=list)  # the first of what was skipped or left out
    reasons: dict[str, Often] = field(default_factory=dict)  # the same by reason, the first of those

    def skip_row(self, file: str, line: int, reason: str) -> None:
        """Count a row that cannot be used."""
        self.rows_skipped += 1
        self._keep(Left(file, line, reason))

    def leave_fact_out(self, file: str, line: int, reason: str) -> None:
        """Count a fact that lacks a value which its type requires."""
        self.facts_left_out += 1
        self._keep(Left(file, line, reason))

    def stop_file(self, file: str, line: int, reason: str) -> None:
        """Note that the rest of a file, from about ``line`` on, could not be read."""
        self.damaged.append(Left(file, line, reason))

    def _keep(self, entry: Left) -> None:
        if len(self.left) < KEPT:
            self.left.append(entry)
        kind = OF_A_TIME if entry.reason.startswith(OF_A_TIME) else entry.reason
        if (before := self.reasons.get(kind)) is not None:
            self.reasons[kind] = before._replace(times=before.times + 1)
        elif len(self.reasons) < KEPT:
            self.reasons[kind] = Often(1, entry)
