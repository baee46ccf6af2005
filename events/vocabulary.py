"""Every fact that we understand, who may say it, and how old versions are read.

The names and fields are the storage format: what is in a log stays readable for ever. events/golden/ holds one
JSON fixture per type and version that no later change may break.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from events import chain, contact, correction, cover, custody, incident, order, promise, quote, work
from events.facet import Fact

FACETS: Final = {
    "order": order,
    "custody": custody,
    "work": work,
    "quote": quote,
    "cover": cover,
    "promise": promise,
    "contact": contact,
    "chain": chain,
    "incident": incident,
    "correction": correction,
}

#: name → newest model
FACTS: Final[dict[str, type[Fact]]] = {fact.NAME: fact for facet in FACETS.values() for fact in facet.FACTS}

#: Said by any partner about the work that it has a hand in.
_SHARED: Final = frozenset(
    {
        "order.opened",
        "order.referenced",
        "order.closed",
        "order.reopened",
        "order.merged",
        "order.unmerged",
        "item.handed_over",
        "item.received",
        "item.returned",
        "diagnosis.made",
        "quote.offered",
        "quote.accepted",
        "quote.declined",
        "part.ordered",
        "part.arrived",
        "part.rejected",
        "repair.started",
        "repair.completed",
        "repair.failed",
        "work.paused",
        "work.resumed",
        "unit.replaced",
        "cover.claimed",
        "cover.decided",
        "registration.failed",
        "product.registered",
        "promise.made",
        "promise.moved",
        "question.asked",
        "question.answered",
        "customer.contacted",
        "visit.scheduled",
        "visit.done",
        "feedback.given",
        "gesture.offered",
        "gesture.given",
        "party.closed",
        "fact.corrected",
    }
)

#: Who may say what. A retailer does not order parts for an importer's bench, but it may well run a bench of its own, so
#: the three partner roles differ in one thing only: incidents are for those who see many cases of one product.
WHO_MAY_SAY: Final[dict[str, frozenset[str]]] = {
    "retailer": _SHARED,
    "importer": _SHARED | {"incident.declared", "incident.resolved"},
    "repairer": _SHARED,
    "customer": frozenset(
        {
            "order.reopened",
            "cover.claimed",
            "quote.accepted",
            "quote.declined",
            "question.asked",
            "question.answered",
            "customer.contacted",
            "feedback.given",
            "item.handed_over",
            "item.returned",
        }
    ),
    "chain": frozenset(
        {
            "commitment.overdue",
            "commitment.nudged",
            "commitment.withdrawn",
            "policy.adopted",
            "party.briefed",
            "item.tracked",
            "message.planned",
            "message.attempted",
            "message.sent",
            "message.failed",
            "message.unknown",
            "message.suppressed",
            "incident.declared",
            "incident.resolved",
            "gesture.offered",
            "promise.made",
            "promise.moved",
            "fact.corrected",
        }
    ),
}

#: Facts whose subject is not an order.
PARTY_FACTS: Final = frozenset({"party.closed", "party.briefed"})
INCIDENT_FACTS: Final = frozenset({"incident.declared", "incident.resolved"})
#: Facts that say which orders are one.
MERGING_FACTS: Final = frozenset({"order.merged", "order.unmerged"})

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

#: (name, version) → data of the next version. There is one version of everything so far.
UPCASTERS: Final[dict[tuple[str, int], Upcaster]] = {}


def may_say(role: str, name: str) -> bool:
    """Whether a party of ``role`` may state the fact ``name``."""
    return name in WHO_MAY_SAY.get(role, frozenset())


def is_known(name: str, version: int) -> bool:
    """Whether this program can read that version of that fact."""
    fact = FACTS.get(name)
    return fact is not None and 1 <= version <= fact.VERSION


def upcast(
    name: str, version: int, data: dict[str, Any], upcasters: dict[tuple[str, int], Upcaster] = UPCASTERS
) -> tuple[int, dict[str, Any]]:
    """Bring ``data`` up, version by version, as far as the upcasters reach; returns that version and its data."""
    while (step := upcasters.get((name, version))) is not None:
        version, data = version + 1, step(data)
    return version, data


def read_data(name: str, version: int, data: dict[str, Any]) -> Fact | None:
    """The fact's data as its newest model, or None if we do not know that name or version.

    Raises pydantic.ValidationError if the data is not what the version says.
    """
    if not is_known(name, version):
        return None
    _, data = upcast(name, version, data)
    return FACTS[name].model_validate(data)
