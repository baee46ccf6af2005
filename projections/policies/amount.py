"""Lengths of time as people write them: "2 working days", "16 working hours", "24 hours"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

Unit = Literal["working day", "working hour", "working minute", "week", "day", "hour", "minute"]

_MICROSECONDS: Final[dict[Unit, int]] = {
    "working hour": 3_600_000_000,
    "working minute": 60_000_000,
    "week": 7 * 24 * 3_600_000_000,
    "day": 24 * 3_600_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
}
_AROUND_THE_CLOCK: Final[dict[Unit, Unit]] = {"working day": "day", "working hour": "hour", "working minute": "minute"}
_UNITS: Final[dict[str, Unit]] = {
    text: unit for unit in (*_MICROSECONDS, *_AROUND_THE_CLOCK) for text in (unit, f"{unit}s")
}
_WHOLE_DAY: Final = timedelta(days=1)
#: Nobody means more than ten years, and what is added to a date must stay a date.
_LONGEST: Final = 3_660 * _MICROSECONDS["day"]

AT_ONCE: Final = "at once"


class Amount(BaseModel):
    """So many units. Working time passes while the party that owes is open; all else passes around the clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=0, lt=10**9)
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Amount:
        """The length that ``text`` names; ``at once`` is none. Raises ValueError: one sentence with what to write."""
        words = " ".join(text.split()).lower()
        if words == AT_ONCE:
            return cls(count=0, unit="hour")
        match = re.fullmatch(r"([0-9]{1,9}) ?([a-z ]+)", words)
        if match is None or match[2] not in _UNITS:
            raise ValueError(
                f"'{text}' is no length of time: write for example '2 working days', '4 working hours' or '24 hours'"
            )
        count, unit = int(match[1]), _UNITS[match[2]]
        if cls.model_construct(count=count, unit=unit).order > _LONGEST:
            raise ValueError(f"'{text}' is more than ten years")
        return cls(count=count, unit=unit)

    @model_validator(mode="after")
    def _in_this_life(self) -> Self:
        # What is kept somewhere may not have been read by us: no clock reaches further.
        if self.order > _LONGEST:
            raise ValueError("more than ten years")
        return self

    @property
    def around_the_clock(self) -> bool:
        """Whether nights, weekends and holidays count."""
        return self.unit not in _AROUND_THE_CLOCK

    def microseconds(self, day_length: timedelta) -> int:
        """How long it is for a party whose working days are of ``day_length``."""
        if self.unit == "working day":
            return self.count * (day_length // timedelta(microseconds=1))
        return self.count * _MICROSECONDS[self.unit]

    @property
    def order(self) -> int:
        """By which lengths are put in order, whatever anybody's opening hours."""
        return self.microseconds(_WHOLE_DAY)

    def day_and_night(self) -> Amount:
        """The same number of days, hours or minutes, around the clock."""
        return Amount(count=self.count, unit=_AROUND_THE_CLOCK.get(self.unit, self.unit))

    def plain(self) -> Amount:
        """The one way to write this length: ``60 minutes`` is ``1 hour``, ``1 day`` is ``24 hours``."""
        if self.count == 0:
            return Amount(count=0, unit="hour")
        if self.unit == "working day":
            return self
        units: tuple[Unit, ...] = ("day", "hour", "minute") if self.around_the_clock else ("working hour",)
        whole = self.order
        for unit in units:
            count, rest = divmod(whole, _MICROSECONDS[unit])
            if rest == 0 and (unit, count) != ("day", 1):
                return Amount(count=count, unit=unit)
        return self

    def __str__(self) -> str:
        if self.count == 0 and self.unit == "hour":
            return AT_ONCE
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            amount = cls.parse(value)
            return {"count": amount.count, "unit": amount.unit}
        return value

    @model_serializer
    def _as_text(self) -> str:
        return str(self)


#: No time at all.
ZERO: Final = Amount(count=0, unit="hour")
