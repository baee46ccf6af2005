"""What happens when time runs out: a nudge before the due time, the first level at it, later levels after it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from projections.policies.amount import ZERO, Amount
from projections.policies.words import Told


class Level(BaseModel):
    """``after`` the due time, ``tell`` these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Amount
    tell: frozenset[Told]


class Later(BaseModel):
    """A level after the first, with whom it tells in one order only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Amount
    tell: tuple[Told, ...]


class Levels(BaseModel):
    """The levels of one kind. ``nudge`` is in percent of the time, ``due`` whom the first level tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nudge: int | None = Field(None, ge=1, le=99)
    due: tuple[Told, ...]
    later: tuple[Later, ...] = Field(max_length=20)

    def steps(self, *, day_and_night: bool) -> tuple[Level, ...]:
        """The levels, the first with no time after the due time."""
        later = [
            Level(after=each.after.day_and_night() if day_and_night else each.after, tell=frozenset(each.tell))
            for each in self.later
        ]
        return Level(after=ZERO, tell=frozenset(self.due)), *later
