"""The calendars of a policy file: who is open when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from events.party import PARTNER_ROLES, PartyError, check_party
from projections.calendar import Calendar, read_slots
from projections.policies.draft import Draft, Fields
from projections.policies.values import Table, check_names, table_of, text_of, words_of
from projections.policies.words import PolicyError

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIELDS: Final = ("time_zone", "holidays", *DAYS)
_WHOM: Final = ("parties", "roles")
_NO_HOLIDAYS: Final = "none"


def read_calendar(table: Table) -> Fields:
    """What [calendar] names."""
    check_names(table, _FIELDS, "[calendar]")
    return _fields(table, "[calendar]")


def read_calendars(table: Table) -> dict[str, Fields]:
    """What each [calendars.NAME] names, and for whom it is."""
    found = {}
    for name, raw in table.items():
        place = f"[calendars.{name}]"
        own = table_of(raw, place)
        check_names(own, (*_WHOM, *_FIELDS), place)
        fields = _fields(own, place)
        if "parties" in own:
            fields["parties"] = _parties(own["parties"], place)
        if "roles" in own:
            fields["roles"] = words_of(own["roles"], PARTNER_ROLES, place, "role")
        found[name] = fields
    return found


def default_calendar(draft: Draft) -> Calendar:
    """[calendar], which is everybody's who has none."""
    return _calendar(draft.calendar, "[calendar]")


def other_calendars(draft: Draft) -> dict[str, Calendar]:
    """The further calendars by party or role. Raises PolicyError for one that is nobody's, or if one has two."""
    found: dict[str, Calendar] = {}
    named_by: dict[str, str] = {}
    for name, fields in draft.calendars.items():
        calendar = _calendar(draft.calendar | fields, f"[calendars.{name}]")
        whose = [each for key in _WHOM for each in fields.get(key, ())]
        if not whose:
            raise PolicyError(f'[calendars.{name}] is for nobody: write parties = ["importer:noord"] or roles')
        for each in whose:
            if named_by.setdefault(each, name) != name:
                raise PolicyError(
                    f"[calendars.{name}] is for {each}, as is [calendars.{named_by[each]}]: leave it out in one of them"
                )
            found[each] = calendar
    return dict(sorted(found.items()))


def _fields(table: Table, place: str) -> Fields:
    fields: Fields = {}
    if "time_zone" in table:
        zone = text_of(table["time_zone"], f"{place} time_zone", "Europe/Amsterdam").strip()
        fields["time_zone"] = _checked({"time_zone": zone}, f"{place} time_zone").time_zone
    if "holidays" in table:
        code = text_of(table["holidays"], f"{place} holidays", "NL").strip()
        holidays = None if code.lower() == _NO_HOLIDAYS else code
        fields["holidays"] = _checked({"holidays": holidays}, f"{place} holidays").holidays
    for day in DAYS:
        if day in table:
            text = text_of(table[day], f"{place} {day}", "9:00-17:00")
            try:
                fields[day] = read_slots(text)
            except ValueError as error:
                raise PolicyError(f"{place} {day}: {error}") from None
    return fields


def _parties(raw: Any, place: str) -> tuple[str, ...]:
    return tuple(_named_once(raw if isinstance(raw, list) else [raw], place))


def _named_once(raw: list[Any], place: str) -> Iterator[str]:
    for each in dict.fromkeys(text_of(one, f"{place} parties", "importer:noord") for one in raw):
        try:
            yield check_party(each, PARTNER_ROLES)
        except PartyError as error:
            raise PolicyError(f"{place} parties: {error}") from None


def _calendar(fields: Fields, place: str) -> Calendar:
    week = tuple(fields[day] for day in DAYS)
    return _checked({"week": week, "time_zone": fields["time_zone"], "holidays": fields["holidays"]}, place)


def _checked(fields: Fields, place: str) -> Calendar:
    try:
        return Calendar(**fields)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise PolicyError(f"{place}: {reason}") from None
