"""The policy that the chain goes by now, and when its parties are closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.asking import ask
from cli.errors import Problem
from cli.place import Place

if TYPE_CHECKING:
    from projections.policy import Policy


@dataclass(frozen=True)
class InForce:
    """``adopted_at`` (ISO 8601) is None for the built-in policy, which holds until one is adopted."""

    policy: Policy
    adopted_at: str | None


@dataclass(frozen=True)
class Closure:
    """A span in which a party is closed, as it announced."""

    begins: datetime
    ends: datetime
    reason: str | None


def policy_in_force(place: Place) -> InForce:
    """The policy that was adopted last, or the built-in one. Raises Problem if this version cannot read it."""
    from projections.policy import DEFAULT_POLICY, Policy, PolicyError

    row = ask(place, "policy")
    if row["policy"] is None:
        return InForce(DEFAULT_POLICY, None)
    try:
        return InForce(Policy.from_canonical(row["policy"]), row["adopted_at"])
    except PolicyError as error:
        raise Problem(f"the policy of this chain cannot be read by this version: {error}.") from None


def closures_of(place: Place, party: str) -> list[Closure]:
    """When ``party`` is closed, as it announced."""
    return read_closures(ask(place, "closures", {"party": party})["closures"])


def read_closures(rows: Iterable[dict[str, Any]]) -> list[Closure]:
    """Rows of the query ``closures``."""
    return [
        Closure(datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["until"]), row["reason"])
        for row in rows
    ]
