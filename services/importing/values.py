"""The three small things that a mapping is made of: values, lookups and conditions over the columns of a row.

A *value* is a text with columns in braces (``"{product}"``), a number or a truth value, a *lookup*
(``{ column = "…", table = { … }, otherwise = "…" }``), or a table of values. A value that needs a column which the row
does not have is nothing: its field is left out. A *condition* names columns and what they must be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Columns
from dataclasses import dataclass, field
from functools import lru_cache
from string import Formatter
from typing import Any, Protocol

_LOOKUP_KEYS = {"column", "table", "otherwise"}


class Value(Protocol):
    """Something that a row gives; None when the row has nothing of the kind."""

    @property
    def columns(self) -> frozenset[str]: ...

    def of(self, row: Columns[str, str]) -> Any: ...

    def samples(self) -> Iterator[Any]:
        """What is known beforehand of the results; None stands for "depends on the row"."""
        ...


@dataclass(frozen=True)
class Constant:
    """A number, a truth value or a plain text."""

    value: str | int | float | bool
    columns: frozenset[str] = frozenset()

    def of(self, row: Columns[str, str]) -> str | int | float | bool:
        return self.value

    def samples(self) -> Iterator[Any]:
        yield self.value


@dataclass(frozen=True)
class Template:
    """A text with columns in braces; nothing if the row lacks any of them."""

    parts: tuple[tuple[str, str | None], ...]

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(column for _, column in self.parts if column is not None)

    def of(self, row: Columns[str, str]) -> str | None:
        if len(self.parts) == 1:  # a column alone: what most templates are
            literal, column = self.parts[0]
            if not literal and column is not None:
                return row.get(column)
        text = []
        for literal, column in self.parts:
            text.append(literal)
            if column is not None:
                found = row.get(column)
                if found is None:
                    return None
                text.append(found)
        return "".join(text)

    def samples(self) -> Iterator[Any]:
        yield None


@dataclass(frozen=True)
class Lookup:
    """What a table says of a column's value; keys may hold ``*``. Else ``otherwise``, else nothing."""

    column: str
    table: dict[str, Value]
    otherwise: Value | None = None

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.column}).union(*(value.columns for value in self._outcomes()))

    def of(self, row: Columns[str, str]) -> Any:
        found = row.get(self.column, "")
        value = self.table.get(found)
        if value is None:
            fitting = (each for key, each in self.table.items() if "*" in key and _matches(found, (key,)))
            value = next(fitting, self.otherwise)
        return None if value is None else value.of(row)

    def samples(self) -> Iterator[Any]:
        for value in self._outcomes():
            yield from value.samples()

    def _outcomes(self) -> list[Value]:
        return [*self.table.values(), *([] if self.otherwise is None else [self.otherwise])]


@dataclass(frozen=True)
class Table:
    """Named values; those that are nothing are left out."""

    entries: dict[str, Value] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset[str]().union(*(value.columns for value in self.entries.values()))

    def of(self, row: Columns[str, str]) -> dict[str, Any]:
        found = {key: value.of(row) for key, value in self.entries.items()}
        return {key: value for key, value in found.items() if value is not None}

    def samples(self) -> Iterator[Any]:
        yield None


def value_from(raw: object) -> Value:
    """Read a value as TOML gives it. Raises ValueError with a sentence."""
    if isinstance(raw, str):
        return _template(raw)
    if isinstance(raw, bool | int | float):
        return Constant(raw)
    if isinstance(raw, dict):
        return _lookup(raw) if "table" in raw else Table({key: value_from(each) for key, each in raw.items()})
    raise ValueError("must be a text, a number, true or false, a lookup or a table of these")


def table_from(raw: object) -> Table:
    """Read a table of values, as ``data`` is. Raises ValueError with a sentence."""
    if not isinstance(raw, dict) or "table" in raw:
        raise ValueError('must be a table of values, such as { summary = "{activity}" }')
    return Table({key: value_from(each) for key, each in raw.items()})


def _template(text: str) -> Value:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"cannot be read as a text with columns in braces: {error}") from None
    parts: list[tuple[str, str | None]] = []
    for literal, column, spec, conversion in parsed:
        if column == "" or spec or conversion:
            raise ValueError("may hold nothing in braces but a column's name, such as {party}")
        parts.append((literal, column))
    if all(column is None for _, column in parts):
        return Constant("".join(literal for literal, _ in parts))
    return Template(tuple(parts))


def _lookup(raw: dict[str, Any]) -> Lookup:
    if strange := sorted(raw.keys() - _LOOKUP_KEYS):
        raise ValueError(f"a lookup has column, table and otherwise, not '{strange[0]}'")
    column, table, otherwise = raw.get("column"), raw["table"], raw.get("otherwise")
    if not isinstance(column, str):
        raise ValueError("a lookup needs 'column', the column that is looked up")
    if not isinstance(table, dict) or not table:
        raise ValueError("a lookup needs a 'table' with at least one entry")
    entries = {key: value_from(each) for key, each in table.items()}
    return Lookup(column, entries, None if otherwise is None else value_from(otherwise))


@dataclass(frozen=True)
class Condition:
    """Holds if every named column has one of its values (``*`` stands for any text, ``""`` for no value)."""

    wanted: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(column for column, _, _ in self.wanted)

    def holds(self, row: Columns[str, str]) -> bool:
        """Whether it does, for the values of a row."""
        for column, exact, patterns in self.wanted:
            found = row.get(column, "")
            if found not in exact and not (patterns and _matches(found, patterns)):
                return False
        return True


@lru_cache(maxsize=8_192)
def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return bool(text) and any(_pattern(pattern).fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=1_024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def condition_from(raw: object) -> Condition:
    """Read ``{ column = ["value", …], … }``; a bare list speaks of the column activity. Raises ValueError."""
    if isinstance(raw, list):
        raw = {"activity": raw}
    if not isinstance(raw, dict) or not raw:
        raise ValueError('must be a condition, such as { activity = ["Completed"] }')
    wanted = []
    for column, values in raw.items():
        listed = [values] if isinstance(values, str) else values
        if not isinstance(listed, list) or not listed or not all(isinstance(each, str) for each in listed):
            raise ValueError(f"column '{column}' needs a list of texts that it may be")
        patterns = tuple(each for each in listed if "*" in each)
        wanted.append((column, frozenset(listed) - set(patterns), patterns))
    return Condition(tuple(wanted))
