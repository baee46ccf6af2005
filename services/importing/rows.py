"""One row of a log, whatever its format: its case, its time, and its values under the mapping's names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.importing.mapping import TIME_OF_DAY, Mapping
from services.importing.report import OF_A_TIME


class Row(NamedTuple):
    """A row as it stands in its file. With a ``problem`` it cannot be used; its case may still be known."""

    file: str
    line: int  # where it begins, from 1
    case: str
    time: datetime | None  # UTC
    values: dict[str, str]  # column of the mapping → text; what means nothing is not in it
    problem: str | None = None


def row_maker(mapping: Mapping, *, own_times: bool) -> Callable[[str, int, dict[str, str]], Row]:
    """A function (file, line, columns) → Row. With ``own_times`` times are as the mapping says, else ISO 8601."""
    nothing = frozenset(mapping.values.nothing) | {""}
    has_clock = TIME_OF_DAY in mapping.columns
    moment = _moment_reader(mapping.log.time_format if own_times else None, mapping.log.time_zone)

    def row(file: str, line: int, columns: dict[str, str]) -> Row:
        values = {name: kept for name, text in columns.items() if (kept := text.strip()) not in nothing}
        case, written, clock = values.get("case"), values.pop("time", None), values.pop(TIME_OF_DAY, None)
        if case is None:
            return Row(file, line, "", None, values, "it names no case")
        if written is None:
            return Row(file, line, case, None, values, "it has no time")
        if has_clock:
            if clock is None:
                return Row(file, line, case, None, values, "it has no time of day")
            written = f"{written} {clock}"
        try:
            return Row(file, line, case, moment(written), values)
        except (ValueError, OverflowError) as error:
            return Row(file, line, case, None, values, f"{OF_A_TIME}{written[:60]}' cannot be read: {error}")

    return row


def _moment_reader(time_format: str | None, zone_name: str | None) -> Callable[[str], datetime]:
    """Reads a time as ``log.time_format`` says; None: the file's own format has them in ISO 8601. Raises ValueError, in
    words for whoever wrote the mapping, or OverflowError."""
    zone = ZoneInfo(zone_name) if zone_name is not None else None
    pattern = None if time_format == "iso" else time_format
    shape = "ISO 8601, such as 2026-11-21T17:00:00+01:00"
    if time_format is not None:
        shape = f'as the mapping\'s log.time_format says: "{time_format}"' + ("" if pattern else f" is {shape}")

    last = ("", datetime.min.replace(tzinfo=UTC))

    def moment(text: str) -> datetime:
        nonlocal last
        if text == last[0]:  # neighbours often share their time
            return last[1]
        try:
            found = datetime.fromisoformat(text) if pattern is None else datetime.strptime(text, pattern)  # noqa: DTZ007 - looked at next
        except ValueError:
            raise ValueError(f"it is not {shape}") from None
        if found.tzinfo is None:
            if zone is None:
                raise ValueError("it has no offset, and the mapping's log.time_zone names no time zone")
            found = found.replace(tzinfo=zone)
        last = (text, found.astimezone(UTC))
        return last[1]

    return moment
