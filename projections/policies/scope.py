"""What an override is for, and which of two that fit names it more precisely.

The most precise thing that an override names decides: party and from together (a lane), party, from, role, category,
urgency, in this order. Among equals more names beat fewer; if that is equal too, the first difference in the same
order decides. Two that name the same are for the same orders: the later one in the file has replaced the earlier.
"""

from __future__ import annotations

import json
import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from events.order import Urgency
from events.party import Party, role_of
from projections.policies.amount import Amount
from projections.policies.words import Kind, OwingRole

#: The names of fields in words, the most precise first.
_FIELDS: Final = {
    "party": "a party",
    "from_party": "the party it came from",
    "role": "a role",
    "category": "a category",
    "urgency": "an urgency",
}


class Scope(BaseModel):
    """Who owes (``party`` or ``role``), from whom it came, about what product, and how urgently. None is anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    party: Party | None = None
    from_party: Party | None = Field(None, alias="from")
    role: OwingRole | None = None
    category: str | None = None
    urgency: Urgency | None = None

    def fits(self, owner: str, counterpart: str | None, category: str | None, urgency: str) -> bool:
        """Whether something that ``owner`` owes is meant; a customer is ``customer`` or ``customer:ref``."""
        return (
            self.party in (None, owner)
            and self.from_party in (None, counterpart)
            and self.role in (None, role_of(owner) or owner)
            and self.category in (None, None if category is None else fold(category))
            and self.urgency in (None, urgency)
        )

    @property
    def named(self) -> tuple[bool, ...]:
        """Which fields it names, in the order of their weight."""
        return tuple(getattr(self, name) is not None for name in _FIELDS)

    @property
    def precision(self) -> tuple[int, ...]:
        """The higher, the more precise."""
        return self._best, sum(self.named), *self.named

    @property
    def _best(self) -> int:
        if self.named[:2] == (True, True):
            return len(_FIELDS) + 1
        return max((len(_FIELDS) - place for place, named in enumerate(self.named) if named), default=0)

    def why_over(self, other: Scope) -> str:
        """Why this one wins over ``other``, which fits as well and is less precise."""
        if not other._best:
            return "it is an override, which goes before [allow]"
        if self._best != other._best:
            return f"it names {_spoken(self._best)}, which is more precise than {_spoken(other._best)}"
        if sum(self.named) != sum(other.named):
            return f"both name {_spoken(self._best)}, and it names more besides"
        differences = [
            word for word, mine, its in zip(_FIELDS.values(), self.named, other.named, strict=True) if mine != its
        ]
        more, less = differences[:2]  # as many names, so where one has more the other has more further on
        return f"both name {_spoken(self._best)}, and it names {more}, which is more precise than {less}"

    def __str__(self) -> str:
        """``importer:noord from retailer:juno, urgent``; each scope is written in a way of its own."""
        return ", ".join(
            [
                *([" ".join(self._who)] if self._who else []),
                *([f"category {_quoted(self.category)}"] if self.category is not None else []),
                *([self.urgency] if self.urgency is not None else []),
            ]
        )

    @property
    def _who(self) -> list[str]:
        who = [_quoted(self.party) if self.party is not None else self.role or ""]
        return [*filter(None, who), *([f"from {_quoted(self.from_party)}"] if self.from_party is not None else [])]


class Override(BaseModel):
    """How long some kinds may take within a scope."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Scope
    allow: dict[Kind, Amount]


def fold(category: str) -> str:
    """A category as it is compared: capitals and spaces make no other one."""
    return " ".join(category.split()).casefold()


def _spoken(best: int) -> str:
    if best > len(_FIELDS):
        return "a lane (party and from)"
    return list(_FIELDS.values())[len(_FIELDS) - best]


def _quoted(text: str) -> str:
    """As it is, unless it could be read as more than one word."""
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s,()\"]", text) else text
