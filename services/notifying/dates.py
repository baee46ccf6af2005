"""Dates and money as customers read them, in English and Dutch.

Two languages are two short tables; a library of all the world's locales would be a dependency for sixty words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from projections.calendar import DEFAULT

#: The zone in which customers read times.
ZONE: Final = DEFAULT.zone

_SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True)
class Speech:
    """How one language writes dates, times and amounts. Times are those of Europe/Amsterdam."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    at: str
    thousands: str
    decimal: str
    sign_gap: str
    until: str
    through: str
    clock: str
    between: str

    def day(self, moment: datetime, now: datetime) -> str:
        """``Thursday 26 November``; with the year when that is not the present one."""
        local = moment.astimezone(ZONE)
        year = "" if local.year == now.astimezone(ZONE).year else f" {local.year}"
        return f"{self.weekdays[local.weekday()]} {local.day} {self.months[local.month - 1]}{year}"

    def when(self, moment: datetime, now: datetime) -> str:
        """``Thursday 26 November at 17:00``."""
        return f"{self.day(moment, now)} {self.at.format(moment.astimezone(ZONE))}"

    def window(self, begin: datetime, end: datetime, now: datetime) -> str:
        """``Thursday 26 November between 09:00 and 11:00``."""
        clocks = [self.clock.format(moment.astimezone(ZONE)) for moment in (begin, end)]
        if begin.astimezone(ZONE).date() != end.astimezone(ZONE).date():
            return self.between.format(
                "", f"{self.day(begin, now)} {clocks[0]}", f"{self.day(end, now)} {clocks[1]}"
            ).strip()
        return self.between.format(self.day(begin, now), *clocks)

    def deadline(self, moment: datetime, now: datetime) -> str:
        """``until Friday 11 December at 12:00``; an end at midnight is written as the whole day before it."""
        local = moment.astimezone(ZONE)
        if (local.hour, local.minute) in ((0, 0), (23, 59)):
            last = local - timedelta(minutes=1) if local.hour == 0 else local
            return f"{self.through} {self.day(last, now)}"
        return f"{self.until} {self.when(moment, now)}"

    def money(self, amount: Decimal, currency: str) -> str:
        """``€1,250.00`` in English, ``€ 1.250,00`` in Dutch; other currencies by their code."""
        figures = f"{amount:,.2f}".translate(str.maketrans(",.", self.thousands + self.decimal))
        sign = _SIGNS.get(currency)
        return f"{sign}{self.sign_gap}{figures}" if sign else f"{currency} {figures}"


ENGLISH: Final = Speech(
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    at="at {:%H:%M}",
    thousands=",",
    decimal=".",
    sign_gap="",
    until="until",
    through="up to and including",
    clock="{:%H:%M}",
    between="{} between {} and {}",
)
DUTCH: Final = Speech(
    weekdays=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    months=(
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ),
    at="om {:%H.%M} uur",
    thousands=".",
    decimal=",",
    sign_gap="\N{NO-BREAK SPACE}",
    until="tot",
    through="tot en met",
    clock="{:%H.%M} uur",
    between="{} tussen {} en {}",
)
SPEECH: Final = {"en": ENGLISH, "nl": DUTCH}


def spoken(language: str | None) -> str:
    """The language that we write in for somebody who asked for ``language`` (``nl-BE`` is ``nl``); else English."""
    asked = (language or "").replace("_", "-").partition("-")[0].strip().lower()
    return asked if asked in SPEECH else "en"
