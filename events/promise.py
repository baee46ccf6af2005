"""Promises with a date, and the new date when the old one cannot be kept."""

from __future__ import annotations

from typing import ClassVar, Literal

from events.envelope import Identifier, Moment
from events.facet import Fact, Prose, Text

#: The steps that a promise can be about.
Step = Literal["forward", "diagnose", "repair", "return", "cover"]


class PromiseMade(Fact):
    """Something will be so by a moment; ``to`` is a party or ``customer``.

    ``kind`` says which step its maker promises; without it, whatever step the maker owes at that moment.
    """

    NAME: ClassVar[str] = "promise.made"

    promise: Identifier
    what: Prose
    by_when: Moment
    to: Text | None = None
    kind: Step | None = None


class PromiseMoved(Fact):
    """The promise keeps, the date does not, and why."""

    NAME: ClassVar[str] = "promise.moved"

    promise: Identifier
    by_when: Moment
    reason: Prose
    kind: Step | None = None


FACTS: tuple[type[Fact], ...] = (PromiseMade, PromiseMoved)
