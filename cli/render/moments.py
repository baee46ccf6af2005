"""Moments and spans in words: ``Mon 9 Nov 10:12``, ``in 5 days``, ``3 h``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from events.clock import in_zone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse(text: object) -> datetime | None:
    """The moment that an ISO 8601 text of a query names, or None; a moment without a zone is UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def span(seconds: float) -> str:
    """About how long, in its largest unit: ``40 s``, ``5 min``, ``3 h``, ``12 days``, ``7 weeks``. No ``48 h``."""
    seconds = abs(seconds)
    for limit, unit, one, more in (
        (90, 1, "s", "s"),
        (90 * 60, 60, "min", "min"),
        (47.5 * 3600, 3600, "h", "h"),
        (60 * 86400, 86400, "day", "days"),
        (730 * 86400, 7 * 86400, "week", "weeks"),
    ):
        if seconds < limit:
            count = round(seconds / unit)
            return f"{count} {one if count == 1 else more}"
    return f"{seconds / (365.25 * 86400):.1f} years"


def exact(seconds: float | None) -> str:
    """A measured wait with its next smaller unit: ``32 min 54 s``, ``1 day 17 h``; a dash for none."""
    if seconds is None:
        return "–"
    left = round(abs(seconds))
    parts: list[str] = []
    for unit, one, more in ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min"), (1, "s", "s")):
        count, left = divmod(left, unit)
        if count or parts:
            parts.append(f"{count} {one if count == 1 else more}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


@dataclass(frozen=True)
class Moments:
    """Writes moments as seen at ``now`` in ``zone`` (None is the zone of this machine)."""

    now: datetime
    zone: tzinfo | None = None

    def local(self, moment: datetime) -> datetime:
        return in_zone(moment, self.zone)

    def zone_name(self) -> str:
        """``CET``, ``UTC``, ``+05:30``."""
        return self.local(self.now).tzname() or "local"

    def today(self) -> date:
        return self.local(self.now).date()

    def day(self, moment: datetime) -> str:
        """``Mon 9 Nov``, with the year when it is not this one."""
        at = self.local(moment)
        text = f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"
        return text if at.year == self.today().year else f"{text} {at.year}"

    def clock(self, moment: datetime) -> str:
        """``10:12``."""
        return f"{self.local(moment):%H:%M}"

    def at(self, moment: datetime) -> str:
        """``Mon 9 Nov 10:12``."""
        return f"{self.day(moment)} {self.clock(moment)}"

    def relative(self, moment: datetime) -> str:
        """``12 days ago``, ``in 3 h``, ``now``."""
        seconds = (moment - self.now).total_seconds()
        if abs(seconds) < 30:
            return "now"
        return f"in {span(seconds)}" if seconds > 0 else f"{span(seconds)} ago"

    def left(self, due: datetime) -> str:
        """How long it is until ``due``, or has been since: ``in 3 h``, ``now``, ``6 days late``."""
        late = (self.now - due).total_seconds()
        return f"{span(late)} late" if late > 0 else self.relative(due)

    def both(self, moment: datetime) -> str:
        """``Mon 9 Nov 10:12 (12 days ago)``."""
        return f"{self.at(moment)} ({self.relative(moment)})"

    def text(self, iso: object) -> str:
        """The moment that ``iso`` names, or the text itself when it names none."""
        moment = parse(iso)
        return self.at(moment) if moment else str(iso or "")

    def days_between(self, earlier: datetime, later: datetime) -> int:
        """Midnights between the two, in the zone: Monday 23:00 and Tuesday 1:00 are one day apart."""
        return (self.local(later).date() - self.local(earlier).date()) // timedelta(days=1)
