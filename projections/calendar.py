"""When a party is open: slots of the local day for each day of the week, in its own time zone, less public holidays.

``Calendar`` is what a party says about itself; projections/clock.py compiles it for counting opening hours in bulk.
Closures that a party announces are not part of its calendar: whoever counts hands them in. The horizon is 1970 to 2060;
a moment before it counts as its beginning, and what would come due after it comes due at HORIZON_END.
"""

from __future__ import annotations

import re
import statistics
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2060, 12, 31)
HORIZON_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A due time that would fall later is this moment: far enough to mean "never".
HORIZON_END: Final = datetime(2061, 1, 1, tzinfo=UTC)
MINUTES_OF_A_DAY: Final = 1_440

Span = tuple[datetime, datetime]
Closures = Sequence[Span]
Minute = Annotated[int, Field(ge=0, le=MINUTES_OF_A_DAY, strict=True)]
Slot = tuple[Minute, Minute]
#: The slots of one day, in order and apart; empty when it does not open.
Slots = tuple[Slot, ...]

_CLOSED: Final = "closed"
_TIME: Final = r"([0-9]{1,2})(?::([0-9]{2}))?"
_SLOT: Final = re.compile(rf"\s*{_TIME}\s*[-–]\s*{_TIME}\s*")
_HOLIDAYS: Final = re.compile(r"([A-Z]{2})(?:-(.+))?")
#: Systems keep these beside the zones: whatever is local there, and copies (some of which count leap seconds).
_NOT_ZONES: Final = {"localtime", "posixrules", "posix", "right"}
_NINE_TO_FIVE: Final = ((9 * 60, 17 * 60),)


def read_slots(text: str) -> Slots:
    """The slots of a day as people write them: "9:00-12:30, 13:00-17:30", "09-17", "00:00-24:00", or "closed".

    Raises ValueError, with one sentence, for anything else and for slots that are out of order or overlap.
    """
    if text.strip().lower() == _CLOSED:
        return ()
    return _joined([_read_slot(part, text) for part in text.split(",")])


def write_slots(slots: Slots) -> str:
    """The slots of a day as ``read_slots`` reads them: "09:00-12:30, 13:00-17:30", or "closed"."""
    return ", ".join(_written(slot) for slot in slots) or _CLOSED


def _read_slot(part: str, text: str) -> Slot:
    if found := _SLOT.fullmatch(part):
        hour, minute, until_hour, until_minute = (int(number or 0) for number in found.groups())
        opens, closes = hour * 60 + minute, until_hour * 60 + until_minute
        if minute < 60 and until_minute < 60 and max(opens, closes) <= MINUTES_OF_A_DAY:
            return opens, closes
    raise ValueError(f"'{text}' is not opening hours, such as '9:00-12:30, 13:00-17:30' or 'closed'")


def _written(slot: Slot) -> str:
    opens, closes = slot
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


def _joined(slots: Sequence[Slot]) -> Slots:
    """The slots with those that touch made one; ValueError when they are out of order, overlap, or end too soon."""
    for slot in slots:
        if slot[0] >= slot[1]:
            raise ValueError(f"a slot closes after it opens, and {_written(slot)} does not")
    for earlier, later in pairwise(slots):
        if later[0] < earlier[1]:
            raise ValueError(f"slots follow one another, and {_written(later)} does not follow {_written(earlier)}")
    joined: list[Slot] = []
    for opens, closes in slots:
        if joined and joined[-1][1] == opens:
            opens = joined.pop()[0]
        joined.append((opens, closes))
    return tuple(joined)


class Calendar(BaseModel):
    """When a party is open. The defaults are Monday to Friday, 9 to 17, Europe/Amsterdam, whatever the holiday.

    ``time_zone`` is an IANA name. ``week`` holds the slots of seven days, Monday first: (opens, closes) in minutes of
    the local day, 0 to 1440, in order and not overlapping; slots that touch become one. ``holidays`` names a country,
    or a country and its subdivision, on whose public holidays the party does not open ("NL", "DE-BY").
    A value that makes no sense, or a week without any slot, is refused with pydantic's ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: str = "Europe/Amsterdam"
    week: tuple[Slots, ...] = (_NINE_TO_FIVE,) * 5 + ((),) * 2
    holidays: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
            known = name.partition("/")[0] not in _NOT_ZONES
        except (LookupError, ValueError, OSError):
            known = False
        if not known:
            raise ValueError(f"'{name}' is not a time zone's name, such as Europe/Amsterdam")
        return name

    @field_validator("week")
    @classmethod
    def _opening_week(cls, week: tuple[Slots, ...]) -> tuple[Slots, ...]:
        if len(week) != 7:
            raise ValueError(f"a week has seven days, Monday first, not {len(week)}")
        if not any(week):
            raise ValueError("a party must open on at least one day of the week")
        return tuple(_joined(slots) for slots in week)

    @field_validator("holidays")
    @classmethod
    def _known_holidays(cls, code: str | None) -> str | None:
        if code is not None:
            holidays_of(code)
        return code

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def day_length(self) -> timedelta:
        """What a working day means here: the median opening time of the days of the week that open."""
        open_days = [sum(closes - opens for opens, closes in slots) for slots in self.week if slots]
        return timedelta(minutes=statistics.median(open_days))

    @property
    def never_closes(self) -> bool:
        """Whether it is open around the clock on every day, so that no working day ever ends."""
        return self.holidays is None and all(slots == ((0, MINUTES_OF_A_DAY),) for slots in self.week)

    def is_holiday(self, day: date) -> bool:
        """Whether the party stays shut on that day because of a public holiday; never so outside the horizon."""
        return self.holidays is not None and day in holidays_of(self.holidays)

    def opening_spans(self, day: date) -> list[Span]:
        """When it opens and closes (UTC) on that local day, in order; closures are not looked at."""
        if self.is_holiday(day):
            return []
        slots = self.week[day.weekday()]
        spans = [(local_moment(self.zone, day, opens), local_moment(self.zone, day, closes)) for opens, closes in slots]
        return [(opens, closes) for opens, closes in spans if opens < closes]


DEFAULT: Final = Calendar()
#: Open around the clock.
ALWAYS: Final = Calendar(time_zone="UTC", week=(((0, MINUTES_OF_A_DAY),),) * 7)


@lru_cache(maxsize=256)
def holidays_of(code: str) -> frozenset[date]:
    """The public holidays within the horizon of a country ("NL") or a subdivision ("DE-BY"), as far as known.

    Raises ValueError for a code that means nothing.
    """
    import holidays  # takes long to load, and most calendars have none

    found = _HOLIDAYS.fullmatch(code)
    # Some countries' holidays are known for a part of the horizon only, which the package warns about.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Local days at either end of the horizon may belong to the year before it or after it.
            years = range(FIRST_DAY.year - 1, LAST_DAY.year + 2)
            days = holidays.country_holidays(found[1], subdiv=found[2], years=years) if found else None
        except NotImplementedError:
            days = None
    if days is None:
        raise ValueError(f"no public holidays are known for '{code}'; write a country or its subdivision: NL, DE-BY")
    return frozenset(days)


@lru_cache(maxsize=16_384)
def local_moment(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """The first moment (UTC) at which clocks in the zone show that minute (0 to 1440) of that day, or a later one.

    A time that occurs twice means its first occurrence; one that clocks leap over means the leap. So a later time is
    never an earlier moment, and a slot can become shorter or empty on such a day, not negative.
    """
    local = datetime.combine(day, time.min, zone) + timedelta(minutes=minutes)
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first <= second:
        return first
    # Clocks leap over it, at some whole second between the two readings. Two times of one zone compare by the clock.
    leap = range((first - second) // timedelta(seconds=1))
    after = bisect_left(leap, True, key=lambda n: (second + timedelta(seconds=n)).astimezone(zone) >= local)
    return second + timedelta(seconds=after)


def open_spans(calendar: Calendar, day: date, closures: Closures) -> list[Span]:
    """What is left (UTC) of the opening hours of that local day once the closures are taken out, in order."""
    spans = calendar.opening_spans(day)
    for closed_from, closed_until in closures:
        if closed_from >= closed_until:
            continue
        pieces = [
            piece
            for opens, closes in spans
            for piece in ((opens, min(closes, closed_from)), (max(opens, closed_until), closes))
        ]
        spans = [(opens, closes) for opens, closes in pieces if opens < closes]
    return spans
