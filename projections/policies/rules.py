"""What a policy answers: the rule for one thing that is owed, and why it is that one."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from projections.policies.amount import Amount
from projections.policies.levels import Level
from projections.policies.scope import Scope

_HURRIED: Final = "around the clock"


class Rule(BaseModel):
    """How long it may take, and the levels after that. ``nudge`` is a share of the time; ``name`` is for reports.

    For an urgent order all lengths are around the clock, whatever the file counts in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    amount: Amount
    nudge: float | None
    levels: tuple[Level, ...]

    @property
    def around_the_clock(self) -> bool:
        """Whether nights, weekends, holidays and closures count, because of the urgency or of the amount."""
        return self.amount.around_the_clock


class Fit(BaseModel):
    """A rule that fits, with what it allows as the file says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    allow: Amount


class Explanation(BaseModel):
    """The ``rule`` that holds, everything that fits (it first, [allow] last), and why it won."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Rule
    fits: tuple[Fit, ...]
    why: str
    urgency: str

    def lines(self) -> list[str]:
        """The same in sentences, for people."""
        winner, *others = self.fits
        lines = [f"'{winner.name}' holds, with {self.rule.amount}: {self.why}."]
        if self.rule.amount != winner.allow:
            lines.append(f"The file says {winner.allow}; an order that is {self.urgency} runs around the clock.")
        return lines + [f"'{each.name}' fits as well, with {each.allow}." for each in others]


def rule_name(kind: str, scope: Scope, *, hurried: bool = False) -> str:
    """``receive``, ``receive (importer:noord from retailer:juno)``; no two rules of a policy have the same."""
    about = ", ".join(filter(None, [str(scope), _HURRIED if hurried else ""]))
    return f"{kind} ({about})" if about else kind
