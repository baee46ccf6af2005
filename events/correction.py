"""Putting right what was said. The wrong fact stays in the log; readers leave it out."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from events.envelope import Identifier
from events.facet import Fact, Prose
from events.party import Party

Reason = Literal["did_not_occur", "incorrect_data"]


class FactCorrected(Fact):
    """The fact ``fact_id`` was wrong. Partners correct their own facts only; ``fact_source`` is for the chain itself.

    ``replaced_by`` names the facts, sent in their own right, that say how it really was.
    """

    NAME: ClassVar[str] = "fact.corrected"

    fact_id: Identifier
    fact_source: Party | None = None
    reason: Reason
    replaced_by: tuple[Identifier, ...] = Field(default=(), max_length=50)
    note: Prose | None = None


FACTS: tuple[type[Fact], ...] = (FactCorrected,)
