"""When a scan was made, as carriers write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

#: A scan that lies further ahead than any time zone can explain was not made.
_AHEAD: Final = timedelta(days=1)


def read_moment(text: object, now: datetime) -> datetime | None:
    """The moment in UTC, or None for none; what comes without a zone, as from some carriers, is taken as UTC."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment <= now + _AHEAD else None
