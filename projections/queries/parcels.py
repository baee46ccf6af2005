"""In which orders' handovers parcels are named. Read from the mirrored events when somebody asks: no model has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from projections.queries.arguments import Arguments
from projections.queries.reading import Reading, Row

#: So many parcels may be asked about at a time.
_MOST: Final = 500
#: Handovers of longer ago than this are not looked at, unless it is said since when.
_SINCE: Final = timedelta(days=180)


def parcels(reading: Reading, arguments: Arguments) -> Row:
    """Of parcels by their numbers: in which orders' handovers they are named, and what was said of those orders."""
    numbers = arguments.names("numbers", _MOST)
    since = arguments.moment("since") or reading.moment(arguments) - _SINCE
    handovers = reading.rows("parcels", numbers=numbers, since=since)
    firsts = sorted({row.pop("first_position") for row in handovers})
    tracked = reading.rows("parcels_tracked", firsts=firsts) if firsts else []
    return {"handovers": handovers, "tracked": [row["id"] for row in tracked]}
