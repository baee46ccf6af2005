"""The list that a party is given once a day: what it has to look after, and whose list is due."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from events.party import PARTNER_ROLES, PartyError, check_party
from projections.book import open_book
from projections.calendar import local_moment
from projections.clock import WorkClock, micros_of, moment_of
from projections.queries.arguments import Arguments, QueryError
from projections.queries.product_and_place import with_product_and_place
from projections.queries.reading import Reading, Row

#: No part of a list has more lines than this, unless asked for; its total is told besides.
_LINES: Final = 50

#: A list of today, wherever the party is, was given later than this before now.
_RECENTLY: Final = timedelta(days=3)

#: The parts of a list, and the total of each by its name in ``totals``.
_PARTS: Final = {
    "overdue": "overdue",
    "asked": "asked",
    "calls": "calls",
    "contacts": "contacts",
    "orders": "open",
    "owed": "owed",
}


def briefings(reading: Reading, arguments: Arguments) -> Row:
    """Whoever has something to look after today, and whether its list is due.

    It is once its doors have opened on its own day, if it was not given that day's list yet. ``last`` is then the
    position of the list before (0: there is none).
    """
    now = reading.moment(arguments)
    book = open_book(reading.cursor)
    rows = reading.rows("briefings", now=now, recently=now - _RECENTLY)
    found = [_standing(row, book.clock_of(row["party"]), now) for row in rows]
    due = [row["party"] for row in found if row["due"]]
    last = {row["party"]: row["position"] for row in reading.rows("briefing_last", parties=due)} if due else {}
    return {"briefings": [row | {"last": last.get(row["party"], 0) if row["due"] else None} for row in found]}


def _standing(row: Row, clock: WorkClock, now: datetime) -> Row:
    day, opened = today(clock, now), has_opened(clock, now)
    given = day.isoformat() in row.pop("days")
    return {**row, "day": day.isoformat(), "opened": opened, "given": given, "due": opened and not given}


def briefing(reading: Reading, arguments: Arguments) -> Row:
    """The list of one party as it is now; no part has more than ``limit`` lines, ``totals`` says how many there are."""
    now, party = reading.moment(arguments), _party(arguments)
    limit = max(1, arguments.number("limit", _LINES))
    clock = open_book(reading.cursor).clock_of(party)
    since = day_before(clock, now)
    reading.rows("briefing_open", now=now, party=party)
    parts = {
        "overdue": reading.rows("briefing_overdue", limit=limit),
        "asked": reading.rows("briefing_asked", limit=limit),
        "calls": reading.rows("briefing_calls", party=party, limit=limit),
        "contacts": reading.rows("briefing_contacts", party=party, since=since, now=now, limit=limit),
        "orders": reading.rows("briefing_orders", party=party, limit=limit),
        "owed": reading.rows("briefing_owed", party=party, limit=limit),
    }
    totals = {total: parts[part][0]["total"] if parts[part] else 0 for part, total in _PARTS.items()}
    return {
        "party": party,
        "day": today(clock, now).isoformat(),
        "time_zone": clock.calendar.zone.key,
        "since": since.isoformat().replace("+00:00", "Z"),
        "totals": totals,
        **_named(reading, party, parts),
    }


def _party(arguments: Arguments) -> str:
    try:
        return check_party(arguments.required_text("party"), PARTNER_ROLES)
    except PartyError as error:
        raise QueryError(str(error)) from None


def _named(reading: Reading, party: str, parts: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The lines, each with what its order is called in front, and with whether the product stays at her home."""
    orders = sorted({row["first_position"] for rows in parts.values() for row in rows})
    found = reading.rows("briefing_named", party=party, orders=orders) if orders else []
    placed = with_product_and_place(reading, [row for row in found if row["last_position"] is not None])
    at_home = {row["first_position"]: row["at_home"] for row in placed}
    names = {
        row["first_position"]: {name: row[name] for name in ("order", "reference", "product")}
        | {"at_home": at_home.get(row["first_position"], False)}
        for row in found
    }
    aside = ("first_position", "total")
    return {
        part: [
            names[row["first_position"]] | {name: value for name, value in row.items() if name not in aside}
            for row in rows
        ]
        for part, rows in parts.items()
    }


# -- the party's own days ---------------------------------------------------------------------------------------------


def today(clock: WorkClock, now: datetime) -> date:
    """The day that it is where the party is."""
    return now.astimezone(clock.calendar.zone).date()


def has_opened(clock: WorkClock, now: datetime) -> bool:
    """Whether its doors were open for any time of its day."""
    return bool(clock.between(micros_of(_midnight(clock, today(clock, now))), micros_of(now)) > 0)


def day_before(clock: WorkClock, now: datetime) -> datetime:
    """The beginning (UTC) of the last of its days before today on which it was open: on Monday usually of Friday."""
    midnight = micros_of(_midnight(clock, today(clock, now)))
    place = int(np.searchsorted(clock.opens, midnight, side="left")) - 1
    if place < 0:
        return _midnight(clock, today(clock, now) - timedelta(days=1))
    last_open = moment_of(min(int(clock.closes[place]), midnight) - 1)
    return _midnight(clock, today(clock, last_open))


def _midnight(clock: WorkClock, day: date) -> datetime:
    return local_moment(clock.calendar.zone, day, 0)
