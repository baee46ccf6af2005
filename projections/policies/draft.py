"""What one policy file says and no more; what it leaves out is taken from the built-in file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from projections.policies.amount import Amount
from projections.policies.levels import Levels
from projections.policies.scope import Override, Scope
from projections.policies.words import Kind

#: Stands for all kinds that have no levels of their own.
EVERY: Final = "every kind"

Fields = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """The sections of a file. ``levels`` and ``calendars`` hold the fields that are named; EVERY is [levels] itself."""

    allow: Mapping[Kind, Amount] = field(default_factory=dict)
    overrides: Mapping[Scope, Mapping[Kind, Amount]] = field(default_factory=dict)
    levels: Mapping[str, Fields] = field(default_factory=dict)
    messages: Fields = field(default_factory=dict)
    calendar: Fields = field(default_factory=dict)
    calendars: Mapping[str, Fields] = field(default_factory=dict)

    def over(self, base: Draft) -> Draft:
        """This file on top of ``base``: what both say holds as it is said here."""
        return Draft(
            allow={**base.allow, **self.allow},
            overrides=_merged(base.overrides, self.overrides),
            levels=_merged(base.levels, self.levels),
            messages=base.messages | self.messages,
            calendar=base.calendar | self.calendar,
            calendars=_merged(base.calendars, self.calendars),
        )

    def levels_of(self, kind: Kind) -> Levels:
        """A kind's own levels, completed with those for every kind."""
        return Levels(**(self.levels[EVERY] | self.levels.get(kind, {})))

    def sorted_overrides(self) -> tuple[Override, ...]:
        """The most precise first; the order in the file makes no difference any more."""
        overrides = [
            Override(scope=scope, allow=dict(sorted(allow.items()))) for scope, allow in self.overrides.items()
        ]
        by_name = sorted(overrides, key=lambda each: str(each.scope))
        return tuple(sorted(by_name, key=lambda each: each.scope.precision, reverse=True))


def _merged(base: Mapping[Any, Mapping[Any, Any]], top: Mapping[Any, Mapping[Any, Any]]) -> dict[Any, dict[Any, Any]]:
    return {key: {**base.get(key, {}), **top.get(key, {})} for key in (*base, *top)}
