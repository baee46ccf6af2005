"""Dates, times and money as customers read them: Babel's names of days and months, in sentences of our own.

A language is one entry of ``SPEECH``: a locale, two patterns of the CLDR and a few words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

from events.clock import in_zone
from projections.calendar import DEFAULT

#: The zone in which times are read where nobody says otherwise.
ZONE: Final = DEFAULT.zone


@dataclass(frozen=True)
class Speech:
    """How one language writes dates, times and amounts.

    ``date`` and ``clock`` are CLDR patterns: Babel's full date has a comma or a year too many for a sentence. Moments
    are aware, and are told in ``zone``; ``now`` decides whether a year is needed.
    """

    locale: Locale
    date: str
    clock: str
    at: str
    hours: str
    between: str
    until: str
    through: str

    def day(self, moment: datetime, now: datetime, zone: tzinfo = ZONE) -> str:
        """``Thursday 26 November``; with the year when that is not the present one."""
        local = in_zone(moment, zone)
        year = "" if local.year == in_zone(now, zone).year else " y"
        return format_date(local, self.date + year, self.locale)

    def when(self, moment: datetime, now: datetime, zone: tzinfo = ZONE) -> str:
        """``Thursday 26 November at 17:00``."""
        return f"{self.day(moment, now, zone)} {self.at.format(self._time(moment, zone))}"

    def by(self, moment: datetime, now: datetime, zone: tzinfo = ZONE, *, precise: bool = False) -> str:
        """As ``day``, and as ``when`` if it is ``precise``, today or tomorrow: then the hour matters to her."""
        days = (in_zone(moment, zone).date() - in_zone(now, zone).date()).days
        return self.when(moment, now, zone) if precise or days in (0, 1) else self.day(moment, now, zone)

    def window(self, begin: datetime, end: datetime, now: datetime, zone: tzinfo = ZONE) -> str:
        """``Thursday 26 November between 09:00 and 11:00``."""
        if in_zone(begin, zone).date() != in_zone(end, zone).date():
            return self.between.format(self.when(begin, now, zone), self.when(end, now, zone))
        first, last = self._time(begin, zone), self._time(end, zone)
        return self.hours.format(self.day(begin, now, zone), first, last)

    def deadline(self, moment: datetime, now: datetime, zone: tzinfo = ZONE) -> str:
        """``until Friday 11 December at 12:00``; an end at midnight is written as the whole day before it."""
        local = in_zone(moment, zone)
        if (local.hour, local.minute) in ((0, 0), (23, 59)):
            last = local - timedelta(minutes=1) if local.hour == 0 else local
            return f"{self.through} {self.day(last, now, zone)}"
        return f"{self.until} {self.when(moment, now, zone)}"

    def money(self, amount: Decimal, currency: str) -> str:
        """``€1,250.00`` in English, ``€ 1.250,00`` in Dutch (its spaces do not break), to the last digit."""
        pattern = self.locale.currency_formats["standard"].pattern
        if get_currency_symbol(currency, self.locale)[-1:].isalpha():
            pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")  # CHF 85.50, not CHF85.50
        whole = amount == round(amount, get_currency_precision(currency))
        return format_currency(amount, currency, pattern, self.locale, currency_digits=whole)

    def _time(self, moment: datetime, zone: tzinfo) -> str:
        return format_time(in_zone(moment, zone).time(), self.clock, locale=self.locale)


ENGLISH: Final = Speech(
    locale=Locale("en", "GB"),
    date="EEEE d MMMM",
    clock="HH:mm",
    at="at {}",
    hours="{} between {} and {}",
    between="between {} and {}",
    until="until",
    through="up to and including",
)
DUTCH: Final = Speech(
    locale=Locale("nl", "NL"),
    date="EEEE d MMMM",
    clock="HH.mm",
    at="om {} uur",
    hours="{} tussen {} en {} uur",
    between="tussen {} en {}",
    until="tot",
    through="tot en met",
)
SPEECH: Final = {"en": ENGLISH, "nl": DUTCH}


def spoken(language: str | None) -> str:
    """The language that we write in for somebody who asked for ``language`` (``nl-BE`` is ``nl``); else English."""
    asked = (language or "").replace("_", "-").partition("-")[0].strip().lower()
    return asked if asked in SPEECH else "en"
