"""Reads a policy file, section by section."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from events.party import PARTNER_ROLES, PartyError, check_party, role_of
from projections.policies.amount import Amount
from projections.policies.draft import EVERY, Draft, Fields
from projections.policies.hours import read_calendar, read_calendars
from projections.policies.levels import Later
from projections.policies.messages import read_messages
from projections.policies.scope import Scope, fold
from projections.policies.values import (
    Table,
    amount_of,
    check_names,
    table_of,
    tables_of,
    text_of,
    word_of,
    words_of,
)
from projections.policies.words import AGREED, KINDS, OWING_ROLES, TOLD, URGENCIES, Kind, PolicyError

_SECTIONS: Final = ("allow", "override", "levels", "messages", "calendar", "calendars")
_FIELDS: Final = ("party", "from", "role", "category", "urgency")
_LEVELS: Final = ("nudge", "due", "later")
_MOST_LEVELS: Final = 20
_ALL: Final = "all"


def read_draft(text: str) -> Draft:
    """What the file says. Raises PolicyError."""
    try:
        raw = tomllib.loads(text.removeprefix("\ufeff"))  # which some editors put in front
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"the policy is not TOML: {str(error)[:1].lower()}{str(error)[1:]}") from None
    check_names(raw, _SECTIONS, "the policy", "section")
    return Draft(
        allow=_allow(raw.get("allow", {}), "[allow]"),
        overrides=_overrides(tables_of(raw.get("override", []), "override", "[[override]]")),
        levels=_all_levels(table_of(raw.get("levels", {}), "[levels]")),
        messages=read_messages(table_of(raw.get("messages", {}), "[messages]")),
        calendar=read_calendar(table_of(raw.get("calendar", {}), "[calendar]")),
        calendars=read_calendars(table_of(raw.get("calendars", {}), "[calendars]")),
    )


def _allow(raw: Any, place: str) -> dict[Kind, Amount]:
    table = table_of(raw, place)
    check_names(table, KINDS, place, "kind")
    return {kind: amount_of(table[kind], f"{place} {kind}") for kind in KINDS if kind in table}


def _overrides(tables: list[Table]) -> dict[Scope, Mapping[Kind, Amount]]:
    found: dict[Scope, Mapping[Kind, Amount]] = {}
    for number, table in enumerate(tables, start=1):
        place = f"override {number}"
        check_names(table, ("kind", "allow", *_FIELDS), place)
        scope = _scope(table, place)
        found[scope] = {**found.get(scope, {}), **_allowed(table, place)}
    return found


def _allowed(table: Table, place: str) -> dict[Kind, Amount]:
    """An amount for the kinds that are named, or a section with one for each."""
    allow = table.get("allow")
    if allow in (None, {}):
        raise PolicyError(f'{place} says nothing: write how long it allows, such as allow = "4 hours"')
    if isinstance(allow, dict):
        if "kind" in table:
            raise PolicyError(f"{place} names kinds twice: leave out its line 'kind', for [override.allow] names them")
        return _allow(allow, f"{place}, allow,")
    if "kind" not in table:
        raise PolicyError(f'{place} names no kind: write kind = "receive", a list of kinds, or "{_ALL}"')
    kinds = words_of(table["kind"], (*KINDS, _ALL), place, "kind")
    if not kinds:
        raise PolicyError(f"{place} names no kind: its list of kinds is empty")
    amount = amount_of(allow, f"{place}, allow")
    return {kind: amount for kind in KINDS if kind in kinds or (_ALL in kinds and kind not in AGREED)}


def _scope(table: Table, place: str) -> Scope:
    party, from_party = (_partner(table, key, place) for key in ("party", "from"))
    role = word_of(table["role"], OWING_ROLES, place, "role") if "role" in table else None
    category = text_of(table["category"], f"{place}, category", "watch") if "category" in table else None
    if party is not None and role is not None:
        if role != role_of(party):
            raise PolicyError(f"{place} fits nobody: {party} is no {role}, so leave out party or role")
        role = None  # the party says it already
    scope = Scope(
        party=party,
        from_party=from_party,
        role=role,
        category=fold(category) if category is not None else None,
        urgency=word_of(table["urgency"], URGENCIES, place, "urgency") if "urgency" in table else None,
    )
    if not any(scope.named):
        raise PolicyError(f"{place} is for everything: name a {', '.join(_FIELDS[:-1])} or urgency, or change [allow]")
    return scope


def _partner(table: Table, key: str, place: str) -> str | None:
    if key not in table:
        return None
    try:
        return check_party(text_of(table[key], f"{place}, {key}", "importer:noord"), PARTNER_ROLES)
    except PartyError as error:
        raise PolicyError(f"{place}, {key}: {error}") from None


def _all_levels(table: Table) -> dict[str, Fields]:
    check_names(table, (*_LEVELS, *KINDS), "[levels]")
    found = {EVERY: _levels({key: table[key] for key in _LEVELS if key in table}, "[levels]")}
    for kind in KINDS:
        if kind in table:
            place = f"[levels.{kind}]"
            own = table_of(table[kind], place)
            check_names(own, _LEVELS, place)
            found[kind] = _levels(own, place)
    return found


def _levels(table: Table, place: str) -> Fields:
    fields: Fields = {}
    if "nudge" in table:
        fields["nudge"] = _nudge(table["nudge"], place)
    if "due" in table:
        fields["due"] = words_of(table["due"], TOLD, f"{place} due", "one to tell")
    if "later" in table:
        fields["later"] = _later(table["later"], place)
    return fields


def _nudge(raw: Any, place: str) -> int | None:
    text = text_of(raw, f"{place} nudge", "80%").strip().lower()
    if text == "never":
        return None
    match = re.fullmatch(r"([1-9][0-9]?) ?%", text)
    if match is None:
        raise PolicyError(f"{place} nudge is '{raw}': write a share of the time from 1% to 99%, or never")
    return int(match[1])


def _later(raw: Any, place: str) -> tuple[Later, ...]:
    tables = tables_of(raw, f"{place} later", f"[[{place.strip('[]')}.later]]")
    if len(tables) > _MOST_LEVELS:
        raise PolicyError(f"{place} has {len(tables)} later levels: {_MOST_LEVELS} are enough for anybody")
    found: list[Later] = []
    for number, table in enumerate(tables, start=1):
        where = f"{place} later {number}"
        check_names(table, ("after", "tell"), where)
        for key in ("after", "tell"):
            if key not in table:
                raise PolicyError(f"{where} does not say '{key}': write both after and tell")
        tell = words_of(table["tell"], TOLD, where, "one to tell")
        level = Later(after=amount_of(table["after"], f"{where}, after"), tell=tell)
        if not tell:
            raise PolicyError(f"{where} tells nobody: name one of {', '.join(TOLD)}")
        if level.after.order <= (found[-1].after.order if found else 0):
            before = f"level {number - 1}" if found else "the due time"
            raise PolicyError(f"{where} does not come after {before}: write the levels in the order of their time")
        found.append(level)
    return tuple(found)
