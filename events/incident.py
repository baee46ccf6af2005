"""One cause that hits many customers at once. The event's subject is the incident."""

from __future__ import annotations

from typing import ClassVar

from events.facet import Fact, Prose, Text


class IncidentDeclared(Fact):
    """Many orders, one cause."""

    NAME: ClassVar[str] = "incident.declared"

    what: Prose
    fault_code: Text | None = None
    region: Text | None = None


class IncidentResolved(Fact):
    """The cause is gone."""

    NAME: ClassVar[str] = "incident.resolved"

    what: Prose | None = None


FACTS: tuple[type[Fact], ...] = (IncidentDeclared, IncidentResolved)
