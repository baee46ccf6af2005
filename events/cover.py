"""Who pays: decisions on guarantee, and registrations that guarantee may hang on."""

from __future__ import annotations

from typing import ClassVar, Literal

from events.facet import Fact, Prose, Text
from events.party import Party

Decision = Literal["covered", "not_covered", "goodwill"]


class CoverClaimed(Fact):
    """Somebody asks that the guarantee pays. ``decider`` owes the decision; without it, the accountable party."""

    NAME: ClassVar[str] = "cover.claimed"

    cause: Prose | None = None
    decider: Party | None = None


class CoverDecided(Fact):
    """Covered or not, with the cause, who decided, and how to appeal."""

    NAME: ClassVar[str] = "cover.decided"

    decision: Decision
    cause: Prose
    decider: Text
    appeal: Prose | None = None


class ProductRegistered(Fact):
    """The product is registered; cover stands from then."""

    NAME: ClassVar[str] = "product.registered"

    serial: Text | None = None
    model: Text | None = None


class RegistrationFailed(Fact):
    """The customer tried to register and our side failed; cover stands from the day she tried."""

    NAME: ClassVar[str] = "registration.failed"

    why: Prose
    serial: Text | None = None
    model: Text | None = None


FACTS: tuple[type[Fact], ...] = (CoverClaimed, CoverDecided, ProductRegistered, RegistrationFailed)
