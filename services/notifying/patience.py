"""How long a service asks us to wait: the Retry-After header of HTTP (RFC 9110)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

#: Nobody can have us wait for longer (seconds).
LONGEST: Final = 86_400.0


def seconds_of(header: str | None, now: datetime) -> float | None:
    """``120`` or a date as seconds from ``now``, a day at most; None for nothing and for what is neither."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST)
