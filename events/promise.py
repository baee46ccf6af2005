"""Promises with a date, and the new date when the old one cannot be kept."""

from __future__ import annotations

from typing import ClassVar

from events.envelope import Identifier, Moment
from events.facet import Fact, Prose, Text


class PromiseMade(Fact):
    """Something will be so by a moment; ``to`` is a party or ``customer``."""

    NAME: ClassVar[str] = "promise.made"

    promise: Identifier
    what: Prose
    by_when: Moment
    to: Text | None = None


class PromiseMoved(Fact):
    """The promise keeps, the date does not, and why."""

    NAME: ClassVar[str] = "promise.moved"

    promise: Identifier
    by_when: Moment
    reason: Prose


FACTS: tuple[type[Fact], ...] = (PromiseMade, PromiseMoved)
