"""Reading what a question was asked with. Whatever is wrong is told in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

#: No answer lists more than this at a time.
MAX_LIMIT: Final = 100_000


class QueryError(ValueError):
    """The question cannot be answered as asked; the message is a sentence for whoever asked."""


class Arguments:
    """The arguments of one question, read by name and kind."""

    def __init__(self, query: str, given: Mapping[str, Any], allowed: Collection[str]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}
        unknown = sorted(set(self._given) - set(allowed))
        if unknown:
            known = ", ".join(sorted(allowed)) or "none"
            raise QueryError(f"'{query}' knows no argument '{unknown[0]}' (it takes: {known})")

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise QueryError(f"'{name}' must be text, and not empty")
        return value.strip()

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise QueryError(f"say which: '{name}' is missing")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._given.get(name)
        if value is not None and not isinstance(value, bool):
            raise QueryError(f"'{name}' must be true or false")
        return value

    def number(self, name: str, default: int, most: int = MAX_LIMIT) -> int:
        value = self._given.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise QueryError(f"'{name}' must be a whole number from 0 to {most}")
        return value

    def position(self, name: str) -> int:
        value = self._given.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
            raise QueryError(f"'{name}' must be a position: a whole number from 0 on")
        return value

    def share(self, name: str) -> float | None:
        value = self._given.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1):
            raise QueryError(f"'{name}' must be a number from 0 to 1")
        return None if value is None else float(value)

    def one_of(self, name: str, among: Collection[str]) -> str | None:
        value = self._given.get(name)
        if value is not None and value not in among:
            raise QueryError(f"'{name}' must be one of: {', '.join(among)}")
        return value

    def texts(self, name: str, among: Collection[str]) -> list[str] | None:
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(text in among for text in value):
            raise QueryError(f"'{name}' must be a list of some of: {', '.join(among)}")
        return value

    def names(self, name: str, most: int) -> list[str]:
        value = self._given.get(name)
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value) or len(value) > most:
            raise QueryError(f"'{name}' must be a list of up to {most} texts")
        return value

    def moment(self, name: str) -> datetime | None:
        return read_moment(name, self._given.get(name))


def read_moment(name: str, value: object) -> datetime | None:
    """A moment in UTC from an ISO text or a datetime; without an offset it is taken as UTC."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise QueryError(f"'{name}' must be a moment such as 2026-11-21T10:00:00Z, not '{value}'") from None
    if not isinstance(value, datetime):
        raise QueryError(f"'{name}' must be a moment such as 2026-11-21T10:00:00Z")
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise QueryError(f"'{name}' lies outside the years 1 to 9999") from None
