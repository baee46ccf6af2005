"""Secrets of partners that were replaced and go on working until their time is up, beside the new one.

``credentials/replaced.json`` is ``{party: [{"nkey": "U…" or "password": …, "until": …}]}``, the latest first. There is
a password only where a partner of an older home had one. What is past its time counts for nothing, whether or not
anybody has taken it out of the file yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from services.home import HomeFolder, read_json, write_json

#: So many of one partner may work at a time, beside the one in force.
_MOST: Final = 4


@dataclass(frozen=True)
class Replaced:
    """By what the server goes on telling a partner, and until when: the public key of an nkey, or else a password."""

    until: datetime
    nkey: str | None = None
    password: str | None = field(default=None, repr=False)

    def same_secret(self, other: Replaced) -> bool:
        """Whether the two open by the same."""
        return (self.nkey, self.password) == (other.nkey, other.password)


AllReplaced = Mapping[str, tuple[Replaced, ...]]


def read_replaced(folder: HomeFolder) -> dict[str, tuple[Replaced, ...]]:
    """All that is in the file, also what is past its time. Raises ValueError if it is broken."""
    try:
        return {party: tuple(map(_read, rows)) for party, rows in (read_json(folder.replaced_file) or {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):  # without a word of what is in it: that may be a secret
        raise ValueError(f"{folder.replaced_file} is broken: delete it, which ends what was replaced at once") from None


def working(replaced: AllReplaced, now: datetime) -> dict[str, tuple[Replaced, ...]]:
    """Those of each partner that work at ``now``; a partner that has none is left out."""
    found = {party: tuple(each for each in earlier if now < each.until) for party, earlier in replaced.items()}
    return {party: earlier for party, earlier in found.items() if earlier}


def with_another(earlier: tuple[Replaced, ...], another: Replaced | None, latest: datetime) -> tuple[Replaced, ...]:
    """``another`` before those that were replaced ``earlier``, none of which is to work beyond ``latest``."""
    ending = [replace(each, until=min(each.until, latest)) for each in earlier]
    if another is None:
        return tuple(ending)
    return (another, *(each for each in ending if not each.same_secret(another)))[:_MOST]


def write_replaced(folder: HomeFolder, replaced: AllReplaced) -> None:
    """Replace the file by what is given. The caller holds ``folder.changing()``."""
    kept = {party: [_row(each) for each in earlier] for party, earlier in replaced.items() if earlier}
    if kept:
        write_json(folder.replaced_file, kept)
    else:
        folder.replaced_file.unlink(missing_ok=True)


def until_of(replaced: AllReplaced, party: str) -> datetime | None:
    """Until when the last one of ``party`` works."""
    return max((each.until for each in replaced.get(party, ())), default=None)


def _row(replaced: Replaced) -> dict[str, str]:
    by = {"nkey": replaced.nkey, "password": replaced.password}
    return {name: value for name, value in by.items() if value is not None} | {"until": replaced.until.isoformat()}


def _read(row: dict[str, Any]) -> Replaced:
    until, nkey, password = datetime.fromisoformat(row["until"]), row.get("nkey"), row.get("password")
    if until.tzinfo is None or not isinstance(nkey or password, str):
        raise ValueError
    return Replaced(until, nkey, password)
