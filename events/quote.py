"""What it would cost, and what the customer says to that."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from events.envelope import Identifier, Moment
from events.facet import Fact, Prose

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]  # ISO 4217


class QuoteOffered(Fact):
    """A price for the repair, in ``currency`` (ISO 4217), including tax."""

    NAME: ClassVar[str] = "quote.offered"

    quote: Identifier
    amount: Decimal = Field(ge=0, max_digits=12, decimal_places=2)
    currency: Currency
    valid_until: Moment | None = None
    description: Prose | None = None


class QuoteAccepted(Fact):
    """The customer says yes."""

    NAME: ClassVar[str] = "quote.accepted"

    quote: Identifier | None = None


class QuoteDeclined(Fact):
    """The customer says no."""

    NAME: ClassVar[str] = "quote.declined"

    quote: Identifier | None = None
    reason: Prose | None = None


FACTS: tuple[type[Fact], ...] = (QuoteOffered, QuoteAccepted, QuoteDeclined)
